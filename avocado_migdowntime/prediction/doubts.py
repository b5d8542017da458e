# SPDX-License-Identifier: GPL-2.0-or-later
"""How much passes differ, and why no limit is advised if too little is known."""

from math import fsum, sqrt
from statistics import fmean

from .advice import megabytes
from .narrowing import is_sharp
from .observed import ObservedPrecopy

UNEVEN = 1.1
"""If the curve leaves it open, a sync in mid-pass may find this factor more: seen on 7.2 with a guest that sends 80 %
of its writes to 20 % of its pages.
"""
GREATEST_MARGIN = 0.5
"""If passes differ by more than this share, nothing is advised. For a text that does not tell what was changed, the
threshold is lower.
"""
BEYOND_SEEN = 1.2
"""If no limit is known, nothing is advised that is this many times the most that a sync was seen to find."""
_STUDENT_80 = (1.376, 1.061, 0.978, 0.941, 0.920, 0.906, 0.896, 0.889, 0.883, 0.879)
"""The quantiles below which Student's t stays in 80 of 100 cases, for 1, 2, … degrees of freedom. With the second sync
that makes 96 of 100.
"""


def doubt_of(precopy: ObservedPrecopy) -> str:
    """Why it is not known well enough what the next sync needs, so that no limit is advised; or ''."""
    return precopy.doubt or _rough(precopy) or _uneven(precopy) or _beyond_all_seen(precopy)


def _uneven(precopy: ObservedPrecopy) -> str:
    """Why the passes differ too much to tell what the next one needs, or ''."""
    margin = margin_of(precopy)
    if margin > (UNEVEN - 1 if precopy.evidence.trace.readings else GREATEST_MARGIN):
        return f"the passes differ too much: the next one may need up to {margin:.0%} more than expected, or less"
    return ""


def _beyond_all_seen(precopy: ObservedPrecopy) -> str:
    """Why a text that shows no limit does not tell where passes end, or ''."""
    if not precopy.evidence.trace.readings or precopy.evidence.limit_ms is not None:
        return ""
    most_bytes, likely_bytes = (
        max(sync.at_sync_bytes.high for sync in precopy.syncs),
        precopy.next_bytes(precopy.curve.likely_pending),
    )
    if likely_bytes <= BEYOND_SEEN * most_bytes:
        return ""
    return (
        f"no sync found more than {megabytes(most_bytes)}, and without the downtime-limit it is unknown how much "
        "earlier passes may end"
    )


def _rough(precopy: ObservedPrecopy) -> str:
    """Why it is not known well enough what the syncs found, or ''."""
    decisive = [sync for sync in precopy.syncs if sync.before.number > 1] or precopy.syncs
    most = max(decisive, key=lambda sync: sync.at_sync_bytes.high)
    if is_sharp(most):
        return ""
    low, high = most.at_sync_bytes.low, most.at_sync_bytes.high
    return (
        f"the sync before pass {most.after.number} found {megabytes(low)} to {megabytes(high)}, which is too rough: "
        "take more samples, or give the present downtime-limit"
    )


def margin_of(precopy: ObservedPrecopy) -> float:
    """The share by which the next sync may exceed what is likely; in 80 of 100 cases it stays below: Student's t."""
    shares = precopy.surprises
    freedom = len(shares) - 1
    if freedom < 1:
        return 0.0
    mean = fmean(shares)
    deviation = sqrt(fsum((share - mean) ** 2 for share in shares) / freedom)
    wide = _STUDENT_80[min(freedom, len(_STUDENT_80)) - 1] * sqrt(1 + 1 / len(shares))
    return max(0.0, mean + wide * deviation - 1)
