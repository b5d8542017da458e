# SPDX-License-Identifier: GPL-2.0-or-later
"""When two builds are called equal: neither side of the test may be left out, nor what is shared by several builds.

The tolerance is 1 %, so that a difference of 0.25 % is noticed.
"""

import pytest

from avocado_migdowntime.comparison.compare import Answer, compare
from avocado_migdowntime.comparison.outcome import RunOutcome

TOLERANCE = 0.01


def runs(build, errors, variant="ppc64"):
    return [
        RunOutcome(
            build,
            variant,
            "PASS",
            "",
            True,
            "accurate",
            "last-sync",
            error,
            "respected",
            "",
            20,
            "last-sync",
            TOLERANCE,
        )
        for error in errors
    ]


def between(reference, build, builds=2):
    return compare(runs("old", reference), runs("new", build), builds)


EVEN = [0.001 + number * 1e-6 for number in range(6)]


ABOVE = [error + (0.0021 if number % 2 else 0.0026) for number, error in enumerate(EVEN)]
"""Greater by more than is noticed in half of the runs, but not in the median."""


@pytest.mark.parametrize(("reference", "build", "shift"), [(EVEN, ABOVE, 0.00235), (ABOVE, EVEN, -0.00235)])
def test_a_build_that_may_be_off_by_what_is_noticed_either_way_is_not_equal(reference, build, shift):
    """The chance of such runs, were it so, is great on that side, and 1 in 924 on the other."""
    found = between(reference, build)
    assert (found.answer, found.needed) == (Answer.UNDECIDED, 12)
    assert found.contrast.hodges_lehmann_shift == pytest.approx(shift) and found.contrast.direction == 0
    assert found.contrast.tost_p == pytest.approx(491 / 924)


@pytest.mark.parametrize(
    ("off", "answer"),
    [(0.0024, Answer.EQUAL), (0.0026, Answer.WORSE), (-0.0024, Answer.EQUAL), (-0.0026, Answer.BETTER)],
)
def test_a_quarter_of_the_tolerance_is_noticed(off, answer):
    found = between([0.005 + error for error in EVEN], [0.005 + off + error for error in EVEN])
    assert found.answer is answer and found.contrast.hodges_lehmann_shift == pytest.approx(off)


@pytest.mark.parametrize(
    ("sizes", "one_in", "builds", "answer"),
    [
        ((2, 4), 15, 2, Answer.UNDECIDED),
        ((3, 3), 20, 2, Answer.EQUAL),  # 5 % are allowed to one comparison,
        ((3, 3), 20, 3, Answer.UNDECIDED),  # and to two of them together,
        ((3, 4), 35, 2, Answer.EQUAL),
        ((3, 4), 35, 3, Answer.UNDECIDED),
        ((4, 4), 70, 4, Answer.EQUAL),
        ((4, 4), 70, 5, Answer.UNDECIDED),  # to four.
    ],
)
def test_what_is_allowed_is_shared_by_all_builds_for_equal_too(sizes, one_in, builds, answer):
    first, second = sizes
    found = between(EVEN[:first], EVEN[:second], builds)
    assert found.contrast.tost_p == pytest.approx(1 / one_in)
    assert found.answer is answer


def both(repeat_b, b_errors=EVEN):
    """Six runs of variant a, which are the same on both builds, and some of b."""
    reference = runs("old", EVEN, "a") + runs("old", EVEN[:repeat_b], "b")
    return compare(reference, runs("new", EVEN, "a") + runs("new", b_errors[:repeat_b], "b"))


def test_builds_are_equal_only_if_they_are_in_each_variant():
    """Over both variants together such runs of builds that differ would be of a chance of 1 in 5544."""
    few = both(2)
    assert few.answer is Answer.UNDECIDED
    assert few.contrast.variant == "" and few.contrast.tost_p == pytest.approx(1 / (924 * 6))
    enough = both(3)
    assert (enough.answer, enough.contrast.variant) == (Answer.EQUAL, "b")
    assert enough.contrast.tost_p == pytest.approx(1 / 20)
    assert both(6, ABOVE).answer is Answer.UNDECIDED
