# SPDX-License-Identifier: GPL-2.0-or-later
"""Is QEMU's `mbps` what it sent? Its report may agree with a bandwidth that is as wrong as itself."""

from dataclasses import dataclass

from ..basics.interval import Interval
from ..oracle.evidence import Evidence
from .check import Check, Outcome
from .codes import BANDWIDTH, CODES
from .error_bounds import NARROW, between

BANDWIDTH_TOLERANCE = 0.01
"""By so much `mbps` may be off for certain: QEMU cuts times to milliseconds, 1 % of one window, not of many."""
_OUTCOMES = {"as-sent": Outcome.PASSED, "not-as-sent": Outcome.FAILED}


@dataclass(frozen=True)
class BandwidthFinding:
    """Whether `mbps` is what was sent, by a `code` of the check.

    `error` is told ÷ sent - 1 over `windows` windows, the likeliest, and `error_interval` what it may be.
    """

    code: str
    windows: int = 0
    error: float | None = None
    error_interval: Interval | None = None

    @property
    def check(self) -> Check:
        """Whether QEMU's bandwidth is what it sent."""
        return Check(BANDWIDTH, _OUTCOMES.get(self.code, Outcome.NOT_JUDGED), self.code, self.sentence)

    @property
    def needs_no_more(self) -> bool:
        """Whether it is told, or more samples would not help."""
        return self.code not in ("wide", "not-seen")

    @property
    def sentence(self) -> str:
        """What was found, for people; empty where the bandwidth is right."""
        if self.code == "not-as-sent":
            return f"mbps is {self.error:+.2%} off the bytes sent in the same windows, {self.between}"
        if self.code == "wide":
            return f"the error of mbps, compared with the bytes sent, is {self.between}, too wide to decide"
        return "" if self.code == "as-sent" else CODES[BANDWIDTH][self.code]

    @property
    def between(self) -> str:
        """What the error may be, in words."""
        return between(self.error_interval)


def judge_bandwidth(evidence: Evidence) -> BandwidthFinding:
    """Compare what QEMU says of its bandwidth with what it counted as sent."""
    if evidence.samples.sends_a_disk:
        return BandwidthFinding("disk")
    sending = evidence.sending
    if sending is None:
        return BandwidthFinding("not-seen")
    if not sending.error.meets(Interval(-BANDWIDTH_TOLERANCE, BANDWIDTH_TOLERANCE)):
        code = "not-as-sent"
    else:
        code = "as-sent" if sending.error.within(NARROW) else "wide"
    return BandwidthFinding(code, sending.windows, sending.likely_error, sending.error)
