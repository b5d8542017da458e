# SPDX-License-Identifier: GPL-2.0-or-later
"""Does QEMU end its passes, and switch over, where downtime-limit says?

QEMU looks at what is left between two bursts of sending; a burst fills one window of its rate limit, 100 ms
(migration/migration.c: BUFFER_DELAY), or takes 50 ms without one (migration/ram.c: MAX_WAIT). So a correct QEMU
ends a pass with what the limit allows, less up to one burst.

On RAM backed by hugepages QEMU waits for the next window in the midst of a hugepage, so that it does not notice a full
one. It looks after the first hugepage of a round if that took 50 ms, else only every 64 of them (migration/ram.c:
ram_save_host_page, ram_save_iterate): 128 MiB of 2 MiB pages. So passes may end with a whole hugepage left, or with
nothing whatever downtime-limit says; both were seen, the latter on 7.2, 10.0 and 11.1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..oracle.evidence import Evidence
from ..oracle.passes import EDGE_SAMPLES, UPDATE_S, Pass, ram_at
from ..oracle.syncs import Sync
from ..trace.ram import Ram
from ..trace.samples import Floats
from .blind import why_blind
from .check import Check, Outcome
from .codes import CODES, LIMIT
from .looks import stride_bytes, works_as_ms

BURST_MS = 1.2 * BUFFER_DELAY_MS
"""One window of the rate limit, and the scheduling of a busy host."""
SLACK = 0.05
"""Share of the limit by which the bandwidth may have moved since QEMU computed its threshold."""
RESOLVED = 0.25
"""An effective limit is given as a figure where its interval is narrower than this share of it."""
_FEW = 0.1
"""Zero pages that would fill such a share of a window are few: of more, nobody knows where the look came."""
_ALIKE = 1.5
"""Pass ends whose intervals are so many times as wide as the narrowest, at most, tell as much as that."""
_WINDOWS_SEEN = 3
"""So many windows before the stop have to be seen for the bandwidth that they show."""
OFTEN = 0.25
"""Share of the pass ends seen that have to be wrong: a single one may be a bandwidth that sampling missed."""


class LimitJudgement(StrEnum):
    """Did QEMU end passes and switch over where downtime-limit says?"""

    RESPECTED = "respected"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"


_VIOLATIONS = ("ended-early", "went-on-in-a-pass", "went-on-at-a-sync", "switched-over-early")
_JUDGEMENTS = {Outcome.PASSED: LimitJudgement.RESPECTED, Outcome.FAILED: LimitJudgement.VIOLATED}


@dataclass(frozen=True)
class LimitFinding:
    """Whether the effective downtime-limit is the configured one, by a `code` of the check; milliseconds.

    `effective_limit_interval_ms` is where the effective limit lies, `effective_limit_ms` its middle where that is
    narrow; `unsent_ms` is what the passes ended with that were seen most closely. `reason` says why the limit was not
    respected, or why that cannot be told.
    """

    code: str
    effective_limit_ms: float | None = None
    effective_limit_interval_ms: Interval | None = None
    unsent_ms: Interval | None = None
    reason: str = ""

    @property
    def check(self) -> Check:
        """Whether QEMU ends passes and switches over where downtime-limit says."""
        if self.code == "respected":
            return Check(LIMIT, Outcome.PASSED, self.code)
        if self.code in _VIOLATIONS:
            return Check(LIMIT, Outcome.FAILED, self.code, f"downtime-limit is violated: {self.reason}")
        return Check(LIMIT, Outcome.NOT_JUDGED, self.code, self.reason)

    @property
    def judgement(self) -> LimitJudgement:
        """The same in one word."""
        return _JUDGEMENTS.get(self.check.outcome, LimitJudgement.INCONCLUSIVE)


@dataclass(frozen=True)
class _Ending:
    """What one end of a pass, or the switchover, shows: `code` and `reason` are empty where it is as it should be."""

    code: str = ""
    reason: str = ""


def judge_limit(evidence: Evidence, passes: Sequence[Pass], syncs: Sequence[Sync]) -> LimitFinding:
    """Compare where these passes ended, and the switchover came, with the limit that held."""
    in_mid_pass = any(sync.in_mid_pass for sync in syncs)
    if in_mid_pass:
        syncs = [sync for sync in syncs if not sync.in_mid_pass]
    few_zeros = (sync for sync in syncs if sync.zero_bytes < _FEW * _window_bytes(sync))
    interval = _in_common(_bounds(works_as_ms(evidence, sync) for sync in few_zeros))
    effective = interval.middle if interval and interval.width <= RESOLVED * interval.middle else None
    finding = partial(
        LimitFinding,
        effective_limit_ms=effective,
        effective_limit_interval_ms=interval,
        unsent_ms=_hull(_narrower_half(_bounds(sync.unsent_ms for sync in syncs))),
    )
    if blind := why_blind(evidence):
        return finding(blind, reason=CODES[LIMIT][blind])
    ends, wrong_ends, first_wrong = 0, 0, None
    for sync in syncs:
        if (end := _pass_end(evidence, sync)) is not None:
            ends += 1
            if end.code:
                wrong_ends += 1
                first_wrong = first_wrong or end
    switchover = _switchover(evidence, passes, syncs)
    violation = switchover if switchover and switchover.code else _went_on(syncs)
    if violation is None and wrong_ends > OFTEN * ends:
        violation = first_wrong
    if violation is not None:
        return finding(violation.code, reason=violation.reason)
    if ends > wrong_ends or switchover is not None:
        return finding("respected")
    if in_mid_pass:
        return finding("auto-converge", reason=CODES[LIMIT]["auto-converge"])
    reason = "no end of a pass was seen closely enough to tell the effective downtime-limit"
    return finding("no-end-seen", reason=reason)


def _in_common(ends: Floats) -> Interval | None:
    """What the narrower intervals have in common, or say in the median where they have nothing."""
    if not len(ends):
        return None
    width = ends[:, 1] - ends[:, 0]
    best = ends[width <= _ALIKE * width.min()]
    low, high = float(best[:, 0].max()), float(best[:, 1].min())
    return Interval(low, high) if low <= high else _median(ends)


def _bounds(intervals: Iterable[Interval]) -> Floats:
    """A row for each interval, with its ends: the intervals themselves are too much of very many passes."""
    rows: Floats = np.fromiter(((one.low, one.high) for one in intervals), np.dtype((np.float64, 2)))
    return rows


def _narrower_half(ends: Floats) -> Floats:
    order = np.argsort(ends[:, 1] - ends[:, 0], kind="stable")
    half: Floats = ends[order[: (len(ends) + 1) // 2]]
    return half


def _median(ends: Floats) -> Interval:
    """What the narrower half of the intervals say: the median of each bound."""
    low, high = np.median(_narrower_half(ends), axis=0).tolist()
    return Interval(low, high)


def _hull(ends: Floats) -> Interval | None:
    """From the least to the most of all, or None of none."""
    return Interval(float(ends[:, 0].min()), float(ends[:, 1].max())) if len(ends) else None


def _window_bytes(sync: Sync) -> float:
    return BUFFER_DELAY_MS * sync.wire_bytes_per_ms.high


def _pass_end(evidence: Evidence, sync: Sync) -> _Ending | None:
    """What the end of a pass shows, or None where it was not seen closely enough."""
    unsent, limit = sync.unsent_bytes, sync.limit_bytes
    assert limit is not None
    page_bytes = sync.before.last.page_bytes
    least, most = limit.low * (1 - SLACK), limit.high * (1 + SLACK)
    burst = BURST_MS * sync.wire_bytes_per_ms.high
    is_limit = f"the downtime-limit is {sync.limit_ms:.10g} ms"
    if unsent.low > most + page_bytes:
        return _Ending("ended-early", f"a pass ended with {sync.unsent_ms.low:.0f} ms still unsent where {is_limit}")
    if unsent.high > most + burst:
        return None
    if unsent.high + burst >= least:
        return _Ending()
    if unsent.high + burst + max(stride_bytes(evidence, page_bytes), sync.zero_bytes) >= least:
        return None
    reason = f"a pass went on until {sync.unsent_ms.high:.0f} ms were unsent although {is_limit}"
    return _Ending("went-on-in-a-pass", reason)


def _went_on(syncs: Sequence[Sync]) -> _Ending | None:
    """Passes that began well below the limit, twice or more: each of them should have been the switchover.

    Half the limit is left to devices, whose state QEMU counts as well and query-migrate does not always show.
    """
    early, most_ms, limit_ms = 0, 0.0, None
    for sync in syncs[:-1]:
        if sync.limit_bytes and sync.at_sync_bytes.high < sync.limit_bytes.low / 2 - sync.before.last.page_bytes:
            early, limit_ms = early + 1, sync.limit_ms
            most_ms = max(most_ms, sync.at_sync_bytes.high / sync.bytes_per_ms.low)
    if early < 2:
        return None
    reason = (
        f"QEMU went on {early} times although no more than {most_ms:.0f} ms were left at a sync "
        f"and the downtime-limit is {limit_ms:.10g} ms"
    )
    return _Ending("went-on-at-a-sync", reason)


def _switchover(evidence: Evidence, passes: Sequence[Pass], syncs: Sequence[Sync]) -> _Ending | None:
    """What the switchover shows, or None where there is none or it cannot be told.

    What was left is bounded from below by what was dirtied after the last pass seen, and by what its last sample had
    left that time and bandwidth did not suffice to send before. The guest goes on dirtying between the deciding sync
    and its stop, so only a gross excess is wrong.
    """
    final = evidence.samples[-1]
    if final.status != "completed" or final.ram is None or not passes or _stopped_by_others(evidence, passes[-1]):
        return None
    if not syncs or passes[-1].number != syncs[-1].after.number:
        return _switchover_after_a_lone_pass(evidence, passes[-1])
    sync, last = syncs[-1], passes[-1].last
    elapsed_ms = (final.t_s - passes[-1].end_s) * 1000
    if final.ram.dirty_sync_count > passes[-1].number + 2 or elapsed_ms > 5 * BURST_MS:
        return None
    assert sync.limit_bytes is not None
    wire = max(sync.wire_bytes_per_ms.high, last.wire_bytes_per_ms)
    zeros = (final.ram.zero_pages - last.zero_pages) * last.page_bytes
    left = max(
        final.ram.conserved_bytes - passes[-1].end_bytes,
        last.remaining_bytes - zeros - (elapsed_ms + BURST_MS) * wire,
    )
    if _is_of_the_switchover(evidence, sync, final.ram, wire):
        left = max(left, sync.at_sync_bytes.low)
    allowed, burst = sync.limit_bytes.high, BURST_MS * wire
    if sync.zero_bytes > burst:  # They made the bandwidth that was seen a low one, and QEMU may have renewed it since.
        return None
    return _left_at_switchover(left, left, allowed, burst, sync.bytes_per_ms.high, sync.limit_ms)


def _is_of_the_switchover(evidence: Evidence, sync: Sync, final: Ram, wire: float) -> bool:
    """Whether what was seen after the last sync is no pass, but the switchover itself, with all that the sync found.

    It is, where it was seen for less than a burst and could not have been sent until the stop, as a pass is.
    """
    after, last = sync.after, sync.before.last
    to_stop_ms = (min(evidence.stopped_s, float(evidence.samples.t_s[-1])) - sync.before.end_s) * 1000
    zeros = (final.zero_pages - last.zero_pages) * last.page_bytes
    seen_ms = (after.end_s - after.begin_s) * 1000
    return seen_ms < BURST_MS and sync.at_sync_bytes.low - zeros > (to_stop_ms + BURST_MS) * wire


def _switchover_after_a_lone_pass(evidence: Evidence, last_pass: Pass) -> _Ending | None:
    """The same where no sync before the switchover was seen: by what was sent after the source's stop.

    All that is sent then had been left when QEMU decided to switch over. The last sample before the stop bounds it from
    above; less what bandwidth allows to have gone out until the stop, and less zero pages, it bounds it from below.
    """
    final, limit_ms = evidence.samples[-1].ram, evidence.limit_ms
    assert final is not None and limit_ms is not None
    to_stop_ms = (evidence.stopped_s - last_pass.end_s) * 1000
    if to_stop_ms > 5 * BURST_MS or last_pass.spacing_s >= UPDATE_S:
        return None
    # Up to the second pass the bandwidth that is shown may be that of zero pages, sent before the first sample.
    seen_s = last_pass.end_s - last_pass.begin_s
    if last_pass.number <= 2 and seen_s < _WINDOWS_SEEN * UPDATE_S:
        return None
    samples = last_pass.samples
    recent = int(samples.t_s.searchsorted(last_pass.end_s - _WINDOWS_SEEN * UPDATE_S))
    last, ending = ram_at(samples, -1), samples[-EDGE_SAMPLES:]
    wire = float(ending.wire_bytes_per_ms.max())
    bytes_per_ms, burst = evidence.trace.switchover_bytes_per_ms or wire, BURST_MS * wire
    zeros = (final.zero_pages - float(samples.zero_pages[recent])) * last.page_bytes
    if not bytes_per_ms or zeros > burst:  # Zero pages make the bandwidth that was seen a low one.
        return None
    sent = (final.sent_pages - last.sent_pages) * last.page_bytes
    least = sent - zeros - to_stop_ms * wire - burst
    return _left_at_switchover(least, sent, limit_ms * bytes_per_ms, burst, bytes_per_ms, limit_ms)


def _stopped_by_others(evidence: Evidence, last_pass: Pass) -> bool:
    """Whether the guest may have been stopped for another reason than the switchover: what is left is no fault then.

    The switchover syncs at once, and QEMU answers hardly anything until all is sent, as it holds its big lock.
    """
    samples = evidence.samples
    after = samples.are("active") & samples.has_ram & (samples.t_s > evidence.stopped_s)
    in_the_pass = samples.dirty_sync_count[after] == last_pass.number
    return bool(np.any(in_the_pass) or np.any(samples.t_s[after] > evidence.stopped_s + BURST_MS / 1000))


def _left_at_switchover(
    least: float, most: float, allowed: float, burst: float, bytes_per_ms: float, limit_ms: float | None
) -> _Ending | None:
    """What it shows that between `least` and `most` bytes were left at the switchover, where so many are `allowed`."""
    if least > 2 * allowed + burst:
        reason = (
            f"QEMU switched over with {least / bytes_per_ms:.0f} ms left to send where the downtime-limit is "
            f"{limit_ms:.10g} ms"
        )
        return _Ending("switched-over-early", reason)
    return _Ending() if most <= allowed + burst else None
