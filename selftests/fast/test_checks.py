# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks and their codes: each code is reached by a migration that has it, and all who read a verdict read the same."""

import json
from functools import cache
from itertools import product

import pytest

from avocado_migdowntime.report.listing import LISTS
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.report.verdict_sentence import reason
from avocado_migdowntime.verdict.check import Check, Outcome, passed
from avocado_migdowntime.verdict.codes import CODES
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.checked_migrations import CHECKED, WRONG
from ..support.migrations import harness, of

P, F, U, N = Outcome.PASSED, Outcome.FAILED, Outcome.UNDECIDED, Outcome.NOT_JUDGED


@pytest.mark.parametrize(
    ("name", "code"),
    [("report", "respected"), ("limit", "accurate"), ("report", ""), ("reports", "accurate"), ("", "")],
)
def test_a_check_of_an_undocumented_name_or_code_is_refused(name, code):
    with pytest.raises(ValueError, match=rf"^'{code}' is no code of the check '{name}'; add it to verdict/codes.py$"):
        Check(name, P, code)


def test_every_code_is_documented_and_in_the_reference():
    assert all(meaning and code == code.lower() for codes in CODES.values() for code, meaning in codes.items())
    entries = {entry.name: entry.meaning for entry in LISTS["codes"]()}
    assert entries == {f"{name}.{code}": meaning for name, codes in CODES.items() for code, meaning in codes.items()}


@pytest.mark.parametrize("outcomes", [outcomes for many in range(4) for outcomes in product((P, F, U, N), repeat=many)])
def test_one_that_failed_fails_and_else_one_undecided_leaves_it_open(outcomes):
    expected = False if F in outcomes else None if U in outcomes else True
    assert passed(Check("report", outcome, "accurate") for outcome in outcomes) is expected


ONLY_WITHIN_TRIALS = {("limit", "cut-short")}
"""Of the limit under a trial, which is none of a verdict's own."""


@cache
def verdict_of(name):
    return judge(CHECKED[name].make(), CHECKED[name].contract)


@pytest.mark.parametrize("name", CHECKED)
def test_a_migration_has_the_codes_of_what_it_is(name):
    verdict = verdict_of(name)
    checks = {check.name: check for check in verdict.checks}
    found = tuple((check, checks[check].outcome, checks[check].code) for check, _, _ in CHECKED[name].codes)
    assert found == CHECKED[name].codes
    assert len(checks) == len(verdict.checks) and all(verdict.check(one) is not None for one in checks)


@pytest.mark.parametrize("name", CHECKED)
def test_all_who_read_a_verdict_read_the_same(name):
    verdict = verdict_of(name)
    by_outcome = {outcome: [check for check in verdict.checks if check.outcome is outcome] for outcome in Outcome}
    assert verdict.passed is (False if by_outcome[F] else None if by_outcome[U] else True)
    word = {P: Judgement.ACCURATE, F: Judgement.INACCURATE}.get(verdict.report.outcome, Judgement.INCONCLUSIVE)
    assert verdict.verdict is word and verdict.report is verdict.check("report")
    limit = {P: LimitJudgement.RESPECTED, F: LimitJudgement.VIOLATED}
    assert verdict.limit_verdict is limit.get(verdict.check("limit").outcome, LimitJudgement.INCONCLUSIVE)

    shown = json.loads(json.dumps(fields(verdict)))
    assert (shown["passed"], shown["verdict"]) == (verdict.passed, verdict.verdict)
    assert shown["limit_verdict"] == verdict.limit_verdict
    assert [(one["name"], one["outcome"], one["code"], one["sentence"]) for one in shown["checks"]] == [
        (check.name, check.outcome, check.code, check.sentence) for check in verdict.checks
    ]

    told = reason(verdict)
    if verdict.passed is False:
        places = [told.index(check.sentence) for check in by_outcome[F]]
        assert places == sorted(places) and all(check.sentence for check in by_outcome[F])
        assert not any(check.sentence in told for check in by_outcome[U])
    elif verdict.passed is None:
        first = by_outcome[U][0]
        assert first.sentence and first.sentence in told
        assert told.startswith("expected-downtime is inconclusive: ") == (first.name == "report")
    else:
        assert told == verdict.report.sentence
    assert verdict.reasons[0] == verdict.report.sentence != ""


def test_each_code_is_reached():
    reached = {(check.name, check.code) for name in CHECKED for check in verdict_of(name).checks}
    assert reached == {(name, code) for name, codes in CODES.items() for code in codes} - ONLY_WITHIN_TRIALS


def test_what_a_user_is_up_against_comes_first():
    verdict = verdict_of("a downtime above the limit")
    of_qemu = ["switchover", "bandwidth", "max-bandwidth"]
    assert [check.name for check in verdict.checks] == ["convergence", "report", "limit", *of_qemu, "guest", "downtime"]
    assert verdict.check("memory") is None and verdict.check("mid-pass-stop") is None
    verdict = verdict_of("memory that arrived")
    assert [check.name for check in verdict.checks] == ["report", "limit", *of_qemu, "memory", "guest"]


def test_several_failures_are_all_told():
    trace = harness(
        of([2000, 2000, 100], 300.0, used_limit_ms=1, estimate=WRONG["factor"]),
        "INTEGRITY",
        pages=9,
        damaged_pages=1,
        faults=["page 3 is lost"],
    )
    verdict = judge(trace)
    assert [check.code for check in verdict.checks if check.outcome is F] == [
        "no-formula",
        "went-on-at-a-sync",
        "damaged",
    ]
    told = reason(verdict)
    assert told.startswith("expected-downtime is inaccurate: the report is +")
    assert "; downtime-limit is violated: QEMU went on " in told
    assert told.endswith(
        "; the guest's memory is damaged: 1 of 9 pages are not what the guest wrote last: page 3 is lost"
    )
