# SPDX-License-Identifier: GPL-2.0-or-later
"""Was the guest down as long as QEMU had predicted, for a migration over a link that really is that slow?

QEMU lifts `max-bandwidth` once the guest is stopped, so on other links the downtime is unrelated to the prediction.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

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
_Rows = NDArray[np.intp]


class PredictionJudgement(StrEnum):
    """Was the guest down as long as predicted?"""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNDECIDED = "undecided"
    """QEMU's last window, the guest or the host was unusual, which may be the only reason."""


@dataclass(frozen=True)
class PredictedDowntime:
    """QEMU's last prediction before the switchover, and how long the guest was down then, in milliseconds.

    `fixed_ms` is what device state and the switchover itself take, measured on the same guest while idle. `error` is
    (`down_ms` - `fixed_ms`) ÷ `predicted_ms` - 1. `limit_ms` is the downtime-limit in force. `window` is how much more
    was sent in the window of the last prediction than in the median window, as a share. `dirtied` is how much more was
    sent from the stop on than the sync had found that the prediction is of, as a share. The host may have kept QEMU
    from running for `stalled_ms` of `down_ms`.
    """

    predicted_ms: float
    down_ms: float
    fixed_ms: float
    limit_ms: float | None
    error: float
    window: float = 0.0
    dirtied: float = 0.0
    stalled_ms: float = 0.0

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
        if abs(self.error) > DOWNTIME_TOLERANCE:
            sentence = f"{down} QEMU predicted {self.predicted_ms:.0f} ms: {self.error:+z.0%}"
            if self._may_be_explained:
                return _undecided(sentence, self._reasons(1 if self.error > 0 else -1))
            return Check(DOWNTIME, Outcome.FAILED, "not-as-reported", sentence)
        above = (self.down_ms - self.fixed_ms) / (1 + DOWNTIME_TOLERANCE)
        if self.limit_ms is not None and above > self.limit_ms:
            sentence = f"{down} the downtime-limit was {self.limit_ms:.10g} ms"
            allowed_ms = self.limit_ms * (1 + self.window) if self.window > DOWNTIME_TOLERANCE else self.limit_ms
            if above - self.stalled_ms / (1 + DOWNTIME_TOLERANCE) <= allowed_ms:
                return _undecided(sentence, [each for each in self._reasons(1) if each.code != _BY_GUEST])
            return Check(DOWNTIME, Outcome.FAILED, "above-the-limit", sentence)
        return Check(DOWNTIME, Outcome.PASSED, "match")

    @property
    def _may_be_explained(self) -> bool:
        """Whether window, guest and host leave an error that is allowed, or one no greater than what they explain."""
        explained = (1 + self.window) * (1 + self.dirtied)
        least = (1 + self.error - self.stalled_ms / self.predicted_ms) / explained - 1
        most = (1 + self.error) / explained - 1
        room = max(DOWNTIME_TOLERANCE, abs(explained - 1))
        return least <= room and most >= -room

    def _reasons(self, sign: int) -> list["_Reason"]:
        """What may make the downtime longer than predicted, with a `sign` of 1, or shorter, with -1."""
        stalled = f"the host kept QEMU from running for up to {self.stalled_ms:.0f} ms while the guest was down"
        return [
            _Reason(sign * self.window, "odd-window", f"it had sent {self.window:+z.0%} in that window"),
            _Reason(sign * self.dirtied, _BY_GUEST, f"the guest had dirtied {self.dirtied:+z.0%} in its last pass"),
            _Reason(sign * self.stalled_ms / self.predicted_ms, "stalled", stalled),
        ]


@dataclass(frozen=True, order=True)
class _Reason:
    """What may be why, by which `share` of the prediction; its code, and its words."""

    share: float
    code: str
    words: str


_BY_GUEST = "dirtied-otherwise"
_JUDGEMENTS = {
    Outcome.PASSED: PredictionJudgement.MATCH,
    Outcome.FAILED: PredictionJudgement.MISMATCH,
    Outcome.UNDECIDED: PredictionJudgement.UNDECIDED,
}


def _undecided(sentence: str, reasons: list[_Reason]) -> Check:
    """The check that names the greatest of the reasons, and those that are at least half as great."""
    greatest = max(reasons)
    words = [each.words for each in sorted(reasons, reverse=True) if each.share >= greatest.share / 2]
    return Check(DOWNTIME, Outcome.UNDECIDED, greatest.code, f"{sentence}; {', and '.join(words)}, which may be why")


def judge_predicted_downtime(evidence: Evidence, down: Downtime | None) -> PredictedDowntime | None:
    """Whether the last report before the switchover came true; None if there is nothing to compare.

    Raises UsageError if the header is malformed.
    """
    header = evidence.trace.header
    if down is None or down.qemu_ms is None or FIXED_DOWNTIME_MS not in header:
        return None
    samples, fixed_ms = evidence.samples, number(header, FIXED_DOWNTIME_MS)
    before = np.flatnonzero(samples.has_ram & (samples.answered_s < evidence.stopped_s))
    says = samples.are("active") & (samples.expected_downtime_ms > 0) & computes_something(samples)
    rows = before[says[before]]
    if not rows.size:
        return None
    predicted_ms, mbps = float(samples.expected_downtime_ms[rows[-1]]), samples.mbps[rows]
    return PredictedDowntime(
        predicted_ms=predicted_ms,
        down_ms=down.qemu_ms,
        fixed_ms=fixed_ms,
        limit_ms=evidence.limits.at(evidence.stopped_s),
        error=(down.qemu_ms - fixed_ms) / predicted_ms - 1,
        window=float(mbps[-1] / np.median(mbps)) - 1,
        dirtied=_dirtied(evidence, rows, int(before[-1])),
        stalled_ms=down.stalled_ms,
    )


def _dirtied(evidence: Evidence, rows: _Rows, stopped: int) -> float:
    """How much more was sent since the sample `stopped` than the sync had found that the last report is of, as a share.

    That report is shown by the last of `rows`. 0 if either amount was not seen.
    """
    samples = evidence.samples
    reports = np.stack((samples.expected_downtime_ms[rows], samples.mbps[rows]))
    others = np.flatnonzero((reports != reports[:, -1:]).any(axis=0))
    first = rows[others[-1] + 1] if others.size else rows[0]
    # What is first seen right after a sync may have been computed right before it.
    passes = set(samples.dirty_sync_count[max(first - 1, 0) : first + 1].tolist())
    found = [sync.likely_bytes for sync in evidence.syncs if sync.after.number in passes and sync.likely_bytes > 0]
    sent_bytes = float((samples.sent_pages[-1] - samples.sent_pages[stopped]) * samples.page_bytes[stopped])
    if not found or not sent_bytes > 0:
        return 0.0
    reported_bytes = samples.expected_downtime_ms[first] * samples.wire_bytes_per_ms[first]
    return sent_bytes / min(found, key=lambda found_bytes: abs(found_bytes - reported_bytes)) - 1
