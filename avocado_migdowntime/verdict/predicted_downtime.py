# SPDX-License-Identifier: GPL-2.0-or-later
"""Was the guest down as long as QEMU had predicted, for a migration over a link that really is that slow?

QEMU lifts `max-bandwidth` once the guest is stopped, so on other links the downtime is unrelated to the prediction.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..oracle.evidence import Evidence
from ..oracle.reports import computes_something
from ..trace.ram import number
from .check import Check, Outcome
from .codes import DOWNTIME
from .downtime import Downtime

FIXED_DOWNTIME_MS = "fixed_downtime_ms"
"""Header key of a trace over a really slow link: the downtime of an idle guest on it."""
DOWNTIME_TOLERANCE = 0.1
"""The relative difference allowed between the downtime, less the devices' part, and the prediction."""


class PredictionJudgement(StrEnum):
    """Was the guest down as long as predicted?"""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNDECIDED = "undecided"
    """QEMU had computed its prediction in an unusual window, which may be the only reason."""


@dataclass(frozen=True)
class PredictedDowntime:
    """QEMU's last prediction before the switchover, and how long the guest was down then, in milliseconds.

    `fixed_ms` is what device state and the switchover itself take, measured on the same guest while idle. `error` is
    (`down_ms` - `fixed_ms`) ÷ `predicted_ms` - 1. `limit_ms` is the downtime-limit in force. `window` is how much more
    was sent in the window of the last prediction than in the median window, as a share.
    """

    predicted_ms: float
    down_ms: float
    fixed_ms: float
    limit_ms: float | None
    error: float
    window: float = 0.0

    @property
    def judgement(self) -> PredictionJudgement:
        """Whether the guest was down as long as predicted, in one word."""
        return _JUDGEMENTS[self.check.outcome]

    @property
    def reason(self) -> str:
        """Why it was not; else an empty text."""
        return self.check.sentence

    @property
    def check(self) -> Check:
        """The check that the downtime matched QEMU's prediction, and the limit."""
        down = f"the guest was down for {self.down_ms:.0f} ms, {self.fixed_ms:.0f} ms of them for its devices, but"
        odd = abs(self.window) > DOWNTIME_TOLERANCE
        why = f"; it had sent {self.window:+z.0%} in that window, which may be why"
        if abs(self.error) > DOWNTIME_TOLERANCE:
            sentence = f"{down} QEMU predicted {self.predicted_ms:.0f} ms: {self.error:+z.0%}"
            if odd and abs((1 + self.error) / (1 + self.window) - 1) <= abs(self.window):
                return Check(DOWNTIME, Outcome.UNDECIDED, "odd-window", sentence + why)
            return Check(DOWNTIME, Outcome.FAILED, "not-as-reported", sentence)
        above = (self.down_ms - self.fixed_ms) / (1 + DOWNTIME_TOLERANCE)
        if self.limit_ms is not None and above > self.limit_ms:
            sentence = f"{down} the downtime-limit was {self.limit_ms:.10g} ms"
            if odd and above <= self.limit_ms * (1 + self.window):
                return Check(DOWNTIME, Outcome.UNDECIDED, "odd-window", sentence + why)
            return Check(DOWNTIME, Outcome.FAILED, "above-the-limit", sentence)
        return Check(DOWNTIME, Outcome.PASSED, "match")


_JUDGEMENTS = {
    Outcome.PASSED: PredictionJudgement.MATCH,
    Outcome.FAILED: PredictionJudgement.MISMATCH,
    Outcome.UNDECIDED: PredictionJudgement.UNDECIDED,
}


def judge_predicted_downtime(evidence: Evidence, down: Downtime | None) -> PredictedDowntime | None:
    """Whether the last report before the switchover came true; None if there is nothing to compare.

    Raises UsageError if the header is malformed.
    """
    header = evidence.trace.header
    if down is None or down.qemu_ms is None or FIXED_DOWNTIME_MS not in header:
        return None
    last_report = _last_report(evidence)
    if last_report is None:
        return None
    predicted_ms, window = last_report
    fixed_ms = number(header, FIXED_DOWNTIME_MS)
    return PredictedDowntime(
        predicted_ms=predicted_ms,
        down_ms=down.qemu_ms,
        fixed_ms=fixed_ms,
        limit_ms=evidence.limits.at(evidence.stopped_s),
        error=(down.qemu_ms - fixed_ms) / predicted_ms - 1,
        window=window,
    )


def _last_report(evidence: Evidence) -> tuple[float, float] | None:
    """The last computed report before the guest was stopped, and how much more than the median its window sent."""
    samples = evidence.samples
    candidates = samples.are("active") & samples.has_ram & (samples.answered_s < evidence.stopped_s)
    rows = np.flatnonzero(candidates & (samples.expected_downtime_ms > 0) & computes_something(samples))
    if not rows.size:
        return None
    mbps = samples.mbps[rows]
    return float(samples.expected_downtime_ms[rows[-1]]), float(mbps[-1] / np.median(mbps)) - 1
