# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a verdict arrives in the result files of a real job on real QEMU, and what the README says does not."""

import json
from xml.etree import ElementTree

import pytest

from .avocado_command import avocado

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
    quick = ("--migdowntime-accel", "tcg", "--migdowntime-page-size", "4K", "--disable-sysinfo", "--tap-include-logs")
    return avocado(directory, "run", "migdowntime:expected-downtime", "-m", "formulas.yaml", *quick)


@pytest.fixture
def verdicts(job):
    """The verdicts as the tests themselves left them, by the formula that they held QEMU to."""
    found = [json.loads(path.read_text()) for path in job.data("verdict.json")]
    return {verdict["contract"]: verdict for verdict in found}


def entries(job):
    text = (job.results / "latest" / "results.json").read_text()
    return {"last-sync" if entry["status"] == "PASS" else "dirty-rate": entry for entry in json.loads(text)["tests"]}


def test_results_json_has_the_whole_verdict_of_every_test(job, verdicts):
    assert job.status == 1, job.output
    assert [entries(job)[contract]["status"] for contract in ("last-sync", "dirty-rate")] == ["PASS", "FAIL"]
    for contract, entry in entries(job).items():
        whiteboard = json.loads(entry["whiteboard"])
        assert {name: whiteboard[name] for name in FIGURES} == {name: verdicts[contract][name] for name in FIGURES}
        assert None not in [whiteboard[name] for name in FIGURES]


def test_results_xml_has_the_figures_of_a_test_that_failed_and_nothing_of_one_that_passed(job, verdicts):
    cases = {len(case) > 0: case for case in ElementTree.parse(job.results / "latest" / "results.xml").iter("testcase")}
    assert len(cases) == 2
    message = cases[True].find("failure").get("message")
    failed = verdicts["dirty-rate"]
    assert f"QEMU said {failed['reported_ms']:.0f} ms, right is {failed['expected_ms']:.1f} ms;" in message
    assert f"apart {failed['relative_error']:+.2%}; formula last-sync; limit respected)" in message
    assert "verdict    INACCURATE" in cases[True].find("system-out").text
    assert (cases[False].keys(), cases[False].text) == (["classname", "name", "time"], None)


def test_results_tap_has_the_summaries_where_the_logs_are_asked_for(job, verdicts):
    lines = (job.results / "latest" / "results.tap").read_text().splitlines()
    assert "1..2" in lines
    for verdict in verdicts.values():
        assert any(line.endswith(f"QEMU said  {verdict['reported_ms']:.0f} ms expected-downtime") for line in lines)
        assert any(f" right is   {verdict['expected_ms']:.1f} ms" in line for line in lines)
    assert sum(line.startswith("ok ") for line in lines) == sum(line.startswith("not ok ") for line in lines) == 1
