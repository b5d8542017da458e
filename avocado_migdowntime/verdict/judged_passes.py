# SPDX-License-Identifier: GPL-2.0-or-later
"""Which passes of a migration can be judged, and why the others cannot."""

from ..basics.interval import Interval
from ..oracle.evidence import Evidence
from ..oracle.passes import MIN_SAMPLES
from ..oracle.reports import ExcludedSamples
from ..oracle.segments import Segment, segment
from ..oracle.syncs import Sync


def judged_passes(
    evidence: Evidence, contract: str, tolerance: float, excluded: ExcludedSamples
) -> tuple[list[Segment], list[str]]:
    """The passes that can be judged, and a remark on each that cannot; its samples are put down in `excluded`."""
    remarks: list[str] = []
    segments = [judged for sync in evidence.syncs if (judged := _judged_pass(sync, tolerance, excluded, remarks))]
    segments = _decisive(segments, contract, tolerance, excluded, remarks)
    _put_down_others(evidence, excluded, remarks)
    return segments, remarks


def _judged_pass(sync: Sync, tolerance: float, excluded: ExcludedSamples, remarks: list[str]) -> Segment | None:
    pass_ = sync.after
    if doubt := _doubt(sync, tolerance):
        excluded.add(f"the pass cannot be judged: {doubt}", pass_.samples.t_s)
        remarks.append(f"pass {pass_.number} is not judged: {doubt}")
        return None
    judged, usable_count = segment(sync, pass_, tolerance, excluded)
    if judged is None:
        remarks.append(f"pass {pass_.number} is not judged: {usable_count} usable samples, {MIN_SAMPLES} are needed")
    return judged


def _decisive(
    segments: list[Segment], contract: str, tolerance: float, excluded: ExcludedSamples, remarks: list[str]
) -> list[Segment]:
    """The passes that can tell, where there are any: what was left at a sync may be known too roughly for that."""
    accurate = Interval(-tolerance, tolerance)
    errors = [judged.fits[contract].error_interval for judged in segments]
    decisive = [error.within(accurate) or not error.meets(accurate) for error in errors]
    if not any(decisive):
        return segments
    for judged, error, decides in zip(segments, errors, decisive, strict=True):
        if not decides:
            excluded.add("what was left at the sync is known too roughly", judged.reports.t_s)
            width = f"{error.width:.1%}"
            remarks.append(f"pass {judged.number} is not judged: what was left at its sync is known to {width} only")
    return [judged for judged, decides in zip(segments, decisive, strict=True) if decides]


def _doubt(sync: Sync, tolerance: float) -> str:
    if min(len(sync.before.samples), len(sync.after.samples)) < MIN_SAMPLES:
        return f"fewer than {MIN_SAMPLES} samples in it or in the pass before"
    for pass_ in (sync.before, sync.after):
        if pass_.spread_bytes > tolerance * max(sync.at_sync_bytes.middle, 1):
            return (
                f"remaining and sent bytes do not add up in pass {pass_.number} "
                f"(they spread by {pass_.spread_bytes / 1e6:.1f} MB): pages are skipped or recounted"
            )
    return ""


def _put_down_others(evidence: Evidence, excluded: ExcludedSamples, remarks: list[str]) -> None:
    after_a_sync = {sync.after.number for sync in evidence.syncs}
    for pass_ in evidence.passes:
        if pass_.number == 1:
            excluded.add("first pass: all of RAM is sent, nothing is predicted", pass_.samples.t_s)
        elif pass_.number not in after_a_sync:
            excluded.add("the pass before was not sampled, or too short for a bandwidth", pass_.samples.t_s)
            remarks.append(f"pass {pass_.number} is not judged: pass {pass_.number - 1} was not sampled or too short")
