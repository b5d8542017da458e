# SPDX-License-Identifier: GPL-2.0-or-later
"""The dirtying curve figure by figure: what a sync makes of a point, and what the curve says between points."""

import math

import pytest
from msgspec.structs import replace

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.dirty_curve import (
    DirtyingCurve,
    Point,
    curve,
    pending_bytes,
    unsent_bytes,
)

from ..support.traces import made, row

MB = 1e6


def sync(number, duration_ms, at_sync_mb, new_mb, spreads_mb=(0.0, 0.0)):
    """The sync that ended a pass of such a length: it found what `at_sync_mb` says, of which `new_mb` was new."""
    seen = Evidence.of(made([row(1, 1, 9, 9), row(1 + duration_ms / 1000, 2, 9, 10)])).syncs[0]
    before = replace(seen.before, number=number, end_bytes=500 * MB, spread_bytes=spreads_mb[0] * MB)
    after = replace(seen.after, begin_bytes=(500 + new_mb) * MB, spread_bytes=spreads_mb[1] * MB)
    low, high = at_sync_mb
    return replace(seen, before=before, after=after, at_sync_bytes=Interval(low * MB, high * MB))


def point(duration_ms, low, high, likely):
    return Point(pytest.approx(duration_ms), interval(low, high), pytest.approx(likely * MB))


def interval(low, high):
    return Interval(low * MB, high * MB)


def test_a_sync_has_found_the_most_it_may_have_but_the_first_one_the_middle():
    assert pending_bytes(sync(2, 1000, (20, 30), 5)) == 30 * MB
    assert pending_bytes(sync(1, 1000, (20, 30), 5)) == 25 * MB
    assert unsent_bytes(sync(2, 1000, (20, 30), 5)) == 25 * MB
    assert unsent_bytes(sync(1, 1000, (20, 30), 5)) == 20 * MB
    assert unsent_bytes(sync(2, 1000, (20, 30), 40)) == 0
    assert unsent_bytes(sync(2, 1000, (20, 30), -40)) == 30 * MB


def test_a_pass_lasts_for_a_millisecond_at_least():
    lasted = {duration_ms: sync(2, duration_ms, (0, 0), 0).length_ms for duration_ms in (1234, 1.5, 0.5)}
    assert lasted == {1234: pytest.approx(1234), 1.5: pytest.approx(1.5), 0.5: 1.0}


def one_point(*more, **changed):
    (found,) = curve([sync(*more, **changed)]).points
    return found


def test_a_point_is_what_was_new_and_what_may_have_been_dirtied_again():
    found = one_point(2, 1000, (20, 40), 30)
    assert found.duration_ms == pytest.approx(1000)
    assert found.dirtied_bytes == interval(30, 40)
    assert found.likely_bytes == 40 * MB  # 10 of 40 MB were unsent: a quarter of what was dirtied was not new.
    assert one_point(2, 1000, (20, 40), 10).likely_bytes == pytest.approx(40 * MB)
    assert one_point(2, 1000, (20, 40), 40) == point(1000, 40, 40, 40)


def test_a_pass_in_which_hardly_anything_was_new_makes_no_infinite_guess():
    found = one_point(2, 1000, (20, 40), 0.2)
    assert found.likely_bytes == pytest.approx(20 * MB)  # 0.2 ÷ (1 - 0.99)
    assert one_point(2, 1000, (20, 40), 0).likely_bytes == 0


def test_what_k_spreads_by_is_not_known_of_what_was_new():
    assert one_point(2, 1000, (20, 40), 30, (1, 3)).dirtied_bytes == interval(28, 40)
    assert one_point(2, 1000, (20, 40), 1, (3, 3)).dirtied_bytes == interval(0, 40)
    assert one_point(2, 1000, (0, 0), 1).dirtied_bytes == interval(1, 1)
    assert one_point(2, 1000, (0, 0), -1).dirtied_bytes == interval(0, 0)


def test_the_first_pass_alone_makes_the_curve_where_there_is_no_other():
    found = curve([sync(1, 1000, (20, 40), 20)])
    assert found.points == (Point(pytest.approx(1000), interval(20, 40), 20 * MB),)
    assert found.working_set_bytes == 20 * MB


@pytest.mark.parametrize(("high", "kept"), [(20.19, True), (20.2, True), (20.21, False)])
def test_the_first_pass_counts_beside_others_only_if_it_is_known_within_a_hundredth(high, kept):
    found = curve([sync(1, 1000, (high, high), 20), sync(2, 3000, (30, 40), 30)])
    assert [round(one.duration_ms) for one in found.points] == ([1000, 3000] if kept else [3000])
    if kept:
        assert found.points[0].likely_bytes == 20 * MB


