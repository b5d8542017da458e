# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a contrast turns, on both sides of each of its thresholds, and what is said of runs that cannot be held
against each other. The tolerance is 1 %, so that a difference of 0.25 % is noticed.
"""

from dataclasses import replace

import pytest

from avocado_migdowntime.comparison import compare as module
from avocado_migdowntime.comparison.compare import ALPHA, ENOUGH, Answer, Contrast, by_variant, compare, repetitions
from avocado_migdowntime.comparison.rank_test import min_p_value, stratified_rank_sum_test
from avocado_migdowntime.errors import UsageError

from ..support.outcomes import broken, run, untold

MARGIN = 0.0025


def contrast(before, after, alpha=ALPHA, failed=(0, 0)):
    sides = [
        [*(run(build, error) for error in errors), *[broken(build)] * count]
        for build, errors, count in zip(("old", "new"), (before, after), failed, strict=True)
    ]
    return Contrast("", (tuple(sides),), alpha, MARGIN)


def spread(begin, count=4):
    return [begin + number * 1e-6 for number in range(count)]


@pytest.mark.parametrize(
    ("failed", "direction"),
    [((0, 2), 0), ((0, 3), 1), ((2, 0), 0), ((3, 0), -1), ((3, 3), 0), ((2, 3), 1), ((1, 3), 1)],
)
def test_verdicts_have_turned_where_more_than_half_of_the_runs_of_one_side_failed(failed, direction):
    passed = [[0.001] * (4 - count) for count in failed]
    found = contrast(*passed, failed=failed)
    assert found.runs == (4, 4) and found.failed == failed
    both = replace(found, equivalence_margin=float("inf"))
    assert both.direction == direction


@pytest.mark.parametrize(("off", "direction"), [(0.5, 1), (0.25, 1), (0.125, 0), (0.0, 0)])
def test_a_difference_of_just_the_margin_is_noticed(off, direction):
    sides = ([run("old", 0.5, tolerance=9)], [run("new", 0.5 + off, tolerance=9)])
    assert Contrast("", (sides,), ALPHA, 0.25).direction == direction
    assert Contrast("", (sides[::-1],), ALPHA, 0.25).direction == -direction


def test_the_shift_is_the_median_over_the_pairs_of_each_variant():
    sides = (
        ([run("old", 0.001)], [run("new", 0.003), run("new", -0.008)]),
        ([run("old", 0.004), run("old", 0.005)], [run("new", 0.004)]),
    )
    found = Contrast("", sides, ALPHA, MARGIN)
    assert found.hodges_lehmann_shift == pytest.approx((0.0 + 0.002) / 2)  # of -0.001, 0, 0.002 and 0.007
    assert (found.runs, found.failed) == ((3, 3), (0, 0))
    assert found.abs_errors(raised_before=1) == [
        ([pytest.approx(1.001)], [0.003, 0.008]),
        ([pytest.approx(1.004), pytest.approx(1.005)], [0.004]),
    ]
    assert found.abs_errors(raised_after=1)[1] == ([0.004, 0.005], [pytest.approx(1.004)])


def test_what_is_proven_may_be_by_chance_as_often_as_is_allowed():
    found = contrast(spread(0.001), spread(0.005))
    assert found.test.p == pytest.approx(2 / 70)
    assert replace(found, alpha=found.test.p).significant_direction == 1
    assert replace(found, alpha=found.test.p * 0.999).significant_direction == 0
    better = contrast(spread(0.005), spread(0.001))
    assert replace(better, alpha=better.test.p).significant_direction == -1


def test_ranks_that_contradict_the_failures_prove_nothing():
    """Most of the new runs failed by a little, and those of the old passed but were further off than any of them."""
    old = [replace(run("old", 0.009, tolerance=1), passed=True) for _ in range(9)]
    new = [replace(run("new", 0.001, tolerance=0), passed=False) for _ in range(9)]
    found = Contrast("", ((old, new),), ALPHA, MARGIN)
    assert (found.direction, found.test.p < 0.001, found.significant_direction) == (1, True, 0)
    assert Contrast("", ((new, old),), ALPHA, MARGIN).significant_direction == 0


def test_where_nothing_is_noticed_nothing_is_proven_either():
    found = contrast(spread(0.001, 8), spread(0.002, 8))
    assert found.test.p < 0.001 and found.direction == found.significant_direction == 0
    assert contrast(spread(0.002, 8), spread(0.001, 8)).significant_direction == 0


def test_p_equal_is_the_greater_of_the_two_tests():
    found = contrast(spread(0.001), [0.0034, 0.0036, 0.0037, 0.0038])
    raised = stratified_rank_sum_test(found.abs_errors(raised_before=MARGIN)).p_smaller
    other = stratified_rank_sum_test(found.abs_errors(raised_after=MARGIN)).p_greater
    assert found.tost_p == raised == pytest.approx(63 / 70)  # 7 choices of 4 ranks sum up to more than 22.
    assert other == pytest.approx(1 / 70)
    swapped = contrast([0.0034, 0.0036, 0.0037, 0.0038], spread(0.001))
    assert swapped.tost_p == pytest.approx(found.tost_p)


@pytest.mark.parametrize(
    ("variants", "builds", "alphas"),
    [
        (1, 2, (0.05, 0.05)),
        (1, 3, (0.025, 0.025)),
        (2, 2, (0.025, 0.0125)),
        (4, 2, (0.025, 0.00625)),
        (2, 6, (0.005, 0.0025)),
    ],
)
def test_what_is_allowed_goes_half_to_all_variants_and_half_to_each(variants, builds, alphas):
    names = [f"v{number}" for number in range(variants)]
    old = [run("old", error, name) for name in names for error in spread(0.001, 9)]
    new = [run("new", error, name) for name in names for error in spread(0.005, 9)]
    assert compare(old, new, builds).contrast.alpha == pytest.approx(alphas[0])
    one_differs = [replace(one, relative_error=0.001) if one.variant != "v0" else one for one in new]
    found = compare(old, one_differs, builds)
    assert found.contrast.alpha == pytest.approx(alphas[1] if variants > 1 else alphas[0])


def test_as_many_repetitions_as_just_reach_what_is_allowed(monkeypatch):
    monkeypatch.setattr(module, "ALPHA", min_p_value([(4, 4)]))
    assert repetitions(1, 2) == 4
    monkeypatch.setattr(module, "ALPHA", 1.0)
    assert repetitions(1, 2) == 1
    monkeypatch.setattr(module, "ALPHA", 0.9)
    assert repetitions(1, 2) == 2


def unsure(variant, repeat):
    """Runs of the new build that are off by more than is noticed in half of the runs, but not in the median."""
    errors = [0.001 + (0.0021 if number % 2 else 0.0026) + number * 1e-6 for number in range(repeat)]
    return [run("new", error, variant) for error in errors]


@pytest.mark.parametrize(("repeat", "needed"), [(3, 4), (4, 8), (8, 16), (10, 20), (12, 20), (14, 20)])
def test_twice_as_many_runs_may_tell_but_no_more_than_enough(repeat, needed):
    found = compare([run("old", error) for error in spread(0.001, repeat)], unsure("ppc64", repeat))
    assert (found.answer, found.needed) == (Answer.UNDECIDED, needed) and needed <= ENOUGH


def test_the_least_runs_of_any_side_are_those_to_be_doubled():
    old = [run("old", error, name) for name in "ab" for error in spread(0.001, 12)]
    found = compare(old, [*unsure("a", 12), *unsure("b", 6)])
    assert (found.answer, found.needed) == (Answer.UNDECIDED, 12)


def test_where_nothing_is_seen_but_equality_is_not_shown_the_contrast_is_that_of_all():
    found = compare([run("old", 0.0, name) for name in "ab"], [run("new", 0.0, name) for name in "ab"])
    assert (found.answer, found.contrast.variant, found.needed) == (Answer.UNDECIDED, "", 5)
    seen = compare([run("old", 0.0, name) for name in "ab"], [run("new", 0.009, "a"), run("new", 0.0, "b")])
    assert (seen.answer, seen.contrast.variant) == (Answer.UNDECIDED, "a")
    assert (seen.build, seen.reference) == ("new", "old")


def test_worse_is_said_before_better_and_all_variants_before_one():
    old = [run("old", error, name) for name, base in (("a", 0.001), ("b", 0.009)) for error in spread(base, 9)]
    new = [run("new", error, name) for name, base in (("a", 0.009), ("b", 0.001)) for error in spread(base, 9)]
    assert (compare(old, new).answer, compare(old, new).contrast.variant) == (Answer.WORSE, "a")
    only_better = [one if one.variant == "b" else replace(one, relative_error=0.001) for one in new]
    found = compare(old, only_better)
    assert (found.answer, found.contrast.variant) == (Answer.BETTER, "")


def test_runs_of_no_common_variant_or_of_two_contracts_are_refused_in_a_sentence():
    says = "^new and old have no variant in common; run the same test and variants on both$"
    with pytest.raises(UsageError, match=says):
        compare([run("old", 0.0, "a")], [run("new", 0.0, "b")])
    live = replace(run("new", 0.0, tolerance=0.02), contract="live")
    says = (
        r"^the runs were judged by last-sync ±1\.00% and live ±2\.00%; "
        "compare runs judged by one formula and tolerance$"
    )
    with pytest.raises(UsageError, match=says):
        compare([run("old", 0.0)], [live])


def test_variants_that_one_side_alone_has_are_left_out():
    old = [run("old", error, name) for name in "abc" for error in spread(0.001)]
    new = [run("new", error, name) for name in "cbd" for error in spread(0.001)]
    assert compare(old, new).contrast.runs == (4, 4)
    assert list(by_variant(old)) == ["a", "b", "c"] and by_variant(old)["b"] == old[4:8]


def test_runs_that_came_to_no_verdict_say_nothing_of_a_tolerance():
    found = compare([untold("old")], [untold("new")])
    assert (found.answer, found.contrast, found.needed) == (Answer.UNDECIDED, None, None)
    assert found.untold == "no run of ppc64 on old came to a verdict (QEMU ended with status 1)"
    later = compare([run("old", 0.0)], [untold("new")])
    assert later.untold == "no run of ppc64 on new came to a verdict (QEMU ended with status 1)"


def test_the_first_variant_that_cannot_be_told_is_named_and_no_answer_hides_it():
    old = [*(run("old", error) for error in spread(0.001)), run("old", 0.0, "b"), run("old", 0.0, "c")]
    new = [*(run("new", error) for error in spread(0.001)), untold("new", "b"), untold("new", "c")]
    found = compare(old, new)
    assert found.answer is Answer.UNDECIDED
    assert found.untold == "no run of b on new came to a verdict (QEMU ended with status 1)"
    assert found.contrast.runs == (4, 4) and found.needed == 8
    worse = compare(old, [replace(one, relative_error=0.005) if one.passed else one for one in new])
    assert worse.answer is Answer.WORSE and worse.untold == found.untold


def guests(build, variant, *names):
    return [replace(run(build, 0.0, variant), guest=name) for name in names]


def test_guests_of_another_kind_are_named_in_the_first_variant_where_they_differ():
    old = guests("old", "a", "x86 kvm") + guests("old", "b", "ppc64 tcg", "ppc64 kvm", "ppc64 tcg")
    new = guests("new", "a", "x86 kvm") + guests("new", "b", "ppc64 tcg")
    assert compare(old, new).unlike == (
        "not only the build differs: b was ppc64 kvm and ppc64 tcg on old, and ppc64 tcg on new"
    )
    assert compare(old, guests("new", "a", "x86 kvm")).unlike == ""
    unnamed = guests("new", "b", "", "ppc64 kvm", "", "ppc64 tcg")
    assert compare(old, [*guests("new", "a", "x86 kvm"), *unnamed]).unlike == ""
    assert compare(guests("old", "b", "x"), guests("new", "b", "y")).unlike == (
        "not only the build differs: b was x on old, and y on new"
    )


@pytest.mark.parametrize(("tolerance", "margin"), [(0.01, 0.0025), (0.04, 0.01), (0.0, 0.0)])
def test_a_quarter_of_the_tolerance_is_the_margin(tolerance, margin):
    found = compare([run("old", 0.0, tolerance=tolerance)], [run("new", 0.0, tolerance=tolerance)])
    assert found.contrast.equivalence_margin == margin and found.untold == ""
