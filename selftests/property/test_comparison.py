# SPDX-License-Identifier: GPL-2.0-or-later
"""Equal, better, worse or not enough runs: on simulated runs whose truth is known."""

import re
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from avocado_migdowntime.comparison.compare import ALPHA, Answer, compare, repetitions
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.report.comparison import sentence, summary

from ..support.outcomes import broken, run, runs, untold


@pytest.mark.long
@pytest.mark.parametrize("variants", [("ppc64",), ("ppc64", "x86_64")])
def test_a_thousand_pairs_of_the_same_build_raise_no_alarm(variants):
    random = Random(1)
    answers = [
        compare(runs(random, "old", variants=variants), runs(random, "new", variants=variants)).answer
        for _ in range(1000)
    ]
    assert not {Answer.WORSE, Answer.BETTER} & set(answers)
    assert answers.count(Answer.EQUAL) > 850


@pytest.mark.parametrize(("variants", "repeat"), [(("ppc64",), 4), (("ppc64", "x86_64"), 3)])
@pytest.mark.parametrize("bias", [-0.005, 0.006])
def test_half_a_percent_is_found_by_a_few_runs(bias, variants, repeat):
    random = Random(2)
    found = [
        compare(runs(random, "old", 0, repeat, variants), runs(random, "new", bias, repeat, variants)).answer
        for _ in range(200)
    ]
    assert set(found) <= {Answer.WORSE, Answer.UNDECIDED} and found.count(Answer.WORSE) > 160
    mended = compare(runs(random, "old", bias, repeat, variants), runs(random, "new", 0, repeat, variants))
    assert mended.answer is Answer.BETTER


@pytest.mark.long
@pytest.mark.parametrize(("noise", "variants", "repeat"), [(0.006, ("a",), 4), (0.02, ("a", "b"), 5)])
def test_however_much_runs_of_the_same_build_differ_few_alarms_are_false(noise, variants, repeat):
    random = Random(4)

    def some(build):
        return [run(build, random.gauss(0, noise), variant) for variant in variants for _ in range(repeat)]

    found = Counter(compare(some("old"), some("new")).answer for _ in range(500))
    alarms = found[Answer.WORSE] + found[Answer.BETTER]
    assert 0 < alarms <= 2 * ALPHA * 500, found


@pytest.mark.long
def test_builds_that_differ_in_one_variant_of_several_are_not_called_equal_for_the_others_sake():
    random = Random(5)

    def some(build, bias_of_b):
        biases = {"a": 0.0, "b": bias_of_b}
        return [
            run(build, bias - 0.004 + random.gauss(0, 0.001), name) for name, bias in biases.items() for _ in "12345"
        ]

    answers = Counter(compare(some("old", 0), some("new", -0.0025)).answer for _ in range(300))
    assert answers[Answer.EQUAL] <= 2 * ALPHA * 300, answers
    same = compare(some("old", 0), some("new", 0))
    assert same.answer is Answer.EQUAL
    assert re.search(r"p = 0\.\d+, 5 \+ 5 runs of [ab], the least sure\.$", sentence([same]))


def test_a_difference_that_is_sure_but_not_noticed_is_none():
    old, new = [run("old", -0.0005 - n * 1e-6) for n in range(8)], [run("new", -0.0010 - n * 1e-6) for n in range(8)]
    found = compare(old, new)
    assert found.contrast.test.p < 0.001 and found.answer is Answer.EQUAL
    assert "new is equal to old: |error| within ±0.25%, two one-sided tests U = 64 of 64" in sentence([found])


def test_too_few_runs_tell_nothing_and_say_how_many_may():
    found = compare([run("old", -0.0005)] * 3, [run("new", -0.82)] * 3)
    assert (found.answer, found.needed) == (Answer.UNDECIDED, 4)
    assert sentence([found]) == (
        "not enough runs to tell whether new differs from old: rank test U = 9 of 9, p = 0.1, 3 + 3 runs; "
        "4 repetitions may be enough."
    )
    assert compare([run("old", 0.0)] * 2, [run("new", 0.0)] * 2).answer is Answer.UNDECIDED


@pytest.mark.parametrize(("variants", "builds", "least"), [(1, 2, 4), (1, 4, 5), (2, 2, 5), (8, 2, 6)])
def test_as_many_repetitions_as_a_difference_in_one_variant_takes(variants, builds, least):
    assert repetitions(variants, builds) == least


