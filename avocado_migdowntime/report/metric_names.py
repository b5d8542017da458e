# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics of a migration by their names, with what each is."""

from collections.abc import Mapping

METRICS: Mapping[str, str] = {
    "status": "1, with the migration's status as a label",
    "pass": "the number of the pass under way",
    "remaining_bytes": "what is left to send",
    "bandwidth_bytes_per_second": "what QEMU shows as its throughput",
    "dirtied_bytes_per_second": "what QEMU shows as the guest's dirty rate",
    "reported_downtime_seconds": "QEMU's expected-downtime, once it has computed it in this pass",
    "right_downtime_seconds": "what is right, as its least and its greatest value (label bound)",
    "report_accurate": "1 where QEMU's reports are accurate, 0 where not; missing where that is open",
    "limit_seconds": "the downtime-limit that is set",
    "limit_ends_it": "1 where that limit is expected to end the migration, 0 where not; missing where that is open",
    "end_seconds": "the time until it is expected to end under that limit",
    "downtime_at_end_seconds": "how long the guest is expected to be down then, at the bandwidth of now",
    "least_limit_seconds": "the least limit that is advised",
    "downtime_seconds": "how long the guest was down, as QEMU says; once the migration has completed",
}
"""Names without their prefix. Each has the label `source`, what was watched."""
