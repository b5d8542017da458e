# SPDX-License-Identifier: GPL-2.0-or-later
"""Was the guest down for as long as QEMU had said, where the migration ran over a link that is really that slow?

`max-bandwidth` is lifted once the guest is stopped, so elsewhere a downtime has nothing to do with what was expected.
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
"""Key of a trace's header, where the link is really slow: what an idle guest's downtime on it was."""
DOWNTIME_TOLERANCE = 0.1
"""The downtime may be so much longer or shorter than what was said, less what devices take."""


class PredictionJudgement(StrEnum):
    """Was the guest down for as long as was said?"""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNDECIDED = "undecided"
    """QEMU had computed what it said in a window unlike the others, and that may be all."""


@dataclass(frozen=True)
class PredictedDowntime:
    """What QEMU said last before the switchover, and how long the guest was down then, milliseconds.

    `fixed_ms` is what the state of devices and the switchover itself take, measured on the same guest while idle;
    `error` is (`down_ms` - `fixed_ms`) ÷ `predicted_ms` - 1. `limit_ms` is the downtime-limit that held then. `window`
    is how much more was sent in the window of what was said last than in the median of all samples: a share.
    """

    predicted_ms: float
    down_ms: float
    fixed_ms: float
    limit_ms: float | None
    error: float
    window: float = 0.0

    @property
    def judgement(self) -> PredictionJudgement:
        """Whether the guest was down for as long as was said, in one word."""
        return _JUDGEMENTS[self.check.outcome]

    @property
    def reason(self) -> str:
        """Why it was not, else an empty text."""
        return self.check.sentence

    @property
    def check(self) -> Check:
        """Whether the downtime was what QEMU had said, and within the limit."""
        down = f"the guest was down for {self.down_ms:.0f} ms, {self.fixed_ms:.0f} ms of them for its devices, but"
        odd = abs(self.window) > DOWNTIME_TOLERANCE
        why = f"; it had sent {self.window:+.0%} in that window, which may be why"
        if abs(self.error) > DOWNTIME_TOLERANCE:
            sentence = f"{down} QEMU predicted {self.predicted_ms:.0f} ms: {self.error:+.0%}"
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

    Raises UsageError if the header is not as the harness writes it.
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
    """The last report before the guest was stopped that QEMU can have computed, and how much more its window sent."""
    samples = evidence.samples
    candidates = samples.are("active") & samples.has_ram & (samples.answered_s < evidence.stopped_s)
    rows = np.flatnonzero(candidates & (samples.expected_downtime_ms > 0) & computes_something(samples))
    if not rows.size:
        return None
    mbps = samples.mbps[rows]
    return float(samples.expected_downtime_ms[rows[-1]]), float(mbps[-1] / np.median(mbps)) - 1
