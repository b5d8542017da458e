# SPDX-License-Identifier: GPL-2.0-or-later
"""What each fault must be called, the width of what is accepted, and how both are put in words."""

from dataclasses import replace

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.errors import HarnessError
from avocado_migdowntime.faults.catalogue import KIB_AS_KB, KINDS, named_fault, positive
from avocado_migdowntime.faults.expectation import Expectation, expectation, in_words
from avocado_migdowntime.faults.fault import Fault
from avocado_migdowntime.verdict.check import Check, Outcome
from avocado_migdowntime.verdict.limit import LimitFinding
from avocado_migdowntime.verdict.verdict import Judgement, Verdict

WRONG = (Judgement.INACCURATE,)
RESPECTED, VIOLATED, UNSEEN = LimitFinding("respected"), LimitFinding("ended-early"), LimitFinding("no-end-seen")


def verdict(outcome=Outcome.FAILED, formula=None, error=None, limit=UNSEEN, contract="last-sync"):
    check = Check("report", outcome, "no-formula")
    return Verdict(check, contract, limit, formula=formula, relative_error=error)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("none", Expectation((Judgement.ACCURATE,))),
        ("dirty-rate", Expectation(WRONG, "dirty-rate")),
        ("redirty", Expectation(WRONG, "redirty")),
        ("live", Expectation(WRONG, "live")),
        ("frozen", Expectation(WRONG, "frozen")),
        ("stale", Expectation(WRONG, "stale")),
        ("once-a-pass", Expectation(WRONG, "once-a-pass")),
        ("uncomputed", Expectation(WRONG, "uncomputed")),
        ("zero", Expectation(WRONG, "uncomputed")),
        ("factor=1.5", Expectation(WRONG, error=0.5)),
        ("factor=0.5", Expectation(WRONG, error=-0.5)),
        ("factor=1.011", Expectation(WRONG, error=1.011 - 1)),
        ("factor=1.009", Expectation((Judgement.ACCURATE,))),
        ("kb", Expectation(WRONG, error=1000 / 1024 - 1)),
        ("limit-ignored", Expectation(violated=True)),
        ("limit-factor=2", Expectation(violated=True)),
        ("missing=mbps", Expectation(missing="mbps")),
        ("late=9", Expectation((Judgement.ACCURATE, Judgement.INCONCLUSIVE))),
    ],
)
def test_each_fault_has_one_name(fault, expected):
    assert expectation(named_fault(fault)) == expected


@pytest.mark.parametrize(
    ("expected", "error", "met"),
    [
        (0.1, 0.10439, True),
        (0.1, 0.10441, False),
        (0.1, 0.09561, True),
        (0.1, 0.09559, False),
        (0.1, None, False),
        (9.0, 9.039, True),
        (9.0, 9.041, False),
        (9.0, 8.961, True),
        (9.0, 8.959, False),
        (-0.5, -0.4961, True),
        (-0.5, -0.4959, False),
        (-0.5, -0.5041, False),
        (0.0, 0.0039, True),
        (0.0, 0.004, False),
    ],
)
def test_an_error_may_be_four_thousandths_of_the_figure_away_and_never_less(expected, error, met):
    assert Expectation(WRONG, error=expected).met_by(verdict(error=error)) is met


@pytest.mark.parametrize(
    ("low", "high", "met"),
    [(-0.042, -0.014, True), (-0.02, -0.014, True), (-0.042, -0.02, True), (-0.042, -0.021, False)],
)
def test_an_error_is_found_where_its_interval_has_it(low, high, met):
    found = replace(verdict(error=-0.028), relative_error_interval=Interval(low, high))
    assert Expectation(WRONG, error=-0.02).met_by(found) is met
    assert not Expectation((Judgement.ACCURATE,), error=-0.02).met_by(found)


