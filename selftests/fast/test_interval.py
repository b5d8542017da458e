# SPDX-License-Identifier: GPL-2.0-or-later
"""Intervals are closed: what touches meets, and what reaches an end lies within."""

import pytest

from avocado_migdowntime.basics.interval import Interval, span

INTERVAL = Interval(2, 5)


def test_an_interval_has_a_middle_and_a_width():
    assert (INTERVAL.middle, INTERVAL.width) == (3.5, 3)
    assert (Interval(4, 4).middle, Interval(4, 4).width) == (4, 0)


def test_an_interval_does_not_run_downwards():
    with pytest.raises(ValueError, match=r"^an interval from 5 down to 2$"):
        Interval(5, 2)


@pytest.mark.parametrize(
    ("low", "high", "meets", "within", "holds"),
    [
        (0, 1.9, False, False, False),
        (0, 2, True, False, False),
        (2, 2, True, False, True),
        (2, 5, True, True, True),
        (2, 6, True, True, False),
        (1, 5, True, True, False),
        (2.1, 5, True, False, True),
        (2, 4.9, True, False, True),
        (3, 4, True, False, True),
        (5, 5, True, False, True),
        (5, 9, True, False, False),
        (5.1, 9, False, False, False),
    ],
)
def test_both_ends_belong_to_it(low, high, meets, within, holds):
    other = Interval(low, high)
    assert INTERVAL.meets(other) is other.meets(INTERVAL) is meets
    assert INTERVAL.within(other) is within
    assert other.within(INTERVAL) is holds


def test_an_intersection_is_what_both_hold():
    assert INTERVAL.intersection(Interval(4, 9)) == Interval(4, 9).intersection(INTERVAL) == Interval(4, 5)
    assert INTERVAL.intersection(Interval(3, 4)) == Interval(3, 4)
    assert INTERVAL.intersection(Interval(5, 9)) == Interval(5, 5)


def test_it_is_shifted_as_a_whole_or_each_end_by_itself():
    assert INTERVAL.shifted(3) == Interval(5, 8)
    assert INTERVAL.shifted(-1, 2) == Interval(1, 7)
    assert INTERVAL.shifted(-1, 0) == Interval(1, 5)


def test_it_is_scaled_with_its_ends():
    assert INTERVAL.scaled(0.5) == Interval(1, 2.5)
    assert INTERVAL.scaled(0) == Interval(0, 0)


def test_a_span_is_from_the_least_to_the_greatest():
    assert span(iter([3, 1, 2])) == Interval(1, 3)
    assert span([7]) == Interval(7, 7)
