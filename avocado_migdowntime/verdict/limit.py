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
from ..oracle.passes import Pass
from ..oracle.syncs import Sync
from ..trace.samples import Floats
from .blind import why_blind
from .check import Check, Outcome
from .codes import CODES, LIMIT
from .limit_at_switchover import BURST_MS, Ending, switchover_end
from .looks import stride_bytes, works_as_ms

SLACK = 0.05
"""Share of the limit by which the bandwidth may have moved since QEMU computed its threshold."""
RESOLVED = 0.25
"""An effective limit is given as a figure where its interval is narrower than this share of it."""
_FEW = 0.1
"""Zero pages that would fill such a share of a window are few: of more, nobody knows where the look came."""
_ALIKE = 1.5
"""Pass ends whose intervals are so many times as wide as the narrowest, at most, tell as much as that."""
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
    switchover = switchover_end(evidence, passes, syncs)
    violation = switchover if switchover and switchover.code else _went_on(syncs)
    if violation is None and wrong_ends > OFTEN * ends:
        violation = first_wrong
    if violation is not None:
        return finding(violation.code, reason=violation.reason)
    if ends > wrong_ends or switchover is not None:
        return finding("respected")
    if in_mid_pass:
        return finding("auto-converge", reason=CODES[LIMIT]["auto-converge"])
    reason = "no end of a pass was seen closely enough to show the effective downtime-limit"
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


def _pass_end(evidence: Evidence, sync: Sync) -> Ending | None:
    """What the end of a pass shows, or None where it was not seen closely enough."""
    unsent, limit = sync.unsent_bytes, sync.limit_bytes
    assert limit is not None
    page_bytes = sync.before.last.page_bytes
    least, most = limit.low * (1 - SLACK), limit.high * (1 + SLACK)
    burst = BURST_MS * sync.wire_bytes_per_ms.high
    is_limit = f"the downtime-limit is {sync.limit_ms:.10g} ms"
    if unsent.low > most + page_bytes:
        return Ending("ended-early", f"a pass ended with {sync.unsent_ms.low:.0f} ms still unsent, but {is_limit}")
    if unsent.high > most + burst:
        return None
    if unsent.high + burst >= least:
        return Ending()
    if unsent.high + burst + max(stride_bytes(evidence, page_bytes), sync.zero_bytes) >= least:
        return None
    reason = f"a pass went on until {sync.unsent_ms.high:.0f} ms were unsent although {is_limit}"
    return Ending("went-on-in-a-pass", reason)


def _went_on(syncs: Sequence[Sync]) -> Ending | None:
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
        f"QEMU went on {early} times although at most {most_ms:.0f} ms were left at a sync and the downtime-limit is "
        f"{limit_ms:.10g} ms"
    )
    return Ending("went-on-at-a-sync", reason)
