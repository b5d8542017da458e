# SPDX-License-Identifier: GPL-2.0-or-later
"""What is found out about one recorded migration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..basics.interval import Interval
from .downtime import Downtime, Integrity
from .limit import LimitJudgement
from .mid_pass_stop import GroundTruth
from .predicted_downtime import Promise, PromiseJudgement
from .trials import Convergence, ConvergenceJudgement


class Judgement(StrEnum):
    """Is the reported expected-downtime what the contract says?"""

    ACCURATE = "accurate"
    INACCURATE = "inaccurate"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Verdict:
    """The answer for one trace, and what it rests on.

    `formula` is the one that QEMU was found to use, by name, or None; `contract` the one it is held to, within the
    relative `tolerance`.
    `relative_error` is reported ÷ oracle - 1, its median over the judged passes; the oracle is the contract's
    formula fed with the bytes that were left at each sync. Intervals hold what sampling could not see, and that
    the report is truncated to whole milliseconds. `samples_dropped` counts samples by the reason, `dropped_at_s` has
    their times. The first of the `reasons` is that for `verdict`; `limit_reason`, among them, is that for a
    `limit_verdict` other than respected.
    `era` says, where it is so, that this release of QEMU is not one of those that compute by `formula`.
    `subject` says what was migrated; `integrity` and `downtime` what came of it, where the migration completed;
    `convergence` what the limits did that were tried on it; `promise` whether the downtime was what had been said;
    `ground_truth` how long the guest was down that was stopped in mid-pass. `open_question` says why the run could not
    answer what it set out to find, where it could not.
    """

    verdict: Judgement
    contract: str
    limit_verdict: LimitJudgement
    tolerance: float | None = None
    formula: str | None = None
    reported_ms: float | None = None
    expected_ms: float | None = None
    relative_error: float | None = None
    relative_error_interval: Interval | None = None
    passes: int = 0
    downtime_limit_ms: float | None = None
    effective_limit_ms: float | None = None
    effective_limit_interval_ms: Interval | None = None
    samples_used: int = 0
    samples_dropped: Mapping[str, int] = field(default_factory=dict)
    dropped_at_s: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    limit_reason: str = ""
    era: str = ""
    subject: str = ""
    integrity: Integrity | None = None
    downtime: Downtime | None = None
    convergence: Convergence | None = None
    promise: Promise | None = None
    ground_truth: GroundTruth | None = None
    open_question: str = ""

    @property
    def guest_survived(self) -> bool:
        """Whether, as far as it was looked at, the guest went on at the destination with all of its memory."""
        silent = self.downtime is not None and self.downtime.silent_s is not None
        return not silent and (self.integrity is None or self.integrity.intact)

    @property
    def passed(self) -> bool | None:
        """True for accurate with the limit not violated, False for any fault, None for inconclusive."""
        if self.verdict is Judgement.INACCURATE or self.limit_verdict is LimitJudgement.VIOLATED:
            return False
        if not self.guest_survived:
            return False
        converged = self.convergence.judgement if self.convergence else ConvergenceJudgement.RIGHT
        broken = self.promise is not None and self.promise.judgement is PromiseJudgement.BROKEN
        if converged is ConvergenceJudgement.WRONG or broken:
            return False
        if self.verdict is not Judgement.ACCURATE or converged is not ConvergenceJudgement.RIGHT or self.open_question:
            return None
        return True
