# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics of a migration: names and meanings."""

from collections.abc import Mapping

METRICS: Mapping[str, str] = {
    "status": "1, with the migration's status as a label",
    "pass": "the number of the current pass",
    "remaining_bytes": "the bytes left to send",
    "bandwidth_bytes_per_second": "QEMU's throughput",
    "dirtied_bytes_per_second": "the guest's dirty rate, according to QEMU",
    "reported_downtime_seconds": "QEMU's expected-downtime, once QEMU has computed it in this pass",
    "right_downtime_seconds": "the expected value, as its least and greatest possible value (label bound)",
    "report_accurate": "1 if QEMU's reports are accurate, 0 if not; missing if undecided",
    "limit_seconds": "the configured downtime-limit",
    "limit_ends_it": "1 if that limit is expected to end the migration, 0 if not; missing if undecided",
    "end_seconds": "the predicted time until that limit ends the migration",
    "downtime_at_end_seconds": "the predicted downtime at that time, at the present bandwidth",
    "least_limit_seconds": "the limit that `advise` gives",
    "downtime_seconds": "the real downtime according to QEMU, once the migration has completed",
}
"""Names without their prefix. Each metric has the label `source`, which is what was watched."""
