# SPDX-License-Identifier: GPL-2.0-or-later
"""The dirtying curve's thresholds, both sides, and what a pass that was seen makes of a point."""

import math

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.prediction.dirty_curve import DirtyingCurve, Point


def through(*points):
    return DirtyingCurve.through([Point(ms, Interval(size, size), size) for ms, size in points])


@pytest.mark.parametrize(("second_ms", "groups"), [(1099, [1049.5]), (1101, [1000, 1101])])
def test_passes_whose_durations_differ_by_a_tenth_are_of_two_lengths(second_ms, groups):
    drawn = through((1000, 30e6), (second_ms, 31e6))
    assert [one.duration_ms for one in drawn.groups] == groups
    assert [one.likely_bytes for one in drawn.groups] == ([30.5e6] if len(groups) == 1 else [30e6, 31e6])


def test_a_group_goes_from_its_shortest_pass_and_not_from_neighbour_to_neighbour():
    drawn = through((1180, 3e6), (1000, 1e6), (1090, 2e6))
    assert [(one.duration_ms, one.likely_bytes) for one in drawn.groups] == [(1045, 1.5e6), (1180, 3e6)]


def test_groups_whose_means_differ_by_less_than_a_tenth_are_one():
    passes = ((1919, 104e6), (2125, 107e6), (2108, 106e6), (2107, 105e6))
    drawn = through(*passes)
    assert [(one.duration_ms, one.likely_bytes) for one in drawn.groups] == [(2064.75, 105.5e6)]
    assert drawn.time_constant_ms == 0
    two_by_two = (1000, 90e6), (1095, 92e6), (1120, 93e6), (1180, 95e6)
    assert [one.duration_ms for one in through(*two_by_two).groups] == [1098.75]


def test_the_mean_of_a_group_keeps_what_is_not_known_of_its_points():
    points = [Point(1000, Interval(10e6, 14e6), 12e6), Point(1050, Interval(12e6, 20e6), 13e6)]
    (group,) = DirtyingCurve.through(points).groups
    assert group == Point(1025, Interval(11e6, 17e6), 12.5e6)


@pytest.mark.parametrize(("longer_bytes", "flat"), [(30.2e6, True), (30.4e6, False)])
def test_amounts_that_differ_by_a_hundredth_make_no_slope(longer_bytes, flat):
    drawn = through((1000, 30e6), (3000, longer_bytes))
    assert (drawn.time_constant_ms == 0) == flat
    assert drawn.likely(3000) == pytest.approx(longer_bytes)
    assert drawn.asymptote_bytes == pytest.approx(longer_bytes, rel=0.001)
    assert (drawn.likely(500) > 29.9e6) == flat


@pytest.mark.parametrize(("longer_bytes", "endless"), [(90.1e6, True), (89e6, False)])
def test_what_grows_with_time_shows_no_end(longer_bytes, endless):
    assert math.isinf(through((1000, 30e6), (3000, longer_bytes)).asymptote_bytes) == endless


def test_what_shows_no_end_goes_on_as_in_the_longest_passes_as_far_as_the_shortest_allow():
    drawn = through((1000, 30e6), (3000, 100e6))
    assert math.isinf(drawn.time_constant_ms)
    assert drawn.likely(4500) == pytest.approx(4.5 * 30e6) and drawn.likely(6000) == pytest.approx(6 * 30e6)
    assert drawn.steady(2000) == pytest.approx(2000 / 3000 * 100e6)


def test_between_two_lengths_a_steady_guest_dirties_at_most_what_the_chords_beside_them_allow():
    drawn = through((1000, 100e6), (2000, 150e6), (3000, 180e6))
    assert drawn.steady(1500) == pytest.approx((125e6 + 135e6) / 2)
    assert drawn.steady(2500) == pytest.approx((165e6 + 175e6) / 2)
    assert drawn.steady(3500) == 180e6


@pytest.mark.parametrize(("last_bytes", "later_bytes"), [(93e6, 95.555e6), (91e6, 91.122e6), (90e6, 90e6)])
def test_beyond_the_longest_pass_a_curve_is_no_steeper_than_before_it(last_bytes, later_bytes):
    passes = ((320, 77.5e6), (360, 90.9e6), (420, last_bytes))
    drawn = DirtyingCurve.through([Point(ms, Interval(0.9 * size, 1.2 * size), size) for ms, size in passes])
    bend = drawn.asymptote_bytes * -math.expm1(-493 / drawn.time_constant_ms)
    assert bend > 1.05 * later_bytes
    assert drawn.likely(493) == pytest.approx(later_bytes, rel=1e-5)


def test_beyond_the_longest_pass_a_curve_may_bend_more_than_the_chord_before_it():
    drawn = through((1000, 30e6), (2000, 45e6), (3000, 60e6))
    bend = drawn.asymptote_bytes * -math.expm1(-4000 / drawn.time_constant_ms)
    assert drawn.likely(4000) == pytest.approx(bend) and bend < 75e6


def test_the_level_is_the_most_that_a_sync_found():
    points = [Point(ms, Interval(size, size), size) for ms, size in ((1000, 30e6), (3000, 30e6))]
    drawn = DirtyingCurve.through(points, pending_bytes=50e6)
    assert (drawn.asymptote_bytes, drawn.working_set_bytes) == (30e6, 50e6)
    assert drawn.likely_pending(2000, 25e6) == pytest.approx(25e6 + 30e6 / 2)
    assert drawn.most_pending(2000, 25e6) == 50e6
    assert drawn.least_pending(2000, 25e6) == 30e6 and drawn.least_pending(2000, 35e6) == 35e6


def test_a_pass_that_ended_a_burst_earlier_dirtied_for_a_window_less():
    drawn = through((1000, 10e6), (2000, 20e6))
    assert drawn.least_pending(500, 0) == pytest.approx(5e6)
    assert drawn.least_in_bursts(500, 0) == pytest.approx(4e6)
    assert drawn.least_in_bursts(50, 0) == 0
