# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a verdict arrives in the result files of a real job on real QEMU."""

import json
from xml.etree import ElementTree

import pytest

from ..support.avocado_command import avocado, write_tests

FORMULAS = """
contract: !mux
    right:
        formula: last-sync
    wrong:
        formula: dirty-rate
"""
"""A QEMU that is right is held to the contract of the past as well: one test passes, one fails."""
FIGURES = ("formula", "reported_ms", "expected_ms", "relative_error", "limit_verdict")


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    directory = tmp_path_factory.mktemp("results")
    (directory / "formulas.yaml").write_text(FORMULAS)
    given = {"accel": "tcg", "page-size": "4K"}
    quick = [word for name, value in given.items() for word in (f"--migdowntime-{name}", value)]
    reported = ("--disable-sysinfo", "--tap-include-logs")
    return avocado(directory, "run", "migdowntime:expected-downtime", "-m", "formulas.yaml", *quick, *reported)


@pytest.fixture
def verdicts(job):
    """The verdicts as the tests themselves left them, by the formula that they held QEMU to."""
    found = [json.loads(path.read_text()) for path in job.data("verdict.json")]
    return {verdict["contract"]: verdict for verdict in found}


def entries(job):
    text = (job.results / "latest" / "results.json").read_text()
    return {"last-sync" if entry["status"] == "PASS" else "dirty-rate": entry for entry in json.loads(text)["tests"]}


@pytest.mark.alone
def test_results_json_has_the_whole_verdict_of_every_test(job, verdicts):
    assert job.status == 1, job.output
    assert [entries(job)[contract]["status"] for contract in ("last-sync", "dirty-rate")] == ["PASS", "FAIL"]
    for contract, entry in entries(job).items():
        whiteboard = json.loads(entry["whiteboard"])
        assert {name: whiteboard[name] for name in FIGURES} == {name: verdicts[contract][name] for name in FIGURES}
        assert None not in [whiteboard[name] for name in FIGURES]


@pytest.mark.alone
def test_results_xml_has_the_figures_of_both(job, verdicts):
    cases = ElementTree.parse(job.results / "latest" / "results.xml").findall("testcase")
    told = {case.find("failure") is None: case for case in cases}
    assert len(told) == len(cases) == 2
    failure = told[False].find("failure")
    message = failure.get("message")
    assert failure.text == message
    failed = verdicts["dirty-rate"]
    assert f"QEMU said {failed['reported_ms']:.0f} ms, expected {failed['expected_ms']:.1f} ms;" in message
    assert f"error {failed['relative_error']:+.2%}; formula last-sync; limit respected)" in message
    for passed, contract, word in ((True, "last-sync", "ACCURATE"), (False, "dirty-rate", "INACCURATE")):
        [log] = told[passed].findall("system-out")
        assert f"verdict    {word}" in log.text
        assert f"QEMU said  {verdicts[contract]['reported_ms']:.0f} ms expected-downtime" in log.text


@pytest.mark.alone
def test_results_tap_has_the_summaries_where_the_logs_are_asked_for(job, verdicts):
    lines = (job.results / "latest" / "results.tap").read_text().splitlines()
    assert "1..2" in lines
    for verdict in verdicts.values():
        assert any(line.endswith(f"QEMU said  {verdict['reported_ms']:.0f} ms expected-downtime") for line in lines)
        assert any(f" expected   {verdict['expected_ms']:.1f} ms" in line for line in lines)
    assert sum(line.startswith("ok ") for line in lines) == sum(line.startswith("not ok ") for line in lines) == 1


def test_results_xml_says_why_a_test_was_cancelled_and_in_the_file_that_was_asked_for_as_well(tmp_path):
    lacking = ("--migdowntime-arch", "ppc64", "--migdowntime-accel", "kvm", "--migdowntime-page-size", "4K")
    lacking += ("--xunit", "mine.xml", "--disable-sysinfo")
    done = avocado(tmp_path, "run", "migdowntime:expected-downtime", *lacking)
    assert [test["status"] for test in done.tests.values()] == ["CANCEL"], done.output
    for path in (done.results / "latest" / "results.xml", tmp_path / "mine.xml"):
        [case] = ElementTree.parse(path).findall("testcase")
        assert [part.tag for part in case] == ["skipped", "system-out"]
        assert "use accel=tcg" in case.find("system-out").text
        assert "use accel=tcg" in case.find("skipped").get("message")


def test_results_xml_is_cut_as_avocado_is_told_to_and_escapes_what_xml_cannot_hold(tmp_path):
    tests = """
        async def odd(parameters, directory, progress):
            progress("x" * 3000 + "\x1b[1m")
            return ACCURATE

        class Odd(MigrationTest):
            def test(self):
                self.judge(odd)
    """
    write_tests(tmp_path, tests)
    done = avocado(tmp_path, "run", "made_up.py", "--xunit-max-test-log-chars", "2000", "--disable-sysinfo")
    assert done.status == 0, done.output
    [case] = ElementTree.parse(done.results / "latest" / "results.xml").findall("testcase")
    log = case.find("system-out").text
    assert log.startswith("[…]\n") and "verdict" in log and len(log) < 2100
    assert "\\x1b[1m" in log and "\x1b" not in log
