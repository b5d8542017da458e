# SPDX-License-Identifier: GPL-2.0-or-later
"""A verdict as TAP is understood as it is meant, by the parser with which meson reads it."""

import re
from dataclasses import replace
from functools import cache

import pytest
import yaml

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.report.verdict_tap import bailed_out, skipped, tap
from avocado_migdowntime.verdict.check import Check, Outcome
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitFinding

from ..support.recorded import RECORDINGS, WRONG, recording

RESULTS = {
    Outcome.PASSED: "OK",
    Outcome.FAILED: "FAIL",
    Outcome.UNDECIDED: "SKIP",
    Outcome.NOT_JUDGED: "SKIP",
}


def parsed(text):
    """What meson, which takes long to import, makes of it, in order; the version left out."""
    from mesonbuild import mtest

    events = list(mtest.TAPParser().parse(iter(text.splitlines(keepends=True))))
    assert not [event for event in events if isinstance(event, mtest.TAPParser.Error)], text
    return [event for event in events if not isinstance(event, mtest.TAPParser.Version)]


@cache
def verdict_of(file):
    return judge(read(str(file)))


@pytest.mark.long
@pytest.mark.parametrize("file", sorted(RECORDINGS.glob("*.jsonl.gz")), ids=lambda file: file.name.split(".jsonl")[0])
@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
def test_each_check_is_a_test_with_its_outcome(file, strict):
    verdict = verdict_of(file)
    plan, *points = parsed(tap(verdict, strict))
    assert (plan.num_tests, plan.late, plan.skipped) == (len(verdict.checks), False, False)
    expected = {**RESULTS, **({Outcome.UNDECIDED: "FAIL"} if strict else {})}
    assert [(point.name, point.result.name) for point in points] == [
        (f"{check.name}: {check.code}", expected[check.outcome]) for check in verdict.checks
    ]


def test_why_a_check_failed_is_in_yaml_below_it():
    verdict = verdict_of(WRONG)
    blocks = re.findall(r"^not ok \d+ (\S+): \S+\n  ---\n(.*?)^  \.\.\.$", tap(verdict, False), re.M | re.S)
    [(name, block)] = blocks
    message = yaml.safe_load(block)["message"]
    assert name == "report" and message.startswith("expected-downtime is inaccurate: the report is -82.16% off")
    assert message.endswith(verdict.era)


def test_why_a_check_is_skipped_stands_behind_it():
    verdict = verdict_of(recording("ppc64-tcg-qemu-7.2-asked-while-it-switched-over"))
    _, _, report, *_ = parsed(tap(verdict, False))
    assert report.explanation.startswith("expected-downtime is inconclusive: no pass could be judged: two passes")


def test_the_summary_stands_there_for_people():
    shown = tap(verdict_of(WRONG), False, [("files in", "/some/where")])
    assert "\n# verdict    INACCURATE\n" in shown and shown.endswith("\n# files in   /some/where")


@pytest.mark.parametrize("odd", ['a "quoted" # word\nnot ok 2', "1..9", "ends in \\", "- ± ÷: {", "...\nBail out!"])
def test_no_word_of_a_sentence_is_taken_for_more_than_that(odd):
    verdict = verdict_of(WRONG)
    for outcome in Outcome:
        odd_one = replace(verdict, report=Check("report", outcome, "accurate", odd), era="", reasons=(odd,))
        text = tap(replace(odd_one, limit=LimitFinding("respected")), True)
        plan, *points = parsed(text)
        assert len(points) == plan.num_tests == len(verdict.checks)
        for block in re.findall(r"^  ---\n(.*?)^  \.\.\.$", text, re.M | re.S):
            yaml.safe_load(block)


def test_a_run_without_a_verdict_is_skipped_or_ends_all():
    [plan] = parsed(skipped("no hugepages:\nmend it"))
    assert (plan.skipped, plan.explanation) == (True, "no hugepages: mend it")
    [end] = parsed(bailed_out("QEMU has gone\nquite"))
    assert (type(end).__name__, end.message) == ("Bailout", "QEMU has gone quite")