def test_one_variant_that_is_worse_is_not_hidden_by_others_and_is_named():
    random = Random(3)
    variants = ("a", "b", "c", "d")
    old, new = (runs(random, build, repeat=6, variants=variants) for build in ("old", "new"))
    new = [replace(one, relative_error=one.relative_error - 0.006) if one.variant == "c" else one for one in new]
    found = compare(old, new)
    assert (found.answer, found.contrast.variant) == (Answer.WORSE, "c")
    assert "new is worse than old in c: |error| +0.63%, rank test U = 36 of 36" in sentence([found])
    few = compare([one for one in old if one in old[:3] + old[12:15]], [*new[:3], *new[12:15]])
    assert (few.answer, few.contrast.variant, few.needed) == (Answer.UNDECIDED, "c", 5)


def test_a_verdict_that_turns_is_noticed_however_small_the_step():
    old, new = [run("old", -0.0095 - n * 1e-6) for n in range(4)], [run("new", -0.0105 - n * 1e-6) for n in range(4)]
    assert compare(old, new).answer is Answer.WORSE
    assert compare(new, old).answer is Answer.BETTER


def test_another_fault_than_the_reports_is_worse_than_any_error():
    found = compare([run("old", -0.5)] * 4, [broken("new")] * 4)
    assert found.answer is Answer.WORSE and found.contrast.hodges_lehmann_shift > 1000
    assert "a fault other than the report" in sentence([found])
    both = compare([broken("old")] * 4, [broken("new")] * 4)
    assert both.answer is Answer.EQUAL and "4 of 4 failed on old, 4 of 4 failed on new, two " in sentence([both])


def test_a_build_that_comes_to_no_verdict_is_neither_equal_nor_worse():
    found = compare([run("old", 0.0)] * 4, [untold("new")] * 4)
    assert (found.answer, found.contrast) == (Answer.UNDECIDED, None)
    assert "no run of ppc64 on new came to a verdict (QEMU ended with status 1)" in sentence([found])
    rows = summary([[run("old", 0.0)] * 4, [untold("new")] * 4]).splitlines()
    assert " ".join(rows[1].split()) == "old ppc64 accurate 4× last-sync 4× +0.00 +0.00 +0.00 respected 4× - 20"
    assert " ".join(rows[2].split()) == "new ppc64 ERROR 4× - - - - - - -"
    other = [run(build, 0.0, "x86_64") for build in ("old", "new") for _ in range(4)]
    half = compare([run("old", 0.0)] * 4 + other[:4], [untold("new")] * 4 + other[4:])
    assert half.answer is Answer.UNDECIDED and "on new came to a verdict" in sentence([half])


def test_runs_that_were_judged_otherwise_or_elsewhere_are_refused():
    with pytest.raises(UsageError, match=r"judged by last-sync ±1.00% and last-sync ±2.00%"):
        compare([run("old", 0.0)], [run("new", 0.0, tolerance=0.02)])
    with pytest.raises(UsageError, match="new and old have no variant in common"):
        compare([run("old", 0.0)], [run("new", 0.0, "x86_64")])


def test_another_machine_or_accelerator_is_remarked_upon():
    old, new = (
        [replace(run(build, 0.0), guest=f"ppc64 pseries {accel}") for _ in range(4)]
        for build, accel in (("old", "kvm"), ("new", "tcg"))
    )
    found = compare(old, new)
    assert found.answer is Answer.EQUAL
    remark = "; not only the build differs: ppc64 was ppc64 pseries kvm on old, and ppc64 pseries tcg on new."
    assert sentence([found]).endswith(f"4 + 4 runs{remark}")
    assert compare(old, [replace(one, build="new") for one in old]).unlike == ""
    assert compare(old, [run("new", 0.0)] * 4).unlike == ""


def test_each_of_several_builds_is_held_to_more():
    old, new = [run("old", n * 1e-6) for n in range(4)], [run("new", 0.005 + n * 1e-6) for n in range(4)]
    assert compare(old, new).contrast.test.p < ALPHA and compare(old, new).answer is Answer.WORSE
    assert compare(old, new, builds=4).answer is Answer.UNDECIDED
