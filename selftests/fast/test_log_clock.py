# SPDX-License-Identifier: GPL-2.0-or-later
"""When something was that a text tells, on the migration's own clock."""

from math import inf

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.forms.clock import Clock
from avocado_migdowntime.trace.reading import Happening, Reading, Stamp

SETUP = {"status": "setup"}


def told(total_ms=None, stamp=None, width_ms=None, arrived_s=None):
    rounding = {} if width_ms is None else {"total-time": Interval(total_ms, total_ms + width_ms)}
    answer = {} if total_ms is None else {"total-time": total_ms}
    return Reading(answer, stamp, rounding, arrived_s=arrived_s)


def times(*readings):
    """When each was taken and for how long after that it may have been."""
    clock = Clock()
    return clock, [clock.of_reading(one) for one in readings]


@pytest.mark.parametrize(
    ("readings", "found"),
    [
        ([told(1500), told(1600)], [(1.5, 0.001), (1.6, 0.001)]),
        # By the log where that is finer than what the total time was cut to.
        ([told(1000, Stamp(71, 0.1), 1000), told(None, Stamp(71.5, 0.1))], [(1.0, 0.1), (1.5, 0.1)]),
        ([told(1000, Stamp(71, 1.0), 1000), told(2000, Stamp(71.5, 1.0), 1000)], [(1.0, 1.0), (2.0, 1.0)]),
        ([told(1000, Stamp(71, 2.0), 1000), told(None, Stamp(73, 2.0))], [(1.0, 1.0), (3.0, 2.0)]),
        ([told(1500, Stamp(71.7, 1e-6)), told(None, Stamp(72.7, 1e-6))], [(1.5, 0.001), (2.5, 1e-6)]),
        ([told(1500), told(None, Stamp(71)), told(None, Stamp(72))], [(1.5, 0.001), (1.5, 0.0), (2.5, 0.0)]),
        ([told(None, Stamp(3, 0.1, from_begin=True)), told(None, Stamp(4, 0.1))], [(3, 0.1), (4, 0.1)]),
        # By when it was read where it has neither.
        ([told(arrived_s=10), told(arrived_s=12)], [(10, 0), (12, 0)]),
        ([told(2000, arrived_s=12), told(arrived_s=13)], [(2, 0.001), (3, 0)]),
        ([told(2000), told()], [(2, 0.001), (2, 0)]),
        # Never back.
        ([told(2000), told(1900)], [(2, 0.001), (2, 0.001)]),
        ([told(True), told("2000")], [(0, 0), (0, 0)]),
    ],
)
def test_a_reading_is_of_its_total_time_else_of_the_logs_time_else_of_when_it_was_read(readings, found):
    assert times(*readings)[1] == [pytest.approx(one) for one in found]


def test_a_text_has_a_clock_where_one_reading_has_a_time():
    known = [
        times(*readings)[0].has_times for readings in ([told()], [told(arrived_s=1)], [told(0)], [told(0), told()])
    ]
    assert known == [False, False, True, True]
    assert times(told(None, Stamp(71)), told())[0].has_times


def test_another_migration_has_a_lesser_total_time():
    clock, _ = times(told(1500))
    assert [clock.restarts(told(ms)) for ms in (1499, 1500, None)] == [True, False, False]
    assert not Clock().restarts(told(0))


def test_a_line_is_as_long_after_the_begin_as_the_log_says():
    clock, _ = times(told(1500, Stamp(71.5)))
    assert (clock.of_stamp(Stamp(73)), clock.of_stamp(None), Clock().of_stamp(Stamp(73))) == (3, None, None)


def event(seconds=None, microseconds=0, name="STOP", data=None, stamp=None):
    of_qemu = {} if seconds is None else {"timestamp": {"seconds": seconds, "microseconds": microseconds}}
    return Happening({"event": name, **of_qemu, **({} if data is None else {"data": data})}, stamp)


def test_events_are_between_the_readings_around_them_as_far_apart_as_qemu_says():
    clock = Clock()
    # It is 100.5 between 1 and 3 s, 101 between 2.9 and 3 s, and 101.04 after that.
    assert clock.of_event(event(100, 500_000), 1, 3) == pytest.approx(2)
    assert clock.of_event(event(101), 2.9, 3) == pytest.approx(2.95)
    assert clock.of_event(event(101, 20_000), 2.9, 5) == pytest.approx(2.97)
    assert clock.of_event(event(200), 3, 5) == pytest.approx(4)  # A clock that was set goes by itself.
    assert clock.of_event(event(200, 500_000), 3, inf) == pytest.approx(4.5)


def test_a_migration_begins_with_its_setup():
    clock = Clock()
    assert clock.of_event(event(100, name="MIGRATION", data=SETUP), -inf, 3) == pytest.approx(0.005)
    assert clock.of_event(event(101), 0, 3) == pytest.approx(1.005)
    for other in (event(100, name="STOP", data=SETUP), event(100, name="MIGRATION", data={"status": "active"})):
        assert Clock().of_event(other, -inf, 3) == 3
    assert Clock().of_event(event(100, name="MIGRATION", data=[]), 1, 3) == 2


def test_an_event_without_a_time_of_its_own_is_of_the_reading_before():
    for one in (event(), event("100"), event(100, "0"), Happening({"event": "STOP", "timestamp": 100})):
        assert (Clock().of_event(one, 1, 3), Clock().of_event(one, -inf, 3)) == (1, 3)


def test_an_event_that_was_logged_is_of_then():
    clock, _ = times(told(1500, Stamp(71.5)))
    assert [clock.of_event(event(100, stamp=Stamp(t_s)), 1, 3) for t_s in (70.5, 72, 74)] == [1, 2, 3]