def test_the_set_is_the_most_that_a_later_sync_found():
    found = curve([sync(1, 1000, (90, 90), 89.9), sync(2, 3000, (10, 30), 25), sync(3, 3000, (10, 20), 5)])
    assert found.working_set_bytes == pytest.approx(89.9 * MB)  # What the first pass dirtied counts as dirtied,
    later = curve([sync(1, 1000, (90, 95), 10), sync(2, 3000, (10, 30), 25), sync(3, 3000, (10, 20), 5)])
    assert later.working_set_bytes == 30 * MB  # but not what it left unsent.
    assert later.points[1].likely_bytes == pytest.approx(10 * MB)  # 15 of 30 MB were unsent, so half was not new.


def through(*points, pending_mb=0.0):
    made_of = [Point(ms, interval(low, high), likely * MB) for ms, low, high, likely in points]
    return DirtyingCurve.through(made_of, pending_mb * MB)


def test_the_level_of_passes_of_one_length_is_what_they_dirtied():
    drawn = through((1000, 10, 30, 20))
    assert (drawn.time_constant_ms, drawn.asymptote_bytes, drawn.working_set_bytes) == (0.0, 20 * MB, 20 * MB)
    assert through((1000, 10, 30, 20), pending_mb=50).working_set_bytes == 50 * MB
    assert through((1000, 9, 9, 9), (2000, 20, 20, 20), (3000, 9, 9, 9)).asymptote_bytes == 20 * MB


def test_a_curve_that_bends_goes_through_its_shortest_and_its_longest_pass():
    drawn = through((1000, 30, 30, 30), (3000, 60, 60, 60))
    assert drawn.time_constant_ms == pytest.approx(
        2078.08, abs=0.01
    )  # 30 (1 + q + q²) = 60 with q = exp(-1000 ÷ constant)
    assert drawn.asymptote_bytes == pytest.approx(30 * MB / (1 - math.exp(-1000 / drawn.time_constant_ms)))
    assert drawn.likely(1000) == pytest.approx(30 * MB) and drawn.likely(3000) == pytest.approx(60 * MB)
    assert drawn.likely(2000) == pytest.approx(drawn.asymptote_bytes * (1 - math.exp(-2000 / drawn.time_constant_ms)))


def test_what_lies_between_does_not_bend_the_curve():
    drawn = through((1000, 30, 30, 30), (2000, 50, 50, 50), (3000, 60, 60, 60))
    straight = through((1000, 30, 30, 30), (3000, 60, 60, 60))
    assert (drawn.time_constant_ms, drawn.asymptote_bytes) == (straight.time_constant_ms, straight.asymptote_bytes)


def test_passes_that_differ_by_just_a_tenth_are_of_two_lengths():
    assert [group.duration_ms for group in through((1000, 9, 9, 9), (1100, 9, 9, 9)).groups] == [1000, 1100]


def test_a_curve_that_nearly_grows_in_proportion_or_is_nearly_flat_is_found_too():
    nearly = through((1000, 10, 10, 10), (2000, 19.9999, 19.9999, 19.9999))
    assert nearly.time_constant_ms == pytest.approx(1e8, rel=0.01)
    flat = through((1000, 30, 30, 30), (9000, 30.31, 30.31, 30.31))
    assert flat.time_constant_ms == pytest.approx(1000 / math.log(30.31 / 0.31), rel=1e-4)


@pytest.mark.parametrize(("longest", "time_constant_ms"), [(30.3, 0.0), (90.0, math.inf), (90.1, math.inf)])
def test_a_curve_is_flat_or_straight_from_its_very_threshold_on(longest, time_constant_ms):
    assert through((1000, 30, 30, 30), (3000, longest, longest, longest)).time_constant_ms == time_constant_ms


def test_bounds_are_those_of_a_concave_curve_that_never_falls():
    drawn = through((1000, 10, 20, 15), (2000, 25, 30, 27))
    assert drawn.bounds(500) == interval(12.5 / 2, 20)
    assert drawn.bounds(1000) == interval(12.5, 20)
    assert drawn.bounds(1500) == interval(18.75, 30)
    assert drawn.bounds(3000) == interval(25, 45)
    assert drawn.bounds(0) == interval(0, 20)


def test_a_guess_beyond_the_bounds_is_put_at_their_nearer_end():
    drawn = through((1000, 10, 20, 20), (2000, 25, 30, 25))
    assert drawn.likely(1000) == pytest.approx(20 * MB)
    flat = through((1000, 10, 12, 12))
    assert flat.likely(500) == 12 * MB and flat.likely(3000) == 12 * MB and flat.likely(0) == 12 * MB
    low = through((1000, 10, 20, 10), (2000, 30, 40, 30), (4000, 30, 40, 30))
    assert low.likely(2000) == 30 * MB


