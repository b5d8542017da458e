# SPDX-License-Identifier: GPL-2.0-or-later
"""No part of a recording says something else than the whole: some of what `make contradictions` tries."""

import pytest

from avocado_migdowntime.prediction.advice import Finding
from avocado_migdowntime.verdict.verdict import Judgement
from selftests.support.contradictions import case, contradictions
from selftests.support.examples import share_of

CASES = range(1_000_000, 1_000_000 + share_of(400))
READ = 0.9
"""So great a share of the cases is read by the form that they are in, and is not refused."""
TOLD = 0.05
"""For so great a share there is a verdict, and a limit."""


@pytest.mark.long
def test_no_part_says_what_the_whole_denies_and_some_say_as_much():
    cases = [case(seed) for seed in CASES]
    assert {one.seed: denied for one in cases if (denied := contradictions(one))} == {}
    read = [one for one in cases if one.trace is not None]
    assert len(read) > len(cases) * READ
    assert sum(one.verdict.verdict is not Judgement.INCONCLUSIVE for one in read) >= len(cases) * TOLD
    assert sum(one.advice.finding is Finding.FOUND for one in read) >= len(cases) * TOLD


FOUND_ONCE = {
    54_280: "a rate of 0 that was rounded up is no rate: the report was the initial value",
    52_477: "a sync known to 3 %, and a shorter pass that may dirty 10 % more",
    4_002: "passes that end early under a limit that is not shown",
    57_273: "a bandwidth that was estimated from a rest",
    5_001_929: "passes that end early under a limit that is not shown, once more",
    5_001_326: "a limit that somebody set to end it at last, of which no pass tells what it does",
    63_440: "what a sync found in mid-pass, of a text with three digits",
    200_070: "redirty, with a bandwidth that moves",
    30_013_552: "what the first pass left unsent, which the guest dirties as well",
    30_043_735: "what was unsent, added to what the guest dirties where no end of that is seen",
    30_014_100: "Mbps of KubeVirt that were taken for 64 times too little, as more had been sent before",
    30_042_300: "the same, with lines that are close together",
    50_055_736: "a first pass in whose midst the recording begins",
    30_073_675: "an answer that was asked for before the guest's stop and came after it, in a recording cut there",
    60_003_083: "a report that was believed though no dirty rate is shown, by which it may be another formula's",
    60_045_684: "a report of the pass before, about what is left in this one",
    60_040_092: "packets of multifd that are rounded by more than a page",
    70_012_828: "passes that were timed from sample to sample, where those are far apart",
    60_072_451: "a report that is below what was left before in this pass, and is just what dirty-rate gives",
    91_003_821: "the bandwidth of zero pages, which go out in later passes where QEMU syncs in each window",
    93_300_521: "a bandwidth of next to nothing at the begin of a later pass, as if no limit were enough",
    93_301_596: "the low bandwidth by which the harness holds back the first pass, where QEMU syncs in each window",
    60_069_940: "an estimated bandwidth, before QEMU's own, that was taken for an update of the report",
    94_001_512: "a report of the second pass, by redirty and the rate of the first pass, as the third begins",
    94_001_515: "the same, in another part",
    94_001_516: "the same, in a third one",
    85_058_851: "passes that differ by three hundredths in their length, which made a slope",
    84_019_480: "a pass longer than any seen, which dirties no more than the longest ones",
}
"""Seeds of cases that contradicted once, and why."""


@pytest.mark.long
@pytest.mark.parametrize("seed", FOUND_ONCE, ids=lambda seed: str(seed))
def test_what_contradicted_once_does_no_more(seed):
    assert contradictions(case(seed)) == []
