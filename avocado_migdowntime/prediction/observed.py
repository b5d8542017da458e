# SPDX-License-Identifier: GPL-2.0-or-later
"""What a trace shows about the progress of a migration: its syncs, its bandwidth, and the guest's dirtying."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import numpy as np

from ..basics.batches import batches
from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS, BYTES_PER_MS_PER_MBPS
from ..basics.units import rate_in_words
from ..oracle.evidence import Evidence
from ..oracle.passes import MIN_SAMPLES, UPDATE_S, Pass, ram_at
from ..oracle.reports import settling, settling_of
from ..oracle.syncs import Sync
from ..trace.ram import STALLED_S
from ..trace.samples import Floats, Samples
from .dirty_curve import ALIKE, DirtyingCurve, curve, pending_bytes, unsent_bytes
from .narrowing import narrowed
from .precopy import Course, Pending, predict

PAUSE_S = 2.0
"""After a pause this long, the bandwidth at which the migration will continue is unknown."""
FEW_SAMPLES = 10
"""The median of fewer samples may be that of unusual moments."""
APART = 0.1
"""QEMU's shown bandwidth may differ by this share from the rate at which pages were seen to leave."""
_LEAST_WINDOWS, _LEAST_OF_A_TEXT = 4, 2.5
"""Over fewer windows of QEMU's rate limit, the mean rate is not known to APART. For a text, which may have no more,
fewer windows are accepted.
"""
CHANGED = 1.15
"""If bandwidths of passes differ by more than this factor, they are not one bandwidth."""
_SETTLED_S = 2 * UPDATE_S
"""So long after a change of max-bandwidth, QEMU shows the bandwidth of a window after it."""
_UNUSUAL = 2.0
"""A bandwidth that varies by more than this factor may be that of zero pages, or from before a long sync."""


