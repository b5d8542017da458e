# SPDX-License-Identifier: GPL-2.0-or-later
"""Scores of estimators, and a build that is good or bad by itself."""

from dataclasses import replace

import pytest

from avocado_migdowntime.comparison.estimator_score import PARTS, Score, errors, scores
from avocado_migdowntime.comparison.good_or_bad import BisectAnswer, Goodness, goodness
from avocado_migdowntime.verdict.mid_pass_stop import Estimate

from ..support.outcomes import run, truth, untold


def test_a_score_of_one_run_is_that_run():
    assert scores([truth("some", -0.25, 0.5, 2.0)]) == (
        Score("some", 1, 0.25, 0.25, 0.25, -0.25, {"middle": 0.25, "fast": 0.25}),
    )


def test_of_two_runs_the_ninetieth_percentile_lies_between_them():
    (found,) = scores([truth(error=0.1), truth(error=-0.2)])
    assert (found.runs, found.median, found.ninetieth, found.worst, found.bias) == pytest.approx(
        (2, 0.15, 0.19, 0.2, -0.05)
    )


@pytest.mark.parametrize(
    ("in_pass", "ratio", "parts"),
    [
        (0.0, 0.99, {"early", "slow"}),
        (1 / 3 - 1e-9, 1.0, {"early", "fast"}),
        (1 / 3, 1.0, {"middle", "fast"}),
        (2 / 3 - 1e-9, 1.01, {"middle", "fast"}),
        (2 / 3, 0.5, {"late", "slow"}),
        (1.0, 2.0, {"late", "fast"}),
    ],
)
def test_parts_of_a_grid_meet_at_thirds_of_a_pass_and_where_as_much_is_dirtied_as_sent(in_pass, ratio, parts):
    assert {name for name, inside in PARTS.items() if inside(truth("some", 0.1, in_pass, ratio))} == parts


def test_errors_are_those_of_one_estimator_in_the_order_of_the_guests():
    several = replace(truth("a", 0.1), estimates=(Estimate("a", 1, 0.3), Estimate("b", 2, -0.4)))
    truths = [truth("a", 0.1), several, truth("b", 0.2)]
    assert errors("a", truths) == [0.1, 0.3]
    assert errors("b", truths) == [-0.4, 0.2]
    assert [(one.name, one.runs, one.median) for one in scores(truths)] == [
        ("a", 2, pytest.approx(0.2)),
        ("b", 2, pytest.approx(0.3)),
    ]
    assert [one.name for one in scores([truth("worse", 0.2), truth("better", -0.1)])] == ["better", "worse"]


def test_a_build_with_a_run_that_failed_is_bad_and_says_how_many():
    bad = replace(run("q", 0.5), reason="is off")
    assert goodness([run("q", 0.0), bad, replace(bad, reason="is off again")]) == BisectAnswer(
        "q", Goodness.BAD, "2 of 3 runs failed: is off"
    )


def test_a_build_is_good_whose_runs_passed_where_they_came_to_a_verdict():
    runs = [run("q", 0.0), untold("q"), run("q", 0.0)]
    assert goodness(runs) == BisectAnswer("q", Goodness.GOOD, "2 of 3 runs passed")


def test_a_build_of_which_one_variant_came_to_nothing_cannot_be_told():
    runs = [run("q", 0.0), untold("q", "w"), replace(untold("q", "w"), reason="other")]
    assert goodness(runs) == BisectAnswer(
        "q", Goodness.UNKNOWN, "no run of w in 2 came to a verdict: QEMU ended with status 1"
    )


def test_one_run_is_enough_for_either():
    assert goodness([run("q", 0.0)]) == BisectAnswer("q", Goodness.GOOD, "1 of 1 runs passed")
    assert goodness([untold("q")]).reason == "no run of ppc64 in 1 came to a verdict: QEMU ended with status 1"
