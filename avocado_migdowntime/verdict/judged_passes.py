# SPDX-License-Identifier: GPL-2.0-or-later
"""Which passes of a migration can be judged, and why the others cannot."""

from collections.abc import Iterable, Iterator, Sequence

from ..basics.batches import batches
from ..basics.interval import Interval
from ..oracle.evidence import Evidence
from ..oracle.other_pages import Others
from ..oracle.passes import MIN_SAMPLES, Pass
from ..oracle.reports import ExcludedSamples, Faults, first_faults, put_down
from ..oracle.segments import Segment, fit_together, segment
from ..oracle.syncs import Sync, others_after

MOST_REMARKS = 20
"""The most sentences about passes that are not judged."""


def judged_passes(
    evidence: Evidence, contract: str, tolerance: float, excluded: ExcludedSamples
) -> tuple[list[Segment], list[str]]:
    """The passes that can be judged, and remarks on those that cannot; samples left out are recorded in `excluded`."""
    remarks = Remarks()
    segments: list[Segment] = []
    after_a_sync: set[int] = set()
    for sync, judged in _judged(evidence.syncs, contract, tolerance, excluded, remarks):
        after_a_sync.add(sync.after.number)
        if judged is not None:
            segments.append(judged)
    segments = _decisive(segments, contract, tolerance, excluded, remarks)
    _put_down_others((one for one in evidence.passes if one.number not in after_a_sync), excluded, remarks)
    return segments, remarks.sentences()


