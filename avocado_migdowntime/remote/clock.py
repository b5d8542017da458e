# SPDX-License-Identifier: GPL-2.0-or-later
"""How far a clock of another host is ahead of the same clock here, with what is left open.

A question is asked at one time here and answered at another; the time that it brings lies between. Each such reading
holds the offset to within the time that the question took, and all of them to within what they have in common, as far
as the clocks keep pace with each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from ..basics.interval import Interval

DRIFT = 1e-3
"""So many seconds may two clocks part in a second: Linux lets each be slewed by 500 ppm (adjtimex(2))."""

_STEP_S, _STEPS = 0.5, 64


@dataclass(frozen=True)
class Reading:
    """`there_s` of the other host's clock was read between two times of the one here."""

    asked_s: float
    there_s: float
    answered_s: float

    def ahead_s(self, begin_s: float, end_s: float) -> Interval:
        """How far the other clock is ahead between two times of the one here, as far as this reading tells."""
        open_s = DRIFT * max(self.answered_s - begin_s, end_s - self.asked_s, self.answered_s - self.asked_s)
        return Interval(self.there_s - self.answered_s - open_s, self.there_s - self.asked_s + open_s)


def ahead_s(readings: Iterable[Reading], begin_s: float, end_s: float) -> Interval | None:
    """How far the other clock is ahead between two times of the one here.

    None where one of them was set while they were read, or was never read.
    """
    all_readings = list(readings)
    step_s = max(_STEP_S, (end_s - begin_s) / _STEPS)
    low, high, at_s = inf, -inf, begin_s
    while all_readings and at_s <= end_s:
        # A reading tells the less the longer ago it was: not all of a long time has to be known from one.
        intervals = [reading.ahead_s(at_s, min(at_s + step_s, end_s)) for reading in all_readings]
        its_low, its_high = max(each.low for each in intervals), min(each.high for each in intervals)
        if its_low > its_high:
            return None
        low, high, at_s = min(low, its_low), max(high, its_high), at_s + step_s
    return Interval(low, high) if all_readings else None