@dataclass(frozen=True, eq=False)
class ObservedPrecopy:
    """The syncs seen between passes, at least one, and the dirtying curve through them.

    `threshold_bytes_per_ms` is the bandwidth by which QEMU multiplies the limit, `wire_bytes_per_ms` the one at which
    it sends. Both are medians over the samples of the last two passes in which QEMU had updated it, and 0 if nothing is
    sent. `still_s` is how long no page left at the end. `timed` are the syncs after a pass whose start is known, so not
    after one in which the recording began. `mbps` are the bandwidths that QEMU showed, since max-bandwidth was
    last changed; `renewed` says whether it updated them within a pass, `shows_cap` whether they are of that
    max-bandwidth.
    """

    evidence: Evidence
    syncs: tuple[Sync, ...]
    timed: tuple[Sync, ...]
    curve: DirtyingCurve
    threshold_bytes_per_ms: float
    wire_bytes_per_ms: float
    still_s: float
    mbps: Floats
    renewed: bool
    shows_cap: bool

    @property
    def doubt(self) -> str:
        """Why it is not known what QEMU compares with the limit, such as the bandwidth; or ''."""
        if self.evidence.samples.hides_devices:
            return "VFIO devices are migrated as well, and no figure shows what is left of them"
        if self.still_s > PAUSE_S:
            return f"no page was sent for the last {self.still_s:.1f} s, so the bandwidth after this pause is unknown"
        if self.evidence.is_held_back:
            return "the bandwidth is still the low one that holds back the first pass"
        if not self.shows_cap:
            return "max-bandwidth was changed just before the end, and QEMU has hardly shown its bandwidth since"
        recent = [pass_ for pass_ in self.evidence.passes if pass_.number > 1][-2:]
        may_be_of_zero_pages = self.syncs[-1].zero_bytes or _unlike(self.evidence.passes[-2:])
        not_renewed = not self.renewed and self.syncs[-1].before.number == 1 and may_be_of_zero_pages
        if not_renewed or _are_mostly_zero(recent):
            return "QEMU has not yet shown its bandwidth for pages that are not zero"
        if self.evidence.trace.readings and (change := _change(self.evidence.passes)):
            return f"the bandwidth changed {change} from one pass to another, and the text does not show why"
        is_text = bool(self.evidence.trace.readings)
        are_few = len(self.mbps) < FEW_SAMPLES
        are_unusual = bool(self.mbps.max(initial=0.0) > _UNUSUAL * self.mbps.min(initial=np.inf))
        if are_few and (is_text or are_unusual) and (unlike := _unlike(recent)):
            return f"only a few answers show a bandwidth, {unlike}, and it is unknown which is typical"
        wire = self.wire_bytes_per_ms
        near = Interval(wire * (1 - APART), wire * (1 + APART))
        rates = _went_bytes_per_ms(recent, _LEAST_OF_A_TEXT if is_text else _LEAST_WINDOWS)
        went = next((rate for rate in (rates if is_text else rates[:1]) if not rate.meets(near)), None)
        if went is None or not wire:
            return ""
        if are_few or are_unusual:
            return (
                f"QEMU shows {rate_in_words(wire)}, but pages were sent at {rate_in_words(went.middle)}: "
                "it is unknown which of these QEMU compares with the limit"
            )
        return ""

    def bandwidth_quantile(self, share: float) -> float:
        """The quantile `share` of the bandwidths by which QEMU multiplied the limit, in bytes per ms."""
        if self.threshold_bytes_per_ms != self.wire_bytes_per_ms:
            return self.threshold_bytes_per_ms
        return float(np.quantile(self._all_mbps, share)) * BYTES_PER_MS_PER_MBPS

    @cached_property
    def _all_mbps(self) -> Floats:
        """The bandwidths that QEMU showed in all passes."""
        return _shown_mbps(self.evidence.passes)[0]

    @property
    def remaining_bytes(self) -> int:
        """Bytes left when the trace ended."""
        return ram_at(self.syncs[-1].after.samples, -1).remaining_bytes

    @property
    def throttle_percent(self) -> Interval:
        """The least and the last percentage of time for which auto-converge stopped the guest's CPUs."""
        passes = [*(sync.before for sync in self.syncs), self.syncs[-1].after]
        percents = np.nan_to_num(np.concatenate([pass_.samples.throttle_percent for pass_ in passes]))
        return Interval(float(percents.min()), float(percents[-1]))

    @property
    def is_first_alone(self) -> bool:
        """Whether the only sync seen is the one that ended the first pass.

        What was unsent then can be any RAM; whether the guest dirties it is not known.
        """
        return all(sync.before.number == 1 for sync in self.syncs)

    def next_bytes(self, pending: Pending) -> float:
        """What the next sync finds, whether a larger limit is set now or at the end of this pass.

        For a steady guest, no more is pending in between than at one of these two moments, nor in later passes. A pass
        may last one window longer than it needs, because QEMU checks only between windows.
        """
        last = self.syncs[-1].after
        at_sync_bytes = pending_bytes(self.syncs[-1])
        limit_ms = self.evidence.limit_ms
        allowed_bytes = unsent_bytes(self.syncs[-1]) if limit_ms is None else limit_ms * self.threshold_bytes_per_ms
        limit_bytes = min(allowed_bytes, at_sync_bytes)
        whole_ms = (at_sync_bytes - limit_bytes) / self.wire_bytes_per_ms
        # If the limit is not known, a pass may end as early as those that were seen.
        least_bytes = at_sync_bytes if limit_ms is None or self.is_first_alone else 0.0
        return max(
            least_bytes,
            pending((last.end_s - self.syncs[-1].at_s) * 1000, self.remaining_bytes),
            pending(whole_ms, limit_bytes),
            pending(whole_ms + BUFFER_DELAY_MS, max(0.0, limit_bytes - BUFFER_DELAY_MS * self.wire_bytes_per_ms)),
        )

    @property
    def surprises(self) -> list[float]:
        """What each sync found ÷ what the curve makes likely; without the sync that ended the first pass."""
        return [
            pending_bytes(sync) / likely
            for sync in self.timed
            if sync.before.number > 1 and (likely := self.curve.likely_pending(sync.length_ms, unsent_bytes(sync)))
        ]

    def course(self, pending: Pending, limit_ms: float, begin: Sync) -> Course:
        """The course from the sync `begin` on, under a limit."""
        return predict(pending, self.wire_bytes_per_ms, pending_bytes(begin), limit_ms, self.threshold_bytes_per_ms)


