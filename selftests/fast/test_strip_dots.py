# SPDX-License-Identifier: GPL-2.0-or-later
"""Where each dot of a strip is put, and what it is called."""

import pytest

from avocado_migdowntime.comparison.outcome import RunOutcome
from avocado_migdowntime.pictures.strip_plot import of_builds, of_truths, strips

from ..support.outcomes import truth


def run_on(build, error, variant="v", tolerance=0.01):
    return RunOutcome(build, variant, "PASS", passed=True, relative_error=error, tolerance=tolerance)


def test_guests_are_told_apart_by_how_fast_they_dirty_and_when_they_were_stopped():
    truths = [
        truth("some", 0.01 * number, in_pass, ratio)
        for number, (ratio, in_pass) in enumerate([(0.5, 0.1), (0.5, 0.5), (0.5, 0.9), (2, 0.1), (2, 0.5), (2, 0.9)])
    ]
    strip = of_truths(truths)
    assert [(kind.name, kind.colour, kind.shape, kind.heights) for kind in strip.kinds] == [
        ("dirties slower than QEMU sends, stopped early in the pass", 0, 0, (-0.2,)),
        ("dirties slower than QEMU sends, stopped in the middle of the pass", 0, 1, (0.0,)),
        ("dirties slower than QEMU sends, stopped late in the pass", 0, 2, (0.2,)),
        ("dirties faster than QEMU sends, stopped early in the pass", 1, 0, (-0.2,)),
        ("dirties faster than QEMU sends, stopped in the middle of the pass", 1, 1, (0.0,)),
        ("dirties faster than QEMU sends, stopped late in the pass", 1, 2, (0.2,)),
    ]
    assert [kind.shares for kind in strip.kinds] == [(0.01 * number,) for number in range(6)]
    assert strip.title == "6 guests stopped in mid-pass" and strip.within is None
    assert strip.axis == "estimate ÷ time from the stop until the destination could run - 1"
    assert strip.rows == ("some: 2.5% median, 4.5% at 90 %",)


def test_the_best_estimator_is_the_topmost_row():
    strip = of_truths([truth("bad", 0.5, 0.1), truth("good", 0.01, 0.1)])
    (kind,) = strip.kinds
    assert (kind.shares, kind.heights) == ((0.01, 0.5), (-0.2, 0.8))
    assert strip.rows == ("good: 1.0% median, 1.0% at 90 %", "bad: 50.0% median, 50.0% at 90 %")


def test_the_runs_of_each_build_lie_beside_each_other_on_its_row():
    builds = [
        [run_on("old", 0.001), run_on("old", 0.003), run_on("old", 0.002), run_on("old", 0.004, "w")],
        [run_on("new", -0.004), run_on("new", -0.002), RunOutcome("new", "w", "ERROR")],
    ]
    strip = of_builds(builds)
    assert strip.title == "7 runs on 2 builds"
    assert strip.axis == "expected-downtime ÷ the expected value - 1"
    assert strip.rows == ("v on old, +0.20% median", "v on new, -0.30% median", "w on old, +0.40% median", "w on new")
    old, new = strip.kinds
    assert (old.name, old.colour, old.shape) == ("old", 0, 0) and (new.name, new.colour, new.shape) == ("new", 1, 1)
    assert old.shares == (0.001, 0.003, 0.002, 0.004) and new.shares == (-0.004, -0.002)
    assert old.heights == pytest.approx((-0.2, 0.0, 0.2, 2.0), abs=1e-9)
    assert new.heights == pytest.approx((0.85, 1.15))


def test_the_tolerance_is_that_of_the_first_run_that_has_one():
    builds = [[RunOutcome("a", "v", "ERROR"), run_on("a", 0.1, tolerance=0.02)], [run_on("b", 0.1, tolerance=0.03)]]
    assert of_builds(builds).within == 0.02
    assert of_builds([[run_on("a", 0.1, tolerance=None)], [run_on("b", 0.1, tolerance=None)]]).within is None


def test_a_build_whose_runs_came_to_nothing_keeps_its_row_and_its_colour():
    strip = of_builds([[RunOutcome("a", "v", "ERROR")], [run_on("b", 0.1)]])
    assert strip.rows == ("v on a", "v on b, +10.00% median")
    assert [(kind.name, kind.colour, kind.shares, kind.heights) for kind in strip.kinds] == [
        ("a", 0, (), ()),
        ("b", 1, (0.1,), (1.0,)),
    ]


def test_a_variant_that_one_build_did_not_run_has_an_empty_row():
    strip = of_builds([[run_on("a", 0.1)], [run_on("b", 0.2, "w")]])
    assert strip.rows == ("v on a, +10.00% median", "v on b", "w on a", "w on b, +20.00% median")
    assert [kind.heights for kind in strip.kinds] == [(0.0,), (3.0,)]


def test_one_build_is_no_picture_and_neither_are_two_without_a_figure():
    one, none = [run_on("a", 0.1)], [RunOutcome("b", "v", "ERROR")]
    assert strips([], [one]) == strips([], []) == strips([], [none, none]) == []
    assert [strip.title for strip in strips([], [one, none])] == ["2 runs on 2 builds"]
    assert [strip.title for strip in strips([truth()], [one])] == ["1 guest stopped in mid-pass"]