def test_what_grows_in_proportion_is_guessed_by_the_longest_pass():
    drawn = through((1000, 9, 11, 10), (3000, 30, 36, 33))
    assert drawn.likely(2000) == pytest.approx(22 * MB)
    assert drawn.steady(500) == pytest.approx(5.5 * MB)
    assert through((1000, 0, 99, 10), (2000, 0, 99, 25), (3000, 0, 99, 33)).likely(1500) == pytest.approx(16.5 * MB)


def test_pending_is_what_was_unsent_and_what_was_dirtied_of_the_rest():
    drawn = through((1000, 10, 20, 15), pending_mb=30)
    assert drawn.likely_pending(1000, 10 * MB) == pytest.approx((10 + 15 * 2 / 3) * MB)
    assert drawn.likely_pending(1000, 60 * MB) == 60 * MB
    assert drawn.likely_pending(1000, 0) == 15 * MB
    assert through((1000, 0, 0, 0)).likely_pending(1000, 0) == 0
    assert through((1000, 0, 0, 0)).likely_pending(1000, 1) == 1
    assert through((1000, 1 / MB, 1 / MB, 1 / MB)).likely_pending(1000, 0.5) == 1
    assert drawn.least_pending(1000, 5 * MB) == 10 * MB and drawn.least_pending(1000, 15 * MB) == 15 * MB
    assert drawn.most_pending(1000, 5 * MB) == 25 * MB
    assert drawn.most_pending(1000, 15 * MB) == 30 * MB
    assert drawn.most_pending(1000, 40 * MB) == 40 * MB
    assert through((1000, 10, 40, 15), pending_mb=30).most_pending(1000, 15 * MB) == 40 * MB
    assert drawn.least_in_bursts(600, 0) == pytest.approx(5 * MB)
    assert drawn.least_in_bursts(100, 0) == drawn.least_in_bursts(99, 0) == 0
    assert drawn.least_in_bursts(600, 7 * MB) == 7 * MB


def test_a_steady_guest_lies_half_way_between_the_chord_and_its_neighbours_extended():
    drawn = through((1000, 30, 30, 30), (2000, 50, 50, 50), (4000, 60, 60, 60))
    # Between 1000 and 2000 ms: the chord, and that of the passes before (30 MB a second) and after (5 MB a second).
    assert drawn.steady(1500) == pytest.approx((40 + min(50, 45, 47.5)) / 2 * MB)
    assert drawn.steady(1100) == pytest.approx((32 + min(50, 33, 45.5)) / 2 * MB)
    assert drawn.steady(1900) == pytest.approx((48 + min(50, 57, 49.5)) / 2 * MB)
    # Between 2000 and 4000 ms: nothing is behind.
    assert drawn.steady(3000) == pytest.approx((55 + 60) / 2 * MB)
    assert drawn.steady(2200) == pytest.approx((51 + 54) / 2 * MB)
    assert [drawn.steady(ms) for ms in (1000, 2000, 4000, 9000)] == pytest.approx([30 * MB, 50 * MB, 60 * MB, 60 * MB])


def test_a_steady_guest_before_the_first_pass_is_guessed_within_its_bounds():
    drawn = through((1000, 30, 30, 30), (2000, 50, 50, 50))
    assert drawn.steady(500) == pytest.approx(drawn.likely(500)) and 15 * MB < drawn.steady(500) < 25 * MB
    assert drawn.steady(0) == 0
    flat = through((1000, 30, 30, 30), (2000, 30, 30, 30))
    assert flat.steady(500) == flat.steady(0) == 30 * MB
    bent = through((1000, 30, 30, 30), (2000, 31, 31, 31), (4000, 60, 60, 60))
    assert bent.steady(1500) == pytest.approx((35 + 45) / 2 * MB)  # A pass that is below the others is no corner.


def test_a_pass_that_lies_on_the_line_between_its_neighbours_is_no_corner():
    drawn = through((1000, 30, 30, 30), (2000, 60, 60, 60), (3000, 60, 60, 60))
    at_500_ms = drawn.likely(500)
    assert at_500_ms > 16 * MB and drawn.steady(500) == pytest.approx(at_500_ms)


def test_a_steady_guest_of_one_length_has_dirtied_all_at_once():
    drawn = through((1000, 10, 20, 15))
    assert [drawn.steady(ms) for ms in (1, 500, 1000, 2000)] == [15 * MB] * 4
