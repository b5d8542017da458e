# SPDX-License-Identifier: GPL-2.0-or-later
"""The expected outcome of a run on a QEMU with a known fault."""

from dataclasses import dataclass

from ..errors import MigDowntimeError
from ..verdict.check import Outcome
from ..verdict.codes import BANDWIDTH, CAP, THROTTLE
from ..verdict.judge import REPORT_TOLERANCE
from ..verdict.limit import LimitJudgement
from ..verdict.updates import FROZEN, ONCE_A_PASS, STALE, UNCOMPUTED
from ..verdict.verdict import Judgement, Verdict
from .catalogue import KIB_AS_KB, NamedFault, positive

ERROR_TOLERANCE = 0.004
"""The found relative error may differ from the fault's by this much: both come from whole milliseconds.

A larger difference is accepted if the error's interval contains the fault's. That happens with multifd, of whose bytes
512 KiB may be uncertain.
"""
_NAMES_IN_VERDICTS = {
    "dirty-rate": "dirty-rate",
    "redirty": "redirty",
    "live": "live",
    "frozen": FROZEN,
    "stale": STALE,
    "once-a-pass": ONCE_A_PASS,
    "uncomputed": UNCOMPUTED,
    "zero": UNCOMPUTED,
}
"""The formula that a verdict should name for a fault of the figure."""
_UPDATE_FAULTS = (FROZEN, ONCE_A_PASS, STALE, UNCOMPUTED)
_FAILED_CHECKS = {
    "mbps-halved": (BANDWIDTH, "not-as-sent"),
    "bandwidth-cap-ignored": (CAP, "not-kept"),
    "auto-converge-ignored": (THROTTLE, "not-slowed"),
    "throttle-step-ignored": (THROTTLE, "another-step"),
}
"""The check that another fault should fail, and its code."""
_LIMIT_FAULTS = ("limit-ignored", "limit-factor")


@dataclass(frozen=True)
class Expectation:
    """A verdict with one of these `judgements`, or an error that names the `missing` field.

    If `failed` is given, that check must have failed with that code, and nothing else matters. If given, `formula` must
    be named, `error` be found, and the limit be `violated`; without a `formula`, no fault of the updates may be named.
    A violated limit is enough, whatever is said about the report.
    """

    judgements: tuple[Judgement, ...] = ()
    formula: str = ""
    error: float | None = None
    violated: bool = False
    missing: str = ""
    failed: tuple[str, str] = ("", "")

    def __str__(self) -> str:
        if self.missing:
            return f"an error that names {self.missing!r}"
        if any(self.failed):
            return ": ".join(self.failed)
        if self.violated:
            return "downtime-limit violated"
        text = " or ".join(self.judgements)
        if self.error is not None:
            text += f" by {self.error:+z.1%}"
        return text + (f", as {self.formula}" if self.formula else "")

    def met_by(self, outcome: Verdict | MigDowntimeError) -> bool:
        """Whether `outcome` is as expected."""
        if isinstance(outcome, MigDowntimeError):
            return bool(self.missing) and repr(self.missing) in str(outcome)
        if any(self.failed):
            check = outcome.check(self.failed[0])
            return check is not None and (check.outcome, check.code) == (Outcome.FAILED, self.failed[1])
        violated = outcome.limit_verdict is LimitJudgement.VIOLATED
        if self.missing or self.violated != violated:
            return False
        if self.violated:
            return True
        formula_fits = outcome.formula == self.formula if self.formula else outcome.formula not in _UPDATE_FAULTS
        return outcome.verdict in self.judgements and formula_fits and self._has_its_error(outcome)

    def left_open_by(self, outcome: Verdict) -> bool:
        """Whether the result is undecided, so that another attempt may decide it."""
        if any(self.failed):
            check = outcome.check(self.failed[0])
            return check is not None and check.outcome in (Outcome.UNDECIDED, Outcome.NOT_JUDGED)
        if self.violated and outcome.limit_verdict is LimitJudgement.INCONCLUSIVE:
            return True
        return outcome.verdict is Judgement.INCONCLUSIVE

    def _has_its_error(self, outcome: Verdict) -> bool:
        if self.error is None:
            return True
        error, interval = outcome.relative_error, outcome.relative_error_interval
        if error is not None and abs(error - self.error) < ERROR_TOLERANCE * max(1, 1 + self.error):
            return True
        return interval is not None and interval.low <= self.error <= interval.high


def expectation(fault: NamedFault) -> Expectation:
    """The outcome that this fault must have."""
    inaccurate = (Judgement.INACCURATE,)
    if fault.name in _NAMES_IN_VERDICTS:
        return Expectation(inaccurate, formula=_NAMES_IN_VERDICTS[fault.name])
    if fault.name == "factor" and abs(error := positive(fault.value) - 1) > REPORT_TOLERANCE:
        return Expectation(inaccurate, error=error)
    if fault.name == "kb":
        return Expectation(inaccurate, error=KIB_AS_KB - 1)
    if fault.name in _LIMIT_FAULTS:
        return Expectation(violated=True)
    if fault.name in _FAILED_CHECKS:
        return Expectation(failed=_FAILED_CHECKS[fault.name])
    if fault.name == "missing":
        return Expectation(missing=fault.value)
    if fault.name == "late":
        return Expectation((Judgement.ACCURATE, Judgement.INCONCLUSIVE))
    return Expectation((Judgement.ACCURATE,))


def in_words(outcome: Verdict | MigDowntimeError) -> str:
    """An outcome in the words of an Expectation."""
    if isinstance(outcome, MigDowntimeError):
        return f"an error: {outcome}"
    text = str(outcome.verdict)
    if outcome.verdict is Judgement.INACCURATE and outcome.relative_error is not None:
        text += f" by {outcome.relative_error:+z.1%}"
    if outcome.formula and outcome.formula != outcome.contract:
        text += f", as {outcome.formula}"
    if outcome.limit_verdict is LimitJudgement.VIOLATED:
        text += ", downtime-limit violated"
    failed = (check for check in outcome.checks if check.name in (BANDWIDTH, CAP, THROTTLE))
    return text + "".join(f", {check.name}: {check.code}" for check in failed if check.outcome is Outcome.FAILED)
