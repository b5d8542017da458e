# SPDX-License-Identifier: GPL-2.0-or-later
"""Was the guest down for as long as QEMU had said, where the migration ran over a link that is really that slow?

`max-bandwidth` is lifted once the guest is stopped, so elsewhere a downtime has nothing to do with what was expected.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..oracle.evidence import Evidence
from ..oracle.reports import computes_nothing
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


@dataclass(frozen=True)
class PredictedDowntime:
    """What QEMU said last before the switchover, and how long the guest was down then, milliseconds.

    `fixed_ms` is what the state of devices and the switchover itself take, measured on the same guest while idle;
    `error` is (`down_ms` - `fixed_ms`) ÷ `predicted_ms` - 1. `limit_ms` is the downtime-limit that held then.
    """

    predicted_ms: float
    down_ms: float
    fixed_ms: float
    limit_ms: float | None
    error: float

    @property
    def judgement(self) -> PredictionJudgement:
        """Whether the guest was down for as long as was said, in one word."""
        return PredictionJudgement.MATCH if self.check.outcome is Outcome.PASSED else PredictionJudgement.MISMATCH

    @property
    def reason(self) -> str:
        """Why it was not, else an empty text."""
        return self.check.sentence

    @property
    def check(self) -> Check:
        """Whether the downtime was what QEMU had said, and within the limit."""
        down = f"the guest was down for {self.down_ms:.0f} ms, {self.fixed_ms:.0f} ms of them for its devices, where"
        if abs(self.error) > DOWNTIME_TOLERANCE:
            sentence = f"{down} QEMU had said {self.predicted_ms:.0f} ms: {self.error:+.0%}"
            return Check(DOWNTIME, Outcome.FAILED, "not-as-reported", sentence)
        if self.limit_ms is not None and self.down_ms - self.fixed_ms > self.limit_ms * (1 + DOWNTIME_TOLERANCE):
            sentence = f"{down} the downtime-limit was {self.limit_ms:g} ms"
            return Check(DOWNTIME, Outcome.FAILED, "above-the-limit", sentence)
        return Check(DOWNTIME, Outcome.PASSED, "match")


def judge_predicted_downtime(evidence: Evidence, down: Downtime | None) -> PredictedDowntime | None:
    """What became of the last report before the switchover, or None where there is nothing to compare.

    Raises UsageError where the header is not as a harness writes it.
    """
    header = evidence.trace.header
    if down is None or down.qemu_ms is None or FIXED_DOWNTIME_MS not in header:
        return None
    predicted_ms = _reported_last_ms(evidence)
    if not predicted_ms:
        return None
    fixed_ms = number(header, FIXED_DOWNTIME_MS)
    return PredictedDowntime(
        predicted_ms=predicted_ms,
        down_ms=down.qemu_ms,
        fixed_ms=fixed_ms,
        limit_ms=evidence.limits.at(evidence.stopped_s),
        error=(down.qemu_ms - fixed_ms) / predicted_ms - 1,
    )


def _reported_last_ms(evidence: Evidence) -> float | None:
    """The last report before the guest was stopped that QEMU can have computed."""
    samples = evidence.samples
    candidates = samples.are("active") & samples.has_ram & (samples.answered_s < evidence.stopped_s)
    candidates &= samples.expected_downtime_ms > 0
    for row in reversed(np.flatnonzero(candidates).tolist()):
        sample = samples[row]
        if sample.ram is not None and not computes_nothing(sample.ram):
            return sample.expected_downtime_ms
    return None
