# SPDX-License-Identifier: GPL-2.0-or-later
"""No part of a recording says something else than the whole: some of what `make contradictions` tries."""

import pytest

from avocado_migdowntime.prediction.advice import Finding
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement
from selftests.support.contradictions import case, contradictions

CASES = range(1_000_000, 1_000_400)


@pytest.mark.parametrize("begin", CASES[::100])
def test_no_part_says_what_the_whole_denies(begin):
    found = {seed: denied for seed in range(begin, begin + 100) if (denied := contradictions(case(seed)))}
    assert found == {}


def test_some_parts_say_as_much_as_the_whole():
    read = [one.trace for one in map(case, CASES) if one.trace is not None]
    assert len(read) > len(CASES) * 0.9
    assert sum(judge(trace).verdict is not Judgement.INCONCLUSIVE for trace in read) >= len(CASES) // 20
    assert sum(advise(trace).finding is Finding.FOUND for trace in read) >= len(CASES) // 20


FOUND_ONCE = {
    54_280: "a rate of 0 that was rounded up is no rate: the report was the initial value",
    52_477: "a sync known to 3 %, and a shorter pass that may dirty 10 % more",
    4_002: "passes that end early under a limit that is not shown",
    57_273: "a bandwidth that was estimated from a rest",
    5_001_929: "passes that end early under a limit that is not shown, once more",
    5_001_326: "a limit that somebody set to end it at last, of which no pass tells what it does",
    63_440: "what a sync found in mid-pass, of a text with three digits",
    200_070: "redirty, with a bandwidth that moves",
}
"""Seeds of cases that contradicted once, and why."""


@pytest.mark.parametrize("seed", FOUND_ONCE, ids=lambda seed: str(seed))
def test_what_contradicted_once_does_no_more(seed):
    assert contradictions(case(seed)) == []
