# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults in how QEMU updates a report, for reports that are wrong at least at times but follow no other formula.

| name          | the report |
| ------------- | ---------- |
| `uncomputed`  | stays at 0, or at the downtime-limit, which are QEMU's initial values |
| `frozen`      | keeps one value while the right one has changed, in each pass that was seen |
| `stale`       | is what was right in the previous pass |
| `once-a-pass` | is updated only once in a pass |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec
import numpy as np

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..oracle.fit import share_within
from ..oracle.passes import MIN_SAMPLES
from ..oracle.reports import Reports
from ..oracle.segments import MOVED, Segment
from ..oracle.syncs import Sync
from ..trace.samples import Floats, Samples

UNCOMPUTED, FROZEN, STALE, ONCE_A_PASS = "uncomputed", "frozen", "stale", "once-a-pass"

_WINDOWS = 3
"""QEMU cannot have sent this many windows' worth without an update."""
_WINDOWS_APART = 0.05
"""On a busy host, the bandwidth of a window may differ from that of others by this share."""


@dataclass(frozen=True)
class Updates:
    """The name of a fault of updates, and its sentence for the reader."""

    name: str
    sentence: str


@dataclass(frozen=True)
class _Look:
    """The judged passes, the rest of the last one under another bandwidth, the samples of later passes, and the sync
    that began each pass.
    """

    segments: Sequence[Segment]
    rest: Segment | None
    later: Samples
    sync_of: Mapping[int, Sync]
    contract: str
    tolerance: float
    limit_ms: float | None

    @property
    def all(self) -> list[Segment]:
        return [*self.segments, *([self.rest] if self.rest else [])]

    def moved(self, segments: Sequence[Segment]) -> bool:
        """Whether the right figure differs between segments."""
        correct = [segment.fits[self.contract].computed_ms for segment in segments]
        return max(correct) > min(correct) * (1 + MOVED)

    @property
    def keeps(self) -> bool:
        """Whether a report was kept within a judged pass while the bandwidth changed."""
        return any(_is_kept(segment.sync, run) for segment in self.segments for run in _runs(segment.reports))

    @property
    def later_figures(self) -> list[float]:
        """The figures that later passes show."""
        return sorted({float(figure) for figure in self.later.expected_downtime_ms if not np.isnan(figure)})

    @property
    def saw_a_later_pass(self) -> bool:
        """Whether a later pass was seen to its end."""
        return len(np.unique(self.later.dirty_sync_count)) > 1

    def begins_with(self, figure: float) -> bool:
        """Whether QEMU shows this figure before it has computed one."""
        return figure in (0, self.limit_ms)

    def is_right(self, sync: Sync, reports: Reports, tolerance: float | None = None) -> bool:
        """Whether most of these reports may be what the contract gives for this sync."""
        within = self.tolerance if tolerance is None else tolerance
        return share_within(sync, reports, self.contract, within) > 0.5


def faulty_updates(
    segments: Sequence[Segment],
    rest: Segment | None,
    later: Samples,
    syncs: Sequence[Sync],
    contract: str,
    tolerance: float,
    limit_ms: float | None,
) -> Updates | None:
    """How QEMU fails to update the report, if that explains it; only for reports that are not always right.

    `segments` are the judged passes, at least one; `rest` is the end of the last pass, under another bandwidth, and
    `later` the samples of the passes after it. QEMU may show `limit_ms` before it has computed anything.
    """
    look = _Look(segments, rest, later, {sync.after.number: sync for sync in syncs}, contract, tolerance, limit_ms)
    figures = sorted({float(figure) for segment in look.all for figure in np.unique(segment.reports.expected_ms)})
    if all(map(look.begins_with, figures)):
        return Updates(UNCOMPUTED, f"it is never computed, and stays at {_words(figures)}")
    if len(figures) == 1 and (look.moved(look.all) or look.keeps):
        return _kept(look, figures)
    if _is_stale(look):
        return Updates(STALE, "it is that of the previous pass")
    if _is_late(look):
        return Updates(ONCE_A_PASS, "it is updated once a pass, and late")
    if _is_early(look):
        return Updates(ONCE_A_PASS, "it is updated once a pass, at its beginning")
    if _is_once(look):
        return Updates(ONCE_A_PASS, "it is updated once a pass, although the bandwidth changes more often")
    return None


def _kept(look: _Look, figures: Sequence[float]) -> Updates:
    """Passes that are all alike do not show whether a figure is updated once a pass: later ones may."""
    if look.later_figures not in ([], figures):
        return Updates(ONCE_A_PASS, "it is updated once a pass, but not within a pass")
    sentence = f"it stays at {_words(figures)}, although the correct figure changed"
    was_wrong = not all(_was_right_once(look, segment) for segment in look.segments)
    if was_wrong or look.moved(look.segments) or look.saw_a_later_pass:
        return Updates(FROZEN, sentence)
    return Updates(FROZEN, f"{sentence} within a pass: no later pass shows whether it is updated once a pass")


def _is_stale(look: _Look) -> bool:
    correct = (look.is_right(segment.sync, segment.reports, _WINDOWS_APART) for segment in look.segments)
    if look.segments[-1].number == 2 or all(correct) or _are_off_by_one_factor(look):
        return False
    return all(_is_of_the_pass_before(look, segment) for segment in look.segments)