def test_a_formula_has_to_be_named_and_none_of_renewal_where_none_is_expected():
    named_live = Expectation(WRONG, "live")
    assert named_live.met_by(verdict(formula="live")) and not named_live.met_by(verdict(formula="redirty"))
    any_formula = Expectation(WRONG)
    assert any_formula.met_by(verdict()) and any_formula.met_by(verdict(formula="live"))
    for renewal in ("frozen", "once-a-pass", "stale", "uncomputed"):
        assert not any_formula.met_by(verdict(formula=renewal))
    assert not named_live.met_by(verdict(Outcome.PASSED, formula="live"))


def test_a_violated_limit_is_enough_and_never_welcome_otherwise():
    broken = Expectation(violated=True)
    assert broken.met_by(verdict(limit=VIOLATED, formula="frozen"))
    assert not broken.met_by(verdict(limit=RESPECTED)) and not broken.met_by(verdict(limit=UNSEEN))
    assert not Expectation(WRONG).met_by(verdict(limit=VIOLATED))


def test_an_error_of_the_harness_is_met_by_the_name_of_the_field_alone():
    missing = Expectation(missing="mbps")
    assert missing.met_by(HarnessError("'mbps' is missing")) and not missing.met_by(HarnessError("mbps is missing"))
    assert not missing.met_by(verdict()) and not Expectation(missing="mbps", violated=True).met_by(
        verdict(limit=VIOLATED)
    )
    assert Expectation(WRONG).met_by(HarnessError("''")) is False


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (Expectation((Judgement.ACCURATE,)), "accurate"),
        (Expectation((Judgement.ACCURATE, Judgement.INCONCLUSIVE)), "accurate or inconclusive"),
        (Expectation(WRONG, error=-0.0234), "inaccurate by -2.3%"),
        (Expectation(WRONG, error=0.0), "inaccurate by +0.0%"),
        (Expectation(WRONG, "live", 0.5), "inaccurate by +50.0%, as live"),
        (Expectation(WRONG, "live", 0.5, violated=True), "downtime-limit violated"),
        (Expectation(WRONG, "live", 0.5, violated=True, missing="x"), "an error that names 'x'"),
    ],
)
def test_what_is_expected_is_put_in_words(expected, words):
    assert str(expected) == words


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (HarnessError("QEMU ended"), "an error: QEMU ended"),
        (verdict(Outcome.PASSED, "last-sync", 0.001), "accurate"),
        (verdict(Outcome.PASSED, "live", 0.001), "accurate, as live"),
        (verdict(Outcome.PASSED, "live", contract="live"), "accurate"),
        (verdict(error=0.125), "inaccurate by +12.5%"),
        (verdict(), "inaccurate"),
        (verdict(formula="stale", error=-0.5), "inaccurate by -50.0%, as stale"),
        (verdict(Outcome.UNDECIDED, error=0.1), "inconclusive"),
        (verdict(Outcome.UNDECIDED, limit=VIOLATED), "inconclusive, downtime-limit violated"),
        (verdict(formula="live", error=1.0, limit=VIOLATED), "inaccurate by +100.0%, as live, downtime-limit violated"),
    ],
)
def test_what_came_is_put_in_the_same_words(outcome, words):
    assert in_words(outcome) == words


def test_the_factor_of_kilobytes_is_what_is_too_low():
    assert pytest.approx(0.9765625) == KIB_AS_KB


@pytest.mark.parametrize(("text", "number"), [("1e-9", 1e-9), ("0.5", 0.5), (" 3 ", 3), ("1e308", 1e308)])
def test_a_positive_number_is_any_above_0(text, number):
    assert positive(text) == number


def test_nothing_of_what_a_fault_remembers_goes_from_one_connection_to_the_next():
    for name, kind in KINDS.items():
        fault = named_fault(f"{name}=2" if kind.takes else name)
        assert fault.make() is not fault.make() and isinstance(fault.make(), Fault)
        assert (fault.name, fault.value, fault.kind) == (name, "2" if kind.takes else "", kind)