def observe(evidence: Evidence) -> ObservedPrecopy | None:
    """What an undisturbed migration shows; None if no sync was seen."""
    syncs = evidence.syncs
    syncs = [sync for sync in syncs if min(len(sync.before.samples), len(sync.after.samples)) >= MIN_SAMPLES] or syncs
    if not syncs:
        return None
    syncs = [narrowed(sync) for sync in syncs]
    timed = tuple(sync for sync in syncs if _is_timed(sync, evidence))
    recent = evidence.passes[-2:]
    still_s = _still_s(recent)
    mbps, renewed = _shown_mbps(recent, evidence.last_cap.set_s + _SETTLED_S)
    shows_cap = len(mbps) >= MIN_SAMPLES or not isfinite(evidence.last_cap.set_s)
    if not shows_cap:
        mbps, renewed = _shown_mbps(recent)
    rests = still_s > STALLED_S or _is_idle(recent[-1]) or not len(mbps)
    wire = 0.0 if rests else float(np.median(mbps)) * BYTES_PER_MS_PER_MBPS
    return ObservedPrecopy(
        evidence=evidence,
        syncs=tuple(syncs),
        timed=timed,
        curve=curve(timed or syncs),
        threshold_bytes_per_ms=(evidence.trace.switchover_bytes_per_ms or wire) if wire else 0.0,
        wire_bytes_per_ms=wire,
        still_s=still_s,
        mbps=mbps,
        renewed=renewed,
        shows_cap=shows_cap,
    )


def _is_timed(sync: Sync, evidence: Evidence) -> bool:
    """Whether the start of the pass that this sync ended is known; the first pass starts with the migration, at 0 s."""
    if sync.before.number == 1:
        return sync.before.begin_s <= max((ALIKE - 1) * sync.length_ms / 1000, sync.before.spacing_s)
    return sync.before.begin_s > evidence.passes[0].begin_s


def _shown_mbps(passes: Sequence[Pass], since_s: float = -np.inf) -> tuple[Floats, bool]:
    """The bandwidths above 0 of these passes from `since_s` on, and whether QEMU has updated them within a pass after
    the first.

    Before that they may be those of the first pass, with its zero pages.
    """
    later = [pass_ for pass_ in passes if pass_.number > 1]
    for candidates, renewed in (
        (_settled_mbps(later, since_s), True),
        ([pass_.samples.mbps[pass_.samples.t_s >= since_s] for pass_ in later or passes], False),
    ):
        mbps = np.concatenate([np.empty(0), *candidates])
        if np.any(mbps > 0):
            return mbps[mbps > 0], renewed
    return np.empty(0), False


def _settled_mbps(passes: Iterable[Pass], since_s: float) -> list[Floats]:
    """For each pass, the bandwidths that QEMU updated in it, from `since_s` on."""
    return [
        one.samples.mbps[~early & (one.samples.t_s >= since_s)]
        for some in batches(passes)
        for one, early in zip(some, settling_of(some), strict=True)
    ]


def _are_mostly_zero(passes: Sequence[Pass]) -> bool:
    """Whether more than half of the pages sent in these passes were zero.

    If QEMU syncs in each window, the zero pages of the first pass are sent in later ones.
    """
    if not passes:
        return False
    first, last = passes[0].samples, passes[-1].samples
    zero = float(last.zero_pages[-1] - first.zero_pages[0])
    return zero > float(last.sent_pages[-1] - first.sent_pages[0]) / 2