class Remarks:
    """Why passes are not judged; consecutive passes with the same reason are merged."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int, str]] = []

    def add(self, number: int, why: str) -> None:
        """Add the reason for one pass."""
        first, last, before = self._spans[-1] if self._spans else (number, -1, "")
        if (last, before) == (number - 1, why):
            self._spans[-1] = first, number, why
        else:
            self._spans.append((number, number, why))

    def sentences(self) -> list[str]:
        """A sentence for each span of passes; beyond MOST_REMARKS, one that counts the rest."""
        sentences = [
            f"pass {first} is not judged: {why}" if first == last else f"passes {first} to {last} are not judged: {why}"
            for first, last, why in self._spans[:MOST_REMARKS]
        ]
        if more := sum(last - first + 1 for first, last, _ in self._spans[MOST_REMARKS:]):
            sentences.append(f"{more} more passes are not judged, for similar reasons")
        return sentences


class GrowingSegments:
    """The judged passes of a migration whose evidence grows: each pass that has ended is judged once."""

    def __init__(self, contract: str, tolerance: float) -> None:
        self._contract, self._tolerance = contract, tolerance
        self._count: int
        self._last: tuple[Pass, ...]
        self._others: Others | None
        self._begin()

    def count_and_last(self, evidence: Evidence) -> tuple[int, Segment | None]:
        """The number of passes that `judged_passes` would return for this grown evidence, and the last of them."""
        ended = evidence.ended_passes
        if ended[: self._count][-1:] != self._last:
            self._begin()
        syncs = self._judge(evidence, ended[max(self._count - 1, 0) :], self._judged, self._decisive)
        self._others = others_after(self._others or evidence.others, syncs)
        self._count, self._last = len(ended), ended[-1:]
        judged: list[Segment] = []
        decisive: list[Segment] = []
        self._judge(evidence, evidence.passes[max(self._count - 1, 0) :], judged, decisive)
        if self._decisive or decisive:
            return _count_and_last(self._decisive, decisive)
        return _count_and_last(self._judged, judged)

    def _begin(self) -> None:
        self._count, self._last = 0, ()
        self._others = None
        self._judged: list[Segment] = []
        self._decisive: list[Segment] = []

    def _judge(
        self, evidence: Evidence, passes: Sequence[Pass], judged: list[Segment], decisive: list[Segment]
    ) -> Sequence[Sync]:
        """Add the passes after the first of `passes` that can be judged, and those of them that can decide."""
        syncs = evidence.syncs_between(passes, self._others or evidence.others)
        for _, one in _judged(syncs, self._contract, self._tolerance, ExcludedSamples(), Remarks()):
            if one is not None:
                judged.append(one)
                if decides(one, self._contract, self._tolerance):
                    decisive.append(one)
        return syncs


def _count_and_last(ended: Sequence[Segment], under_way: Sequence[Segment]) -> tuple[int, Segment | None]:
    last = [*ended[-1:], *under_way][-1:]
    return len(ended) + len(under_way), last[0] if last else None


def _judged(
    syncs: Iterable[Sync], contract: str, tolerance: float, excluded: ExcludedSamples, remarks: Remarks
) -> Iterator[tuple[Sync, Segment | None]]:
    """Each sync with the pass after it, if that can be judged; its fit to the contract is computed."""
    for some in batches(syncs):
        faults = first_faults([sync.after for sync in some])
        judged = [_judged_pass(*one, tolerance, excluded, remarks) for one in zip(some, faults, strict=True)]
        fit_together([one for one in judged if one is not None], contract, tolerance)
        yield from zip(some, judged, strict=True)


def _judged_pass(
    sync: Sync, faults: Faults, tolerance: float, excluded: ExcludedSamples, remarks: Remarks
) -> Segment | None:
    pass_ = sync.after
    if doubt := _doubt(sync, tolerance):
        excluded.add(f"the pass cannot be judged: {doubt}", pass_.samples.t_s)
        remarks.add(pass_.number, doubt)
        return None
    reports = put_down(pass_.samples, faults, excluded)
    judged = segment(sync, reports, tolerance, excluded)
    if judged is None:
        remarks.add(pass_.number, f"{len(reports)} usable samples, but {MIN_SAMPLES} are needed")
    return judged


def _decisive(
    segments: list[Segment], contract: str, tolerance: float, excluded: ExcludedSamples, remarks: Remarks
) -> list[Segment]:
    """The passes that can decide, if there are any; for others, what was left at the sync is not known well enough."""
    decisive = [decides(judged, contract, tolerance) for judged in segments]
    if not any(decisive):
        return segments
    for judged, can_tell in zip(segments, decisive, strict=True):
        if not can_tell:
            excluded.add("what was left at the sync is known too roughly", judged.reports.t_s)
            width = f"{judged.fits[contract].error_interval.width:.1%}"
            remarks.add(judged.number, f"what was left at its sync is only known to within {width}")
    return [judged for judged, can_tell in zip(segments, decisive, strict=True) if can_tell]


def decides(judged: Segment, contract: str, tolerance: float) -> bool:
    """Whether a pass can decide: its error's interval lies entirely within the tolerance, or entirely beyond."""
    accurate, error = Interval(-tolerance, tolerance), judged.fits[contract].error_interval
    return error.within(accurate) or not error.meets(accurate)


def _doubt(sync: Sync, tolerance: float) -> str:
    if min(len(sync.before.samples), len(sync.after.samples)) < MIN_SAMPLES:
        return f"fewer than {MIN_SAMPLES} samples in it or in the previous pass"
    for pass_ in (sync.before, sync.after):
        if pass_.spread_bytes > tolerance * max(sync.at_sync_bytes.middle, 1):
            return (
                f"remaining and sent bytes do not add up in pass {pass_.number} "
                f"(they spread by {pass_.spread_bytes / 1e6:.1f} MB): pages are skipped or recounted"
            )
    return ""


def _put_down_others(others: Iterable[Pass], excluded: ExcludedSamples, remarks: Remarks) -> None:
    for pass_ in others:
        if pass_.number == 1:
            excluded.add("first pass: all of RAM is sent, nothing is predicted", pass_.samples.t_s)
        else:
            excluded.add("the previous pass was not sampled, or too short for a bandwidth", pass_.samples.t_s)
            remarks.add(pass_.number, f"pass {pass_.number - 1} was not sampled, or was too short")
