# SPDX-License-Identifier: GPL-2.0-or-later
"""The result for one recorded migration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..basics.interval import Interval
from ..trace.cpu import CpuUse
from ..trace.samples import Floats
from .bandwidth import BandwidthFinding
from .blocktime import BlocktimeFinding
from .cap import CapFinding
from .carried import CarriedFinding
from .check import Check, Outcome, passed
from .downtime import Downtime, Integrity
from .limit import LimitFinding, LimitJudgement
from .mid_pass_stop import GroundTruth, MidPassStop
from .pending import PendingFinding
from .predicted_downtime import PredictedDowntime
from .switchover import SwitchoverFinding
from .throttle import ThrottleFinding
from .trials import Convergence


class Judgement(StrEnum):
    """Is the reported expected-downtime what the contract says?"""

    ACCURATE = "accurate"
    INACCURATE = "inaccurate"
    INCONCLUSIVE = "inconclusive"


_JUDGEMENTS = {Outcome.PASSED: Judgement.ACCURATE, Outcome.FAILED: Judgement.INACCURATE}


@dataclass(frozen=True)
class Verdict:
    """The answer for one trace, and what it is based on.

    `report` is the check of expected-downtime against the formula `contract`, within the relative `tolerance`, `limit`
    that of downtime-limit; `formula` is the name of the formula that QEMU used, or None.
    `relative_error` is reported ÷ oracle - 1, its median over the judged passes; the oracle is the contract's
    formula, computed from the bytes left at each sync. Intervals include what sampling could not see, and the
    truncation of the report to whole milliseconds. `samples_dropped` counts dropped samples by reason, `dropped_at_s`
    has their times. The first of the `reasons` explains `verdict`.
    For a single sample, `left_now_ms` is bytes left now ÷ bandwidth, a lower bound of the expected figure.
    `era` is a sentence if this release of QEMU is not one of those that use `formula`.
    `subject` says what was migrated. If the migration completed, `integrity` is the check of the guest's memory and
    `downtime` its real downtime. `convergence` is the effect of the limits tried, `predicted_downtime` compares the
    downtime with QEMU's prediction, and `stop` is the result of stopping the guest in mid-pass, if a test did that.
    `is_cap_lifted`: max-bandwidth limited the bandwidth in `expected_ms`, and QEMU lifted it at the switchover.
    For more than one sample, `bandwidth` compares `mbps` with the bytes sent (which replace it if it is wrong), `cap`
    checks max-bandwidth, and `switchover` checks that QEMU switched over after a sync. `transferred` compares QEMU's
    figure with the link's own counters, if there are any; `pending` checks QEMU 11.1's pending bytes, and has those of
    devices; `throttle` checks the steps of auto-converge.
    `cpu` has, by side, the CPUs that its QEMU used until the guest was stopped, if that was recorded.
    """

    report: Check
    contract: str
    limit: LimitFinding
    tolerance: float | None = None
    formula: str | None = None
    reported_ms: float | None = None
    expected_ms: float | None = None
    is_cap_lifted: bool = False
    left_now_ms: float | None = None
    relative_error: float | None = None
    relative_error_interval: Interval | None = None
    passes: int = 0
    downtime_limit_ms: float | None = None
    samples_used: int = 0
    samples_dropped: Mapping[str, int] = field(default_factory=dict)
    dropped_at_s: Mapping[str, Floats] = field(default_factory=dict, compare=False)
    reasons: tuple[str, ...] = ()
    era: str = ""
    subject: str = ""
    integrity: Integrity | None = None
    downtime: Downtime | None = None
    convergence: Convergence | None = None
    predicted_downtime: PredictedDowntime | None = None
    stop: MidPassStop | None = None
    bandwidth: BandwidthFinding | None = None
    cap: CapFinding | None = None
    switchover: SwitchoverFinding | None = None
    pending: PendingFinding | None = None
    throttle: ThrottleFinding | None = None
    transferred: CarriedFinding | None = None
    blocktime: BlocktimeFinding | None = None
    cpu: Mapping[str, CpuUse] = field(default_factory=dict)

    @property
    def verdict(self) -> Judgement:
        """Whether the report is accurate, in one word."""
        return _JUDGEMENTS.get(self.report.outcome, Judgement.INCONCLUSIVE)

    @property
    def limit_verdict(self) -> LimitJudgement:
        """Whether the downtime-limit was respected, in one word."""
        return self.limit.judgement

    @property
    def ground_truth(self) -> GroundTruth | None:
        """How long the guest that was stopped in mid-pass was down, if one was."""
        return self.stop.truth if self.stop is not None else None

    @property
    def checks(self) -> tuple[Check, ...]:
        """All checks that were made; the most important ones for a user come first."""
        of_guest = (self.integrity, self.downtime, self.predicted_downtime, self.stop)
        of_qemu = (self.limit, self.switchover, self.bandwidth, self.transferred, self.cap, self.pending, self.throttle)
        parts = (self.convergence, *of_qemu, self.blocktime, *of_guest)
        checks = [part.check for part in parts if part is not None]
        return (*checks[: int(self.convergence is not None)], self.report, *checks[int(self.convergence is not None) :])

    def check(self, name: str) -> Check | None:
        """The check of that name; None if it was not made."""
        return next((check for check in self.checks if check.name == name), None)

    @property
    def passed(self) -> bool | None:
        """True if every required check passed, False for any fault, None if inconclusive."""
        return passed(self.checks)
