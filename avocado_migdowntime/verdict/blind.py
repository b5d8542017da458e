# SPDX-License-Identifier: GPL-2.0-or-later
"""When and why passes do not show the downtime-limit, or no reports can be judged."""

import numpy as np

from ..oracle.evidence import Evidence

_UP_TO, _AND, _NO_MORE_FROM = 7, 10, 11
"""Releases by their major number. Even with postcopy-ram, these sync when what is left fits the limit: up to 7, and 10.
From 11 on they do not.

Source: migration/ram.c, ram_save_pending, of 7.2; migration/migration.c, migration_iteration_run, of 10.0. On 11.1,
where RAM need not be sent in precopy then, each iteration has its own sync (measured). An iteration is a window of 100
ms, and on hugepages up to 64 windows, because the rate limit applies within a page (migration/ram.c,
ram_save_host_page).
"""


def why_blind(evidence: Evidence) -> str:
    """The code of why the ends of passes do not show the limit; '' if they do."""
    if evidence.limit_ms is None:
        return "not-recorded" if evidence.set_limit_ms is None else "not-tracked"
    if "postcopy-ram" in evidence.trace.capabilities and not _syncs_at_the_limit(evidence):
        return "postcopy-ram"
    if any(status.startswith("postcopy") for status in evidence.samples.statuses):
        return "postcopy"
    return ""


def why_it_may_go_on(evidence: Evidence) -> str:
    """The code of why QEMU may go on at a sync although all of RAM fits the limit; '' if it may not."""
    if evidence.samples.hides_devices:
        return "devices"
    return "switchover-ack" if "switchover-ack" in evidence.trace.capabilities else ""


def why_so_short(evidence: Evidence) -> str:
    """The end of a sentence about missing passes: says if QEMU's way to sync is the reason; else ''."""
    release = evidence.release
    if "postcopy-ram" not in evidence.trace.capabilities or release is None or release.major < _NO_MORE_FROM:
        return ""
    if np.any(evidence.trace.host_page_bytes > evidence.samples.page_bytes):
        return ""
    return f", but with postcopy-ram QEMU {release.major} syncs in each window of 100 ms, except on hugepages"


def _syncs_at_the_limit(evidence: Evidence) -> bool:
    release = evidence.release
    return release is not None and (release.major <= _UP_TO or release.major == _AND)
