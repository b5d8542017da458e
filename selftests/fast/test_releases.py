# SPDX-License-Identifier: GPL-2.0-or-later
"""Is a build's formula that of its release: on recordings, and on versions of every kind."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from avocado_migdowntime.avocado_test import reason
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.formulas import FORMULAS
from avocado_migdowntime.oracle.releases import ERAS, Release, era, release_of, remark
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.report.verdict_text import summary
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.recorded import CLEAN, recording
from ..support.traces import Pass, made, precopy

FAULTY = "ppc64-tcg-qemu-7.2-with-dirty-rate-formula"
MISSING = (
    "dirty-rate is how QEMU 1.5 to 2.12 compute it, but this build reports 7.2.22: "
    "is 650af8907bd5 (QEMU 3.0) missing or reverted?"
)


def saying(version, name, package=""):
    """The recording `name` as of a QEMU that calls itself `version`."""
    trace = read(str(recording(name)))
    parts = dict(zip(("major", "minor", "micro"), version, strict=True))
    return replace(trace, header={**trace.header, "qemu": {"qemu": parts, "package": package}})


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_qemu_computes_as_its_release_does(name):
    trace = read(str(recording(name)))
    assert release_of(trace.header).major in (5, 7, 11)
    assert judge(trace).era == fields(judge(trace))["era"] == ""


def test_a_formula_of_the_past_is_remarked_on_in_every_report():
    verdict = judge(read(str(recording(FAULTY))))
    assert verdict.era == verdict.reasons[1] == fields(verdict)["era"] == MISSING
    assert f"reason     {MISSING}\n" in f"{summary(verdict)}\n"
    assert reason(verdict).endswith(f"it matches dirty-rate; {MISSING}")


def test_a_release_that_computes_so_is_inaccurate_without_a_remark():
    verdict = judge(saying((2, 11, 1), FAULTY))
    assert (verdict.verdict, verdict.formula, verdict.era) == (Judgement.INACCURATE, "dirty-rate", "")


def test_the_remark_does_not_depend_on_the_contract():
    verdict = judge(read(str(recording(FAULTY))), contract="dirty-rate")
    assert (verdict.verdict, verdict.era) == (Judgement.ACCURATE, MISSING)


def test_a_formula_of_no_release_is_called_a_patch():
    verdict = judge(read(str(recording("ppc64-tcg-qemu-7.2-with-redirty-formula"))))
    assert verdict.era == (
        "no QEMU release computes redirty, but this build, which reports 7.2.22, does: is it patched?"
    )


def test_a_formula_of_the_future_is_called_a_backport():
    verdict = judge(saying((2, 12, 0), "ppc64-tcg-qemu-7.2", "qemu-kvm-2.12.0-99.el8"))
    assert (verdict.verdict, verdict.formula) == (Judgement.ACCURATE, "last-sync")
    assert verdict.era == (
        "last-sync is how QEMU 3.0 and later compute it, but this build reports "
        "2.12.0 (qemu-kvm-2.12.0-99.el8): was 650af8907bd5 (QEMU 3.0) backported?"
    )


def test_nothing_is_said_of_a_verdict_without_a_formula_or_without_a_conclusion():
    trace = saying((2, 12, 0), "ppc64-tcg-qemu-7.2")
    unknown = judge(
        replace(trace, samples=tuple(s if s.expected_downtime_ms is None else biased(s) for s in trace.samples))
    )
    assert (unknown.verdict, unknown.formula, unknown.era) == (Judgement.INACCURATE, None, "")
    cut = judge(replace(trace, samples=trace.samples[:100]))
    assert (cut.verdict, cut.era) == (Judgement.INCONCLUSIVE, "")


def test_nothing_is_said_of_a_fault_that_is_no_formula_nor_of_what_is_left_open():
    header = {"qemu": {"qemu": {"major": 2, "minor": 12, "micro": 0}}}
    frozen = precopy(Pass(30_000), Pass(20_000, expected_ms=777), Pass(22_100, expected_ms=777))
    wide = precopy(Pass(30_000), Pass(20_010, expected_ms=1980))
    for rows, formula, code in ((frozen, "frozen", "frozen"), (wide, "last-sync", "wide")):
        verdict = judge(made(rows, header=header))
        assert (verdict.formula, verdict.report.code, verdict.era) == (formula, code, "")


def biased(sample):
    return replace(sample, expected_downtime_ms=1.1 * sample.expected_downtime_ms)


@pytest.mark.parametrize(
    ("version", "older", "newer"),
    [
        ((1, 4, 2), False, False),
        ((1, 4, 50), False, False),
        ((1, 5, 0), True, False),
        ((1, 7, 50), True, False),
        ((2, 12, 1), True, False),
        ((2, 12, 49), True, False),
        ((2, 12, 50), False, False),
        ((2, 12, 91), False, False),
        ((3, 0, 0), False, True),
        ((3, 0, 50), False, True),
        ((10, 2, 92), False, True),
        ((99, 0, 0), False, True),
    ],
)
def test_a_version_is_of_one_era_or_was_made_between_two(version, older, newer):
    release = Release(*version)
    assert [one.holds(release) for one in ERAS] == [older, newer]
    assert bool(remark("dirty-rate", release)) == newer
    assert bool(remark("last-sync", release)) == older


@pytest.mark.parametrize(
    ("answer", "release"),
    [
        ({"qemu": {"major": 7, "minor": 2, "micro": 22}, "package": ""}, "7.2.22"),
        (
            {"qemu": {"major": 11, "minor": 0, "micro": 50}, "package": "v11.0.0-1023-g54a814cc09"},
            "11.0.50 (v11.0.0-1023-g54a814cc09)",
        ),
        (
            {"qemu": {"major": 11, "minor": 1, "micro": 3}, "package": "Debian 1:11.1.3+ds-1~bpo13+1"},
            "11.1.3 (Debian 1:11.1.3+ds-1~bpo13+1)",
        ),
        (
            {"qemu": {"major": 2, "minor": 0, "micro": 0}, "package": " (Debian 2.0.0+dfsg-2ubuntu1)"},
            "2.0.0 ((Debian 2.0.0+dfsg-2ubuntu1))",
        ),
        ({"qemu": {"major": 7, "minor": 2, "micro": 0}}, "7.2.0"),
        ({"qemu": {"major": 7, "minor": 2, "micro": 999}}, "7.2.999"),
        ({"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ["Debian"]}, "7.2.0"),
        ({"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": "a\nverdict    ACCURATE"}, "7.2.0"),
        ({"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": "x" * 1000}, "7.2.0"),
    ],
)
def test_the_release_is_what_the_header_says(answer, release):
    assert str(release_of({"qemu": answer})) == release


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "7.2",
        [],
        {},
        {"qemu": None},
        {"qemu": "7.2.0"},
        {"qemu": {"major": 7, "minor": 2}},
        {"qemu": {"major": "7", "minor": 2, "micro": 0}},
        {"qemu": {"major": 7, "minor": -2, "micro": 0}},
        {"qemu": {"major": True, "minor": 2, "micro": 0}},
        {"qemu": {"major": 7.0, "minor": 2, "micro": 0}},
        {"qemu": {"major": 10**30, "minor": 2, "micro": 0}},
        {"qemu": {"major": 7, "minor": 2, "micro": 1000}},
    ],
)
def test_a_header_that_names_no_release_has_none(answer):
    assert release_of({} if answer is None else {"qemu": answer}) is None
    assert remark("dirty-rate", None) == ""


def test_the_eras_are_of_known_formulas_and_follow_each_other():
    assert {one.formula for one in ERAS} <= FORMULAS.keys()
    assert all(era(one.formula) is one for one in ERAS)
    for one, following in zip(ERAS, [*ERAS[1:], None], strict=True):
        assert one.changes[0].release == "{}.{}".format(*one.first)
        assert (one.last is None) == (following is None)
        assert following is None or one.last < following.first


def test_the_theory_names_the_releases_and_commits_of_each_era():
    theory = (Path(__file__).parents[2] / "docs/theory.md").read_text().partition("## The oracle")[0]
    rows = dict(re.findall(rf"^\| `({'|'.join(FORMULAS)})` \|(.*)\|$", theory, re.MULTILINE))
    assert rows.keys() == FORMULAS.keys()
    assert {name for name in rows if "QEMU" in rows[name]} == {one.formula for one in ERAS}
    for one in ERAS:
        assert f"QEMU {one.releases}" in rows[one.formula]
        named = re.findall(r"([\d.]+): `([0-9a-f]{12})`", rows[one.formula])
        assert named == [(change.release, change.commit) for change in one.changes]
