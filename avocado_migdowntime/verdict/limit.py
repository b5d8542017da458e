# SPDX-License-Identifier: GPL-2.0-or-later
"""Does QEMU end its passes, and switch over, where downtime-limit says?

QEMU checks what is left between two bursts of sending. A burst fills one window of its rate limit, 100 ms
(migration/migration.c: BUFFER_DELAY), or takes 50 ms without a rate limit (migration/ram.c: MAX_WAIT). So a correct
QEMU ends a pass with what the limit allows, or up to one burst less.

On RAM backed by hugepages QEMU waits for the next window in the middle of a hugepage, so it does not notice a full
window. It checks after the first hugepage of a round if that took 50 ms, otherwise only every 64 hugepages
(migration/ram.c: ram_save_host_page, ram_save_iterate): 128 MiB of 2 MiB pages. So passes may end with a whole hugepage
left, or with nothing left, whatever downtime-limit says. Both were seen, the latter on 7.2, 10.0 and 11.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np

from ..basics.interval import Interval
from ..oracle.evidence import Evidence
from ..oracle.passes import Pass
from ..oracle.syncs import Sync
from ..trace.samples import Floats
from .blind import why_blind
from .check import Check, Outcome
from .codes import CODES, LIMIT
from .limit_at_switchover import switchover_end
from .pass_ends import PassEnds

RESOLVED = 0.25
"""An effective limit is given as a figure if its interval is narrower than this share of it."""
_ALIKE = 1.5
"""Pass ends whose intervals are at most this factor wider than the narrowest count as equally informative."""
OFTEN = 0.25
"""The share of the pass ends seen that must be wrong: a single one may be due to a bandwidth that sampling missed."""


class LimitJudgement(StrEnum):
    """Did QEMU end passes and switch over where downtime-limit says?"""

    RESPECTED = "respected"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"


_VIOLATIONS = ("ended-early", "went-on-in-a-pass", "went-on-at-a-sync", "switched-over-early")
_JUDGEMENTS = {Outcome.PASSED: LimitJudgement.RESPECTED, Outcome.FAILED: LimitJudgement.VIOLATED}


@dataclass(frozen=True)
class LimitFinding:
    """Whether the effective downtime-limit is the configured one, by a `code` of the check. All limits are in ms.

    `effective_limit_interval_ms` is where the effective limit lies, `effective_limit_ms` its middle if that is narrow.
    `unsent_ms` is what the passes seen most closely ended with. `reason` says why the limit was not respected, or why
    that is unknown.
    """

    code: str
    effective_limit_ms: float | None = None
    effective_limit_interval_ms: Interval | None = None
    unsent_ms: Interval | None = None
    reason: str = ""

    @property
    def check(self) -> Check:
        """The check that QEMU ends passes and switches over where downtime-limit says."""
        if self.code == "respected":
            return Check(LIMIT, Outcome.PASSED, self.code)
        if self.code in _VIOLATIONS:
            return Check(LIMIT, Outcome.FAILED, self.code, f"downtime-limit is violated: {self.reason}")
        return Check(LIMIT, Outcome.NOT_JUDGED, self.code, self.reason)

    @property
    def is_open(self) -> bool:
        """Whether nothing was found out about the limit in force at the beginning."""
        return self.check.outcome is Outcome.NOT_JUDGED and self.unsent_ms is None and self.effective_limit_ms is None

    @property
    def judgement(self) -> LimitJudgement:
        """The same in one word."""
        return _JUDGEMENTS.get(self.check.outcome, LimitJudgement.INCONCLUSIVE)


def judge_limit(evidence: Evidence, passes: Sequence[Pass], syncs: Sequence[Sync]) -> LimitFinding:
    """Compare where these passes ended, and where the switchover came, with the limit in force."""
    blind = why_blind(evidence)
    ends = PassEnds.of(evidence, syncs, are_judged=not blind)
    interval = _in_common(ends.works_as_ms)
    effective = interval.middle if interval and interval.width <= RESOLVED * interval.middle else None
    finding = partial(
        LimitFinding,
        effective_limit_ms=effective,
        effective_limit_interval_ms=interval,
        unsent_ms=_hull(_narrower_half(ends.unsent_ms)),
    )
    if blind:
        return finding(blind, reason=CODES[LIMIT][blind])
    switchover = switchover_end(evidence, passes, ends.last_sync)
    violation = switchover if switchover and switchover.code else ends.went_on
    if violation is None and ends.wrong > OFTEN * ends.seen:
        violation = ends.first_wrong
    if violation is not None:
        return finding(violation.code, reason=violation.reason)
    if ends.unclear:
        return finding(ends.unclear, reason=CODES[LIMIT][ends.unclear])
    if ends.seen > ends.wrong or switchover is not None:
        return finding("respected")
    if ends.some_in_mid_pass:
        return finding("auto-converge", reason=CODES[LIMIT]["auto-converge"])
    reason = "no end of a pass was seen closely enough to show the effective downtime-limit"
    return finding("no-end-seen", reason=reason)


def _in_common(ends: Floats) -> Interval | None:
    """The intersection of the narrower intervals; if it is empty, the medians of their bounds."""
    if not len(ends):
        return None
    width = ends[:, 1] - ends[:, 0]
    best = ends[width <= _ALIKE * width.min()]
    low, high = float(best[:, 0].max()), float(best[:, 1].min())
    return Interval(low, high) if low <= high else _median(ends)


def _narrower_half(ends: Floats) -> Floats:
    order = np.argsort(ends[:, 1] - ends[:, 0], kind="stable")
    half: Floats = ends[order[: (len(ends) + 1) // 2]]
    return half


def _median(ends: Floats) -> Interval:
    """The median of each bound over the narrower half of the intervals."""
    low, high = np.median(_narrower_half(ends), axis=0).tolist()
    return Interval(low, high)


def _hull(ends: Floats) -> Interval | None:
    """From the least to the greatest value of all intervals; None if there are none."""
    return Interval(float(ends[:, 0].min()), float(ends[:, 1].max())) if len(ends) else None
