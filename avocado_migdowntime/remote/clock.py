# SPDX-License-Identifier: GPL-2.0-or-later
"""The offset between a clock of another host and the same clock here, with its uncertainty.

A question is sent at one time here and answered at another; the time in the answer lies between them. Each such reading
bounds the offset to within the duration of the question. All readings together bound it to their intersection, as far
as the clocks run at the same rate.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from ..basics.interval import Interval

DRIFT = 1e-3
"""The most seconds by which two clocks can diverge in a second: Linux lets each be slewed by 500 ppm (adjtimex(2))."""

_STEP_S, _STEPS = 0.5, 64


@dataclass(frozen=True)
class Reading:
    """`there_s` of the other host's clock was read between two times of ours."""

    asked_s: float
    there_s: float
    answered_s: float

    def ahead_s(self, begin_s: float, end_s: float) -> Interval:
        """How far the other clock is ahead between two times of ours, according to this reading."""
        open_s = DRIFT * max(self.answered_s - begin_s, end_s - self.asked_s, self.answered_s - self.asked_s)
        return Interval(self.there_s - self.answered_s - open_s, self.there_s - self.asked_s + open_s)


def ahead_s(readings: Iterable[Reading], begin_s: float, end_s: float) -> Interval | None:
    """How far the other clock is ahead between two times of ours.

    None if one of the clocks was set while they were read, or if there is no reading.
    """
    all_readings = list(readings)
    step_s = max(_STEP_S, (end_s - begin_s) / _STEPS)
    low, high, at_s = inf, -inf, begin_s
    while all_readings and at_s <= end_s:
        # The older a reading, the less it says; so a long time is handled in steps, each with its own best readings.
        intervals = [reading.ahead_s(at_s, min(at_s + step_s, end_s)) for reading in all_readings]
        its_low, its_high = max(each.low for each in intervals), min(each.high for each in intervals)
        if its_low > its_high:
            return None
        low, high, at_s = min(low, its_low), max(high, its_high), at_s + step_s
    return Interval(low, high) if all_readings else None
