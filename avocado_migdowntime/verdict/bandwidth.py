# SPDX-License-Identifier: GPL-2.0-or-later
"""Does QEMU's `mbps` match what it sent? A report can agree with a bandwidth that is equally wrong."""

from dataclasses import dataclass

from ..basics.interval import Interval
from ..oracle.evidence import Evidence
from .check import Check, Outcome
from .codes import BANDWIDTH, CODES
from .error_bounds import NARROW, between

BANDWIDTH_TOLERANCE = 0.01
"""`mbps` fails if it is certainly off by more than this. QEMU truncates times to milliseconds, which is 1 % of one
window but averages out over many.
"""
_OUTCOMES = {"as-sent": Outcome.PASSED, "not-as-sent": Outcome.FAILED, "one-place": Outcome.UNDECIDED}


@dataclass(frozen=True)
class BandwidthFinding:
    """Whether `mbps` matches the bytes sent, by a `code` of the check.

    `error` is the most likely value of mbps ÷ sent - 1 over `windows` windows; `error_interval` is what it may be.
    `odd` is the time, in seconds, at which alone the two differ.
    """

    code: str
    windows: int = 0
    error: float | None = None
    error_interval: Interval | None = None
    odd: Interval | None = None

    @property
    def check(self) -> Check:
        """The check that QEMU's bandwidth matches what it sent."""
        return Check(BANDWIDTH, _OUTCOMES.get(self.code, Outcome.NOT_JUDGED), self.code, self.sentence)

    @property
    def needs_no_more(self) -> bool:
        """Whether it is decided, or more samples would not help."""
        return self.code not in ("wide", "not-seen")

    @property
    def sentence(self) -> str:
        """The finding, for people; empty if the bandwidth is right."""
        if self.code == "not-as-sent":
            return f"mbps is {self.error:+z.2%} off the bytes sent in the same windows, {self.between}"
        if self.code == "one-place" and self.odd is not None:
            return (
                f"mbps and the bytes sent differ at {self.odd.low:.2f} to {self.odd.high:.2f} s, and agree in the "
                f"{self.windows} other windows: what was recorded there is left out, because it does not fit the rest"
            )
        if self.code == "wide":
            return f"the error of mbps, compared with the bytes sent, is {self.between}, too wide to decide"
        return "" if self.code == "as-sent" else CODES[BANDWIDTH][self.code]

    @property
    def between(self) -> str:
        """The error's interval, in words."""
        return between(self.error_interval)


def judge_bandwidth(evidence: Evidence) -> BandwidthFinding:
    """Compare QEMU's bandwidth with what it counted as sent."""
    if evidence.samples.sends_a_disk:
        return BandwidthFinding("disk")
    if evidence.samples.sends_devices:
        return BandwidthFinding("devices")
    sending = evidence.sending
    if sending is None:
        return BandwidthFinding("not-seen")
    if sending.odd is not None:
        return BandwidthFinding("one-place", sending.windows, sending.likely_error, sending.error, sending.odd)
    if not sending.error.meets(Interval(-BANDWIDTH_TOLERANCE, BANDWIDTH_TOLERANCE)):
        code = "not-as-sent"
    else:
        code = "as-sent" if sending.error.within(NARROW) else "wide"
    return BandwidthFinding(code, sending.windows, sending.likely_error, sending.error)
