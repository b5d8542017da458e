# SPDX-License-Identifier: GPL-2.0-or-later
"""The dirtying curve: through recorded passes, and through points of guests whose curve is known."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.dirty_curve import DirtyingCurve, Point, curve

RECORDINGS = Path(__file__).parents[1] / "recordings"
SET_BYTES = 50e6


def through(dirtied, durations_ms):
    amounts = [(ms, dirtied(ms)) for ms in durations_ms]
    return DirtyingCurve.through([Point(ms, Interval(size, size), size) for ms, size in amounts])


def random_writes(bytes_per_ms):
    return lambda ms: SET_BYTES * -math.expm1(-ms * bytes_per_ms / SET_BYTES)


def recorded(name):
    trace = read(str(RECORDINGS / f"{name}.jsonl.gz"))
    return curve(Evidence.of(trace).syncs)


def test_a_recorded_guest_has_dirtied_its_region_within_the_shortest_pass():
    found = recorded("ppc64-tcg-qemu-11.1")
    assert [round(point.duration_ms) for point in found.points] == [5305, 5006, 1205]
    for point in found.points:
        assert point.likely_bytes == pytest.approx(63 << 20, rel=0.001)
    assert found.time_constant_ms == 0
    assert found.likely(600) == pytest.approx(found.asymptote_bytes, rel=1e-4)
    assert found.bounds(602).low == pytest.approx(found.bounds(602).high / 2, rel=0.01)


def test_what_was_unsent_leaves_it_open_how_much_was_dirtied():
    found = recorded("x86_64-kvm-qemu-7.2-limit-700ms")
    third = found.points[2]
    assert (third.dirtied_bytes.low, third.dirtied_bytes.high) == pytest.approx((69.9e6, 103.8e6), rel=0.002)
    assert third.likely_bytes == pytest.approx(99 << 20, rel=0.01)


def test_between_the_points_and_outside_the_curve_is_bounded_by_rays_and_levels():
    drawn = through({1000: 30e6, 2000: 40e6}.get, [1000, 2000])
    assert drawn.bounds(500) == Interval(15e6, 30e6)
    assert drawn.bounds(1500) == Interval(30e6, 40e6)
    assert drawn.bounds(1250) == Interval(30e6, 37.5e6)
    assert drawn.bounds(4000) == Interval(40e6, 80e6)
    assert drawn.bounds(0) == Interval(0, 30e6)


def test_a_guest_that_dirties_in_proportion_to_time_shows_no_end_of_its_set():
    drawn = through(lambda ms: 9000 * ms, [1000, 3000])
    assert math.isinf(drawn.working_set_bytes)
    assert drawn.likely(500) == pytest.approx(4.5e6)
    assert drawn.likely_pending(500, 1e6) == pytest.approx(5.5e6)


def test_passes_of_like_duration_make_no_slope():
    drawn = through({1000: 30e6, 1090: 31e6}.get, [1000, 1090])
    assert len(drawn.groups) == 1
    assert drawn.likely(100) == 30.5e6


def test_a_guest_that_dirties_nothing_has_an_empty_curve():
    drawn = through(lambda ms: 0, [1000, 3000])
    assert (drawn.likely(2000), drawn.working_set_bytes) == (0, 0)


@given(
    st.floats(1_000, 500_000),
    st.lists(st.integers(200, 20_000), min_size=1, max_size=6),
    st.floats(1, 60_000),
)
def test_the_bounds_hold_the_true_curve_and_the_guess(bytes_per_ms, durations_ms, at_ms):
    truth = random_writes(bytes_per_ms)
    drawn = through(truth, durations_ms)
    assume(all(longer >= 1.1 * shorter for shorter, longer in pairwise(sorted(set(durations_ms)))))
    assert [group.duration_ms for group in drawn.groups] == sorted(set(durations_ms))
    bounds = drawn.bounds(at_ms)
    assert bounds.low * 0.999999 <= truth(at_ms) <= bounds.high * 1.000001
    assert bounds.low <= drawn.likely(at_ms) <= bounds.high


@given(st.floats(3_000, 60_000), st.integers(500, 2000), st.integers(2, 5), st.floats(1, 10_000))
def test_two_points_that_differ_find_writes_at_random(bytes_per_ms, short_ms, factor, at_ms):
    truth = random_writes(bytes_per_ms)
    drawn = through(truth, [short_ms, short_ms * factor])
    assume(truth(short_ms) < 0.95 * truth(short_ms * factor))
    assert drawn.likely(at_ms) == pytest.approx(truth(at_ms), rel=0.01)


@given(
    st.lists(st.tuples(st.integers(100, 9000), st.floats(0, 1e8), st.floats(0, 1e7)), min_size=1, max_size=6),
    st.floats(0, 20_000),
    st.floats(0, 2e8),
)
def test_any_points_make_a_curve_within_its_bounds(raw, at_ms, unsent):
    curve = DirtyingCurve.through([Point(ms, Interval(size, size + width), size) for ms, size, width in raw])
    bounds = curve.bounds(at_ms)
    assert bounds.low <= curve.likely(at_ms) <= bounds.high
    for pending in (curve.likely_pending, curve.least_pending, curve.most_pending):
        assert unsent <= pending(at_ms, unsent) * 1.000001


@pytest.mark.parametrize("ratio", [0.6, 1, 2, 4, 8, 50])
@pytest.mark.parametrize("writes", [random_writes, lambda rate: lambda ms: min(SET_BYTES, rate * ms)])
def test_passes_of_several_lengths_tell_what_a_steady_guest_dirties_in_any_time(writes, ratio):
    dirtied = writes(ratio * SET_BYTES / 3000)
    known = through(dirtied, [375, 1000, 2000, 3000])
    for ms in range(300, 3001, 50):
        left = SET_BYTES * (1 - ms / 3000)
        assert left + known.steady(ms) == pytest.approx(left + dirtied(ms), rel=0.12), ms
    for ms in (375, 1000, 2000, 3000):
        assert known.steady(ms) == pytest.approx(dirtied(ms))
    assert known.steady(9000) == pytest.approx(dirtied(3000))


def test_a_pass_in_which_a_steady_guest_dirtied_less_than_others_say_is_noise():
    known = through({1000: 10e6, 2000: 12e6, 3000: 30e6}.get, [1000, 2000, 3000])
    assert known.steady(2000) == pytest.approx(20e6)
