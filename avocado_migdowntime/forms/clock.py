# SPDX-License-Identifier: GPL-2.0-or-later
"""The time of what a text shows, on the migration's own clock. It comes from the text, not from the time of reading.

That clock is a reading's `total-time`; without it, the time of its line in a log, or of the last line above it that
shows only a time; without all of these, when it was read.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..basics.interval import Interval
from ..trace.reading import Happening, Reading, Stamp
from ..trace.samples import Floats
from .stamps import is_time

SETUP_S = 0.01
"""From the start of total-time, QEMU takes at most this long to report that the migration is set up."""
TICK_S = 0.001
"""QEMU truncates total-time to whole milliseconds."""
SET_BACK_S = 3600.0
"""At the end of summer time, clocks are set back by this."""
_LOGGED_WITHIN_S = 0.1
"""A line is logged this soon after its figures were taken, or as late as others."""
_DOUBTFUL_S, _DOUBTFUL = 2.0, 0.05
"""Two clocks contradict each other if they differ by more than this time and this share, beyond their resolution."""


class Clock:
    """Seconds since a migration began, as far as its readings show; ask for the readings in their order."""

    def __init__(self) -> None:
        self.last_s = 0.0
        self._total_s: float | None = None
        self._log_zero_s: float | None = None
        self._read_zero_s = 0.0
        self._epoch_zero_s = Interval(-np.inf, np.inf)
        self._has_times = False
        self._above: Stamp | None = None
        self.last_logged_s = -np.inf
        """The latest time of a line, on the log's clock."""
        self._is_timeless = False
        """Whether some reading of RAM has no time at all."""
        self._both: list[tuple[Stamp, float, float]] = []
        """The first and the last reading with two times: its line's, and its total time with the resolution of that."""

    @property
    def has_times(self) -> bool:
        """Whether the text has times; if they come from lines above the readings, whether each reading has one."""
        return self._has_times and not (self._above is not None and self._is_timeless)

    @property
    def untimed(self) -> str:
        """Which texts lack a time if `has_times` is false."""
        return "one of the texts shows" if self._has_times else "the texts show"

    @property
    def contradiction(self) -> str:
        """What the times of the lines and total-time say if they cannot both be right; else ''."""
        if len(self._both) < 2:
            return ""
        (first, first_s, first_tick_s), (last, last_s, last_tick_s) = self._both
        logged_s, total_s = last.t_s - first.t_s, last_s - first_s
        open_s = first.tick_s + last.tick_s + first_tick_s + last_tick_s
        if abs(logged_s - total_s) <= open_s + max(_DOUBTFUL_S, _DOUBTFUL * max(logged_s, total_s)):
            return ""
        return (
            f"from the first figures to the last, {total_s:.4g} s passed by total-time, which is used, but "
            f"{logged_s:.4g} s by the times in the text: one of the two is not of this migration, or a clock was set"
        )

    def restarts(self, reading: Reading) -> bool:
        """Whether the total time of a reading is less than an earlier one, so that it belongs to another migration."""
        total_s = _total_s(reading.answer)
        return total_s is not None and self._total_s is not None and total_s < self._total_s

    def is_older(self, stamp: Stamp | None) -> bool:
        """Whether a line was written before all that was read of this migration, as in `cat LOG LOG.1`."""
        if stamp is None or stamp.period_s or stamp.from_begin:
            return False
        return stamp.t_s + stamp.tick_s < self.last_logged_s - SET_BACK_S

    def is_late(self, reading: Reading) -> bool:
        """Whether a line is older than the last one, and its total time by as much: it stands in the wrong place."""
        total_s, stamp = _total_s(reading.answer), reading.stamp
        if total_s is None or stamp is None or stamp.from_begin or not self._both:
            return False
        last, last_s, last_tick_s = self._both[-1]
        logged_s, by_total_s = last.t_s - stamp.t_s, last_s - total_s
        open_s = last.tick_s + stamp.tick_s + last_tick_s + _tick_s(reading) + _LOGGED_WITHIN_S
        return logged_s > 0 and by_total_s > 0 and abs(logged_s - by_total_s) <= open_s

    def is_at_another_time(self, reading: Reading) -> bool:
        """Whether the total time of a reading is not that of the last one that had one."""
        total_s = _total_s(reading.answer)
        return bool(total_s and self._total_s) and total_s != self._total_s

    def of_reading(self, reading: Reading) -> tuple[float, float]:
        """When the figures of a reading were taken, and the width of the time span in which that may have been."""
        total_s, stamp = _total_s(reading.answer), reading.stamp
        tick_s = _tick_s(reading)
        if stamp is not None and stamp.is_above:
            stamp, self._above = None if stamp is self._above else stamp, stamp
        self._has_times = self._has_times or total_s is not None or stamp is not None
        if stamp is not None and stamp.is_above and self._is_timeless and self._log_zero_s is None:
            # It may be the time of the figures above it.
            stamp = None
        self._is_timeless = self._is_timeless or (total_s is None and stamp is None and "ram" in reading.answer)
        if total_s is not None:
            self._total_s = total_s
            if stamp is not None and not stamp.from_begin:
                self._both = [*self._both[:1], (stamp, total_s, tick_s)]
        if stamp is not None and not stamp.from_begin and not stamp.is_above:
            self.last_logged_s = max(self.last_logged_s, stamp.t_s)
        if stamp is not None and stamp.from_begin:
            self._log_zero_s = 0.0
            return self._in_order(stamp.t_s), stamp.tick_s
        if total_s is not None and self._is_by_total(reading):
            if stamp is not None:
                self._log_zero_s = stamp.t_s - total_s
            if reading.arrived_s is not None:
                self._read_zero_s = reading.arrived_s - total_s
            return self._in_order(total_s), tick_s
        if stamp is not None:
            if self._log_zero_s is None:
                self._log_zero_s = stamp.t_s - (total_s or self.last_s)
            return self._in_order(stamp.t_s - self._log_zero_s), stamp.tick_s
        if reading.arrived_s is not None:
            self._in_order(reading.arrived_s - self._read_zero_s)
        return self.last_s, 0.0

    def of_many(self, total_s: Floats | None, logged_s: Floats | None, last: Reading) -> tuple[Floats, float] | None:
        """When the figures of many readings were taken, as `of_reading` would say of each; `last` is the last one.

        `total_s` are their total times, `logged_s` the log's; either is None if `last` has none. Returns None if some
        belong to another migration, or if no time before them is known.
        """
        if total_s is not None and (np.any(np.diff(total_s) < 0) or (self._total_s or 0.0) > total_s[0]):
            return None
        if logged_s is not None and logged_s.min() < self.last_logged_s - SET_BACK_S:
            return None
        if total_s is not None and self._is_by_total(last):
            times_s = total_s
        elif logged_s is not None and self._log_zero_s is not None:
            times_s = logged_s - self._log_zero_s
        else:
            return None
        in_order_s: Floats = np.maximum.accumulate(np.maximum(times_s, self.last_s))
        _, width_s = self.of_reading(last)
        self.last_s = float(in_order_s[-1])
        return in_order_s, width_s

    def _is_by_total(self, reading: Reading) -> bool:
        """Whether the total time of a reading is more precise than the time of its line."""
        tick_s, stamp = _tick_s(reading), reading.stamp
        return tick_s <= TICK_S or stamp is None or stamp.tick_s >= tick_s

    def of_stamp(self, stamp: Stamp | None) -> float | None:
        """When a line was logged on the migration's clock; None if it does not say."""
        if stamp is None or self._log_zero_s is None:
            return None
        return stamp.t_s - self._log_zero_s

    def of_event(self, happening: Happening, before_s: float, after_s: float) -> float:
        """When something happened that the text shows between the readings of these two times.

        It comes from the log's time; or else from QEMU's own times of all events so far, each of which lies between two
        readings.
        """
        logged_s = self.of_stamp(happening.stamp)
        if logged_s is None:
            epoch_s = _epoch_s(happening.message)
            if epoch_s is None:
                return before_s if before_s > -np.inf else after_s
            zero_s = Interval(epoch_s - after_s, epoch_s - before_s)
            if begins_migration(happening.message):
                zero_s = Interval(epoch_s - SETUP_S, epoch_s)
            narrowed = self._epoch_zero_s.intersection(zero_s) if self._epoch_zero_s.meets(zero_s) else zero_s
            self._epoch_zero_s = narrowed
            logged_s = epoch_s - (narrowed.low if narrowed.high == np.inf else narrowed.middle)
        return min(max(logged_s, before_s), after_s)

    def _in_order(self, t_s: float) -> float:
        self.last_s = max(self.last_s, t_s)
        return self.last_s


def _total_s(answer: Mapping[str, Any]) -> float | None:
    total_ms = answer.get("total-time")
    return total_ms / 1000 if isinstance(total_ms, int | float) and not isinstance(total_ms, bool) else None


def _tick_s(reading: Reading) -> float:
    """The resolution of a reading's total time; the answer has the truncated value."""
    rounding = reading.rounding.get("total-time")
    return TICK_S if rounding is None else rounding.width / 1000


def begins_migration(message: Mapping[str, Any]) -> bool:
    """Whether an event says that the migration begins."""
    data = message.get("data")
    return message.get("event") == "MIGRATION" and isinstance(data, Mapping) and data.get("status") == "setup"


def _epoch_s(message: Mapping[str, Any]) -> float | None:
    stamp = message.get("timestamp")
    if not isinstance(stamp, Mapping):
        return None
    seconds, microseconds = stamp.get("seconds"), stamp.get("microseconds", 0)
    return seconds + microseconds / 1e6 if is_time(seconds) and is_time(microseconds) else None