def _is_of_the_pass_before(look: _Look, segment: Segment) -> bool:
    before, runs = look.sync_of.get(segment.number - 1), _runs(segment.reports)
    earlier = _first_sync(segment) if segment.number == 2 else before
    if earlier is not None and look.is_right(earlier, segment.reports):
        return True
    if len(runs) > 1:
        return False
    # A figure that is kept was right in one window, the last one, whose bandwidth may differ from that of the others.
    figure = float(runs[0].expected_ms[0])
    if before is not None:
        last = before.divisor_of(before.after.samples)[-1:]
        return look.is_right(before, segment.reports, _WINDOWS_APART) or _was_right(look, before, figure, last)
    return look.begins_with(figure) or figure == _before(segment)


def _first_sync(segment: Segment) -> Sync | None:
    """The sync of the second pass as if all of RAM had been left at it, as at the first; None if that is not known."""
    all_bytes = segment.sync.after.samples[-1].total_bytes
    if not all_bytes:
        return None
    return msgspec.structs.replace(segment.sync, at_sync_bytes=Interval(all_bytes, all_bytes), likely_bytes=all_bytes)


def _are_off_by_one_factor(look: _Look) -> bool:
    """Whether the reports of all passes are off by the same factor; if each pass is shorter by it, they also are those
    of the pass before.
    """
    errors = [segment.fits[look.contract].error for segment in look.segments]
    return max(errors) - min(errors) <= look.tolerance * (1 + min(errors))


def _was_right(look: _Look, sync: Sync, figure: float, bytes_per_ms: Floats) -> bool:
    """Whether a figure is what `last-sync` gives in the pass that this sync began, by one of these bandwidths."""
    at_sync_bytes, whole = sync.at_sync_bytes, figure + 1
    right = (figure * bytes_per_ms <= at_sync_bytes.high * (1 + look.tolerance)) & (
        at_sync_bytes.low * (1 - look.tolerance) <= whole * bytes_per_ms
    )
    return look.contract == "last-sync" and bool(right.any())


def _is_late(look: _Look) -> bool:
    """Whether in some pass the report kept the previous pass's figure while QEMU updated its bandwidth, then changed
    once.
    """
    late = False
    for segment in look.segments:
        runs = _runs(segment.reports)
        if len(runs) > 2:
            return False
        if len(runs) == 1:
            continue
        first, last = runs
        standing = first.where(first.t_s > _renewed_s(segment))
        renewed = any(look.is_right(segment.sync, last[row : row + 1]) for row in range(min(MIN_SAMPLES, len(last))))
        if first.expected_ms[0] != _before(segment) or len(standing) < MIN_SAMPLES or not renewed:
            return False
        late = late or not look.is_right(segment.sync, standing)
    return late


def _is_early(look: _Look) -> bool:
    """Whether each pass has one figure, right at its start, that stays even when the bandwidth changes."""
    if look.rest is None or any(len(_runs(segment.reports)) > 1 for segment in look.all):
        return False
    if look.rest.reports.expected_ms[0] != look.segments[-1].reports.expected_ms[0]:
        return False
    return all(look.is_right(segment.sync, segment.reports, _WINDOWS_APART) for segment in look.segments)


def _is_once(look: _Look) -> bool:
    """Whether the report changes at most once in each pass, to what was right in one of its windows, and is kept while
    the bandwidth changes.
    """
    if all(_is_of_the_pass_before(look, segment) for segment in look.segments):
        return False
    if any(len(_runs(segment.reports)) > 2 or not _was_right_once(look, segment) for segment in look.segments):
        return False
    return look.keeps


def _was_right_once(look: _Look, segment: Segment) -> bool:
    figure, divisors = float(segment.reports.expected_ms[-1]), segment.sync.divisor_of(segment.sync.after.samples)
    return _was_right(look, segment.sync, figure, divisors)


def _is_kept(sync: Sync, run: Reports) -> bool:
    """Whether several reports show another bandwidth than the first, by which the figure cannot be the same."""
    bandwidth = sync.divisor_of(run.samples)[run.rows]
    rounding = 1 / max(float(run.expected_ms[0]), 1.0)
    changed = np.abs(bandwidth / bandwidth[0] - 1) >= _WINDOWS_APART + rounding
    return int(np.count_nonzero(changed)) >= MIN_SAMPLES


def _runs(reports: Reports) -> list[Reports]:
    """The reports split into runs of the same figure."""
    begins = [0, *(np.flatnonzero(np.diff(reports.expected_ms)) + 1).tolist(), len(reports)]
    return [reports[begin:end] for begin, end in pairwise(begins)]


def _before(segment: Segment) -> float | None:
    """The last report of the previous pass."""
    return segment.sync.before.samples[-1].expected_downtime_ms


def _renewed_s(segment: Segment) -> float:
    """When QEMU must have updated its figures in the pass: it updates all at once, after each window of sending."""
    samples, first = segment.sync.after.samples, segment.sync.after.first
    sent_bytes = (samples.sent_pages - first.sent_pages) * samples.page_bytes
    renewed = (samples.mbps != first.mbps) | (sent_bytes > _WINDOWS * BUFFER_DELAY_MS * samples.wire_bytes_per_ms)
    return float(samples.t_s[renewed.argmax()]) if renewed.any() else np.inf


def _words(figures: Sequence[float]) -> str:
    return " or ".join(f"{figure:.10g} ms" for figure in figures)
