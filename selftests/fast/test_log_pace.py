# SPDX-License-Identifier: GPL-2.0-or-later
"""The bandwidth between two lines of a log, and what rounding leaves open of printed figures."""

import numpy as np
import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.forms import pace
from avocado_migdowntime.forms.pace import MOST_LINES, Pace
from avocado_migdowntime.forms.rounding import cut, to_digits, to_three_digits, whole
from avocado_migdowntime.trace.reading import Stamp

MBPS = 125_000
"""Bytes a second."""


def paces(*lines, tick_s=1.0, begins=None):
    """The bandwidth at each of these lines: seconds, and Mb sent until then, of a log with such times."""
    known = Pace()
    known.begin(None if begins is None else Stamp(begins, tick_s))
    sent = [one.scaled(MBPS) if isinstance(one, Interval) else one * MBPS for _, one in lines]
    found = [known.mbps(Stamp(t_s, tick_s), one) for (t_s, _), one in zip(lines, sent, strict=True)]
    return [one and (one.low, one.high) for one in found]


def open_by(*pair):
    return pytest.approx(pair)


def test_it_is_what_was_sent_by_the_time_between_that_is_open_by_a_tick():
    assert paces((110, 990), begins=100) == [open_by(90, 110)]
    assert paces((100, 0), (110, 990)) == [None, open_by(90, 110)]
    assert paces((100, Interval(0, 9)), (110, Interval(990, 999))) == [None, open_by(981 / 11, 999 / 9)]
    assert paces((100, 0), (101, 100)) == [None, None]  # It may have been no time at all.
    assert paces((100, 0), (102, 100)) == [None, open_by(100 / 3, 100)]
    assert Pace().mbps(None, 100) is None


def test_it_is_over_the_shortest_time_that_tells_it_well_else_the_best():
    lines = [(0, 0), (100, 1000), (103, 1300), (104, 1400)]
    assert paces(*lines, tick_s=0.1)[2:] == [open_by(300 / 3.1, 300 / 2.9), open_by(400 / 4.1, 400 / 3.9)]
    assert paces((0, 0), (5, 50), (10, 100), tick_s=0.5)[2] == open_by(100 / 10.5, 100 / 9.5)
    assert paces((0, 0), (1, 10), (2, 1000), tick_s=0.01)[2] == open_by(990 / 1.01, 990 / 0.99)


def test_half_an_hour_may_be_a_clock_that_was_set():
    lines = [(0, 0), (10, 1000), (3620, 2000), (3630, 3000)]
    found = paces(*lines, tick_s=0.01)
    assert found[2:] == [open_by(2000 / 3620.01, 2000 / 19.99), open_by(1000 / 10.01, 1000 / 9.99)]
    assert paces((0, 0), (1799, 1000), tick_s=0.01)[1] == open_by(1000 / 1799.01, 1000 / 1798.99)
    assert paces((0, 0), (1800, 1000), tick_s=0.01)[1] == open_by(1000 / 1800.01, 1000)
    watched = Pace(np.inf)
    watched.begin(Stamp(0, 0.01))
    assert watched.copy().mbps(Stamp(3600, 0.01), 1000 * MBPS).high == pytest.approx(1000 / 3599.99)


def test_lines_within_a_second_tell_nothing():
    assert paces((0, 0), (0.99, 10), (1.99, 30), tick_s=0.01)[1:] == [None, open_by(20 / 1.01, 20 / 0.99)]
    assert paces((0, 0), (1, 10), tick_s=0.01)[1] == open_by(10 / 1.01, 10 / 0.99)


def test_where_less_was_sent_or_the_time_goes_back_another_migration_begins():
    assert paces((0, 0), (10, 1000), (20, 900), (30, 1000), tick_s=0.01)[2:] == [None, open_by(100 / 10.01, 100 / 9.99)]
    assert paces((0, 0), (10, 1000), (9, 1100), (19, 1200), tick_s=0.01)[2:] == [None, open_by(100 / 10.01, 100 / 9.99)]
    # What is the same may be rounded, and tells nothing.
    assert paces((0, 0), (10, Interval(900, 1000)), (20, Interval(950, 980)))[2] == open_by(950 / 21, 980 / 19)
    assert paces((10, 1000), (20, 1000)) == [None, None]


@pytest.mark.parametrize("every_s", [0.05, 0.3, 2.0])
@pytest.mark.parametrize("tick_s", [0.001, 0.5, 1.0])
def test_what_is_found_nearby_is_what_all_earlier_lines_tell(monkeypatch, every_s, tick_s):
    """Each third line tells nothing new, and one begins another migration."""
    t_s = [number * every_s // tick_s * tick_s for number in range(500)]
    sent = [float(number - number % 3) * 1e6 if number < 333 else number * 1e6 - 3e8 for number in range(500)]
    nearby = Pace().of_many(t_s, tick_s, sent, sent)
    monkeypatch.setattr(pace, "NEAR", 0)
    assert np.array_equal(Pace().of_many(t_s, tick_s, sent, sent), nearby, equal_nan=True)
    assert not np.all(np.isnan(nearby))


def test_of_many_lines_the_first_and_the_last_are_kept():
    lines = [(number, number if number else 0) for number in range(MOST_LINES + 50)]
    found = paces(*lines, tick_s=0.5)
    assert found[-1] == open_by(8 / 8.5, 8 / 7.5)
    slow = [(0, 0), *((1000 + 0.001 * number, 1000) for number in range(MOST_LINES + 50))]
    assert paces(*slow, tick_s=0.5)[-1] == open_by(1000 / (1000.305 + 0.5), 1000 / (1000.305 - 0.5))


@pytest.mark.parametrize(
    ("interval", "low", "high"),
    [
        (cut(3, 1024), 3072, 4095),
        (to_digits(1.5, 1, 1000), 1450, 1550),
        (to_digits(0.25, 2), 0.245, 0.255),
        (to_digits(0.0, 1), 0, 0.05),
        (to_three_digits("1.5", 1000), 1495, 1505),
        (to_three_digits("15", 1000), 14_950, 15_050),
        (to_three_digits("999", 1), 999, 999),
        (to_three_digits("1.23e+03", 1), 1225, 1235),
        (to_three_digits("999", 1000), 998_500, 999_500),
        (to_three_digits("1e+03", 1), 995, 1005),
    ],
)
def test_what_a_printed_figure_may_have_been(interval, low, high):
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_a_whole_number_is_an_integer():
    assert [repr(whole(size)) for size in (3.0, 3.5, 3)] == ["3", "3.5", "3"]


@pytest.mark.parametrize("t_s", [[10.0, 20.0, 15.0, 25.0], [10.0, 5.0, 15.0, 25.0], [10.0, 20.0, 30.0, 25.0]])
def test_a_time_that_goes_back_begins_anew_also_among_many_lines(t_s):
    sent = [MBPS * 100.0 * number for number in range(1, 5)]
    one_by_one = paces(*((at_s, 100.0 * number) for number, at_s in enumerate(t_s, 1)))
    low, high = Pace().of_many(t_s, 1.0, sent, sent).tolist()
    assert [None if least != least else (least, most) for least, most in zip(low, high, strict=True)] == one_by_one
    assert one_by_one.count(None) == 2