def _is_idle(pass_: Pass) -> bool:
    """Whether for PAUSE_S nothing was left to send, and nothing was sent."""
    late = pass_.samples[int(pass_.samples.t_s.searchsorted(pass_.end_s - PAUSE_S)) :]
    is_long_enough = pass_.end_s - pass_.begin_s >= PAUSE_S
    return is_long_enough and not np.any(late.remaining_bytes) and not np.any(late.mbps)


def _change(passes: Sequence[Pass]) -> str:
    """The lowest and the highest median bandwidth of passes, if these certainly differ; else ''."""
    mbps_of_passes = [pass_.samples.mbps[~settling(pass_) | (pass_.number > 2)] for pass_ in passes if pass_.number > 1]
    medians = [float(np.median(mbps)) * BYTES_PER_MS_PER_MBPS for mbps in mbps_of_passes if len(mbps)]
    if not medians or max(medians) <= CHANGED * min(medians):
        return ""
    return f"between {rate_in_words(min(medians))} and {rate_in_words(max(medians))}"


def _still_s(passes: Sequence[Pass]) -> float:
    """How long no page was seen to leave at the end although something is left; 0 if not known.

    Samples that are far apart show a pause only if two of them have sent equally much.
    """
    last = ram_at(passes[-1].samples, -1)
    if not last.remaining_bytes:
        return 0.0
    begin_s = end_s = passes[-1].end_s
    for pass_ in reversed(passes):
        same = np.flatnonzero(pass_.samples.sent_pages == last.sent_pages)
        if not len(same):
            break
        begin_s = float(pass_.samples.t_s[same[0]])
        if same[0]:
            break
    return end_s - begin_s


def _unlike(passes: Sequence[Pass]) -> str:
    """The range of bandwidths shown in these passes, also before QEMU updated them; '' if they are alike."""
    all_mbps = np.concatenate([np.empty(0), *(pass_.samples.mbps for pass_ in passes)])
    all_mbps = all_mbps[all_mbps > 0]
    if not len(all_mbps) or all_mbps.max() <= CHANGED * all_mbps.min():
        return ""
    least, most = (rate_in_words(float(mbps) * BYTES_PER_MS_PER_MBPS) for mbps in (all_mbps.min(), all_mbps.max()))
    return f"between {least} and {most}"


def _went_bytes_per_ms(passes: Sequence[Pass], least_windows: float) -> Sequence[Interval]:
    """The rates at which non-zero pages were seen to leave: one for each pass seen long enough, else one for all.

    The last pass comes first. The pause at the start of a pass is left out, because the sync may take long.
    """
    rates = []
    for pass_ in reversed(passes):
        sent_pages = pass_.samples.sent_pages
        begin = max(0, int(np.argmax(sent_pages > sent_pages[0])) - 1)
        if (rate := _between(pass_.samples, begin, pass_.samples, least_windows)) is not None:
            rates.append(rate)
    whole = _between(passes[0].samples, 0, passes[-1].samples, least_windows) if passes and not rates else None
    return [whole] if whole is not None else rates


def _between(first: Samples, row: int, last: Samples, least_windows: float) -> Interval | None:
    """The rate from a sample of `first` to the last sample of `last`; None if they are too close together.

    At either end, a window may be covered only in part.
    """
    lasted_s = float(last.t_s[-1] - first.t_s[row])
    if lasted_s < least_windows * UPDATE_S:
        return None
    pages = (last.sent_pages - last.zero_pages)[-1] - (first.sent_pages - first.zero_pages)[row]
    sent_bytes = max(0.0, float(pages)) * float(last.page_bytes[-1])
    return Interval(sent_bytes / (lasted_s + UPDATE_S) / 1000, sent_bytes / (lasted_s - UPDATE_S) / 1000)
