# SPDX-License-Identifier: GPL-2.0-or-later
"""Is what QEMU says it transferred what its link carried? All that is said of its bandwidth is measured by that."""

from dataclasses import dataclass
from itertools import dropwhile

from ..basics.interval import Interval, span
from ..oracle.evidence import Evidence
from ..trace.events import BROKEN, CARRIED, HARNESS, Event
from ..trace.model import Trace
from ..trace.ram import number
from .check import Check, Outcome
from .codes import CODES, TRANSFERRED

TRANSFERRED_TOLERANCE = 0.05
"""By so much it may be off for certain: what encrypts adds 1.5 %, and what a socket sends again is carried twice."""
_NARROW = Interval(-0.25, 0.25)
"""Where the error may be larger, half of what was sent might not be told from all of it."""
_MOST_HEADER_BYTES = 134
"""Of a packet: 14 are Ethernet's, and up to 60 IP's and TCP's each (RFC 791, RFC 9293)."""
_OUTCOMES = {"as-carried": Outcome.PASSED, "not-as-carried": Outcome.FAILED}


@dataclass(frozen=True)
class CarriedFinding:
    """Whether QEMU's `transferred` is what its link carried, by a `code` of the check.

    `error_interval` is what told ÷ carried - 1 may be.
    """

    code: str
    error_interval: Interval | None = None

    @property
    def check(self) -> Check:
        """Whether QEMU transferred as much as it says."""
        return Check(TRANSFERRED, _OUTCOMES.get(self.code, Outcome.NOT_JUDGED), self.code, self.sentence)

    @property
    def sentence(self) -> str:
        """What was found, for people; empty where it is as it should be."""
        if self.code == "not-as-carried":
            return f"transferred is off what the link carried by {self.between}"
        if self.code == "wide":
            return f"transferred is off what the link carried by {self.between}, too wide to tell"
        return "" if self.code == "as-carried" else CODES[TRANSFERRED][self.code]

    @property
    def between(self) -> str:
        """What the error may be, in words."""
        known = self.error_interval
        return f"between {known.low:+.2%} and {known.high:+.2%}" if known else ""


def judge_carried(evidence: Evidence) -> CarriedFinding | None:
    """Compare what QEMU says it transferred with what its link carried; None where nobody looked at that.

    At no time has more been carried than was handed to the system before, and in the end no less than all. So the
    first tells how far too little QEMU can have said, while the guest ran and no device was sent, and the second how
    far too much. Raises UsageError where an event of the harness is not as it writes them.
    """
    trace = evidence.trace
    looks = [event for event in trace.events if (event.side, event.name) == (HARNESS, CARRIED)]
    if not looks:
        return None
    while_it_ran = [look for look in looks if look.t_s < trace.switchover_s]
    if not trace.completed or len(while_it_ran) < 2 or trace.first_event(HARNESS, BROKEN):
        return CarriedFinding("not-seen")
    begin, last, end = looks[0], while_it_ran[-1], looks[-1]
    payload = _between(begin, last, "bytes") - _MOST_HEADER_BYTES * _between(begin, last, "packets")
    later, told = _told_by(trace, last.t_s), _told_by(trace, float(trace.samples.t_s[-1]))
    carried = _between(begin, end, "bytes")
    if later is None or told is None or min(payload, carried) <= 0:
        return CarriedFinding("not-seen")
    most, least = later / payload - 1, told / carried - 1
    error = span((least, most))
    if most < -TRANSFERRED_TOLERANCE or least > TRANSFERRED_TOLERANCE:
        return CarriedFinding("not-as-carried", error)
    return CarriedFinding("as-carried" if error.within(_NARROW) else "wide", error)


def _told_by(trace: Trace, t_s: float) -> int | None:
    """What QEMU said first that it had transferred, when it was asked at a time or later."""
    for sample in dropwhile(lambda sample: sample.t_s < t_s, trace.samples):
        if sample.ram is not None and sample.ram.transferred_bytes is not None:
            return sample.ram.transferred_bytes
    return None


def _between(earlier: Event, later: Event, name: str) -> float:
    return number(later.data, name) - number(earlier.data, name)
