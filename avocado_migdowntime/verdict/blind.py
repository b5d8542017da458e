# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the ends of passes say nothing of the downtime-limit, and why."""

from ..oracle.evidence import Evidence

_SYNCS_AT_EACH_LOOK = 11
"""From this release on, with postcopy-ram."""


def why_blind(evidence: Evidence) -> str:
    """The code of why the ends of passes say nothing about the limit, if they do not."""
    if evidence.limit_ms is None:
        return "not-recorded" if evidence.trace.downtime_limit_ms is None else "not-tracked"
    if "auto-converge" in evidence.trace.capabilities:
        return "auto-converge"
    if "postcopy-ram" in evidence.trace.capabilities and not _syncs_at_the_limit(evidence):
        return "postcopy-ram"
    if any(status.startswith("postcopy") for status in evidence.samples.statuses):
        return "postcopy"
    return ""


def _syncs_at_the_limit(evidence: Evidence) -> bool:
    """Whether this release is known to sync when what is left fits the limit, with postcopy-ram as without.

    Measured: 7.2 and 10.0 do. On 11.1, where with that capability RAM need not be sent in precopy, each window of 100
    ms has a sync of its own.
    """
    return evidence.release is not None and evidence.release.major < _SYNCS_AT_EACH_LOOK
