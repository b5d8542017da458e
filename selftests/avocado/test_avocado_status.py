# SPDX-License-Identifier: GPL-2.0-or-later
"""Which status a test ends with, and what it leaves behind."""

import json
import os
import socket
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from avocado_migdowntime.host.one_at_a_time import NAME

from ..support.avocado_command import TELLING, Finished, avocado, write_tests
from ..support.waiting import HANGS_S

OUTCOMES = {
    "Accurate": "ACCURATE",
    "Inaccurate": "Verdict(Check('report', Outcome.FAILED, 'another-formula', "
    "'the report is -58.6% off last-sync; it matches "
    "dirty-rate'), 'last-sync', LimitFinding('respected'), formula='dirty-rate', "
    "reported_ms=1475.0, expected_ms=3561.8, relative_error=-0.5859, "
    "reasons=('the report is -58.6% off last-sync; it matches dirty-rate', 'pass 9 is short'))",
    "Misled": "Verdict(Check('report', Outcome.FAILED, 'no-formula', 'it is -50% off'), 'last-sync', "
    "LimitFinding('respected'), "
    "convergence=Convergence('did-not-converge', 3562.0, 1475.0, 'reported', (), "
    "'QEMU reported 1475 ms; 3562 ms were needed'))",
    "Violated": "Verdict(Check('report', Outcome.PASSED, 'accurate', 'all is well'), 'last-sync', "
    "LimitFinding('ended-early', reason='passes ended with 300 ms left'))",
    "Inconclusive": "Verdict(Check('report', Outcome.UNDECIDED, 'no-pass', 'no pass was judged'), 'last-sync', "
    "LimitFinding('respected'), "
    "reasons=('no pass was judged', 'the guest was idle'))",
    "Lacking": "HostRequirementError('2 hugepages are missing; run `echo 2 > nr_hugepages`')",
    "Unforeseen": "HarnessError('QEMU ended with status 1')",
    "Unusable": "UsageError('parameter ram: it is too small')",
    "Bug": "KeyError('ram')",
}

TESTS = """
async def come_to(outcome, directory, progress):
    (directory / "trace.jsonl").touch()
    progress("half-way")
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
""" + "".join(
    f"""
class {name}(MigrationTest):
    def test(self):
        self.judge(lambda parameters, directory, progress: come_to({outcome}, directory, progress))
"""
    for name, outcome in OUTCOMES.items()
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    directory = tmp_path_factory.mktemp("status")
    write_tests(directory, TESTS)
    return avocado(directory, "run", "made_up.py", "--disable-sysinfo")


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("Accurate", "PASS", "<unknown>"),
        (
            "Inaccurate",
            "FAIL",
            "expected-downtime is inaccurate: the report is -58.6% off last-sync; it matches dirty-rate "
            "(QEMU said 1475 ms, expected 3561.8 ms; error -58.59%; formula dirty-rate; limit respected)",
        ),
        (
            "Misled",
            "FAIL",
            "QEMU reported 1475 ms; 3562 ms were needed; expected-downtime is inaccurate: it is -50% off "
            "(limit respected)",
        ),
        ("Violated", "FAIL", "downtime-limit is violated: passes ended with 300 ms left (limit violated)"),
        (
            "Inconclusive",
            "WARN",
            "expected-downtime is inconclusive: no pass was judged; the guest was idle (limit respected)",
        ),
        ("Lacking", "CANCEL", "2 hugepages are missing; run `echo 2 > nr_hugepages`"),
        ("Unforeseen", "ERROR", "QEMU ended with status 1"),
        ("Unusable", "ERROR", "parameter ram: it is too small"),
        ("Bug", "ERROR", "'ram'"),
    ],
)
def test_status_and_reason(finished: Finished, name: str, status: str, reason: str) -> None:
    entry = finished.tests[name]
    assert (entry["status"], str(entry["fail_reason"])) == (status, reason)


def test_no_traceback_is_shown(finished: Finished) -> None:
    assert "Traceback" not in finished.output


def test_progress_is_shown_and_logged(finished: Finished) -> None:
    assert "made_up.py:Accurate.test: half-way" in finished.output
    logs = list((finished.results / "latest" / "test-results").glob("*/debug.log"))
    assert ["half-way" in log.read_text() for log in logs] == [True] * len(OUTCOMES)
    assert len(finished.data("trace.jsonl")) == len(OUTCOMES)


def test_results_on_standard_output_are_not_spoilt(tmp_path: Path) -> None:
    write_tests(tmp_path, TESTS)
    alone = avocado(tmp_path, "run", "made_up.py:Accurate", "--disable-sysinfo", "--json", "-")
    assert json.loads(alone.output)["pass"] == 1


def test_whiteboard_is_the_verdict(finished: Finished) -> None:
    verdict = json.loads(finished.tests["Inaccurate"]["whiteboard"])
    assert (verdict["verdict"], verdict["formula"], verdict["reported_ms"]) == ("inaccurate", "dirty-rate", 1475.0)


def test_inconclusive_may_be_a_failure(tmp_path: Path) -> None:
    write_tests(tmp_path, TESTS)
    asked = avocado(
        tmp_path, "run", "made_up.py:Inconclusive", "--disable-sysinfo", "--migdowntime-inconclusive", "fail"
    )
    assert [entry["status"] for entry in asked.tests.values()] == ["FAIL"]
    assert asked.status == 1


def test_a_run_that_judged_nothing_may_be_a_failure(tmp_path: Path) -> None:
    write_tests(tmp_path, TESTS)
    for asked, status, exit_status in (("cancel", "CANCEL", 0), ("fail", "FAIL", 1)):
        finished = avocado(tmp_path, "run", "made_up.py:Lacking", "--disable-sysinfo", "--migdowntime-lacking", asked)
        (entry,) = finished.tests.values()
        assert (entry["status"], finished.status) == (status, exit_status)
        assert entry["fail_reason"] == "2 hugepages are missing; run `echo 2 > nr_hugepages`"


def test_a_text_that_cannot_be_encoded_ends_a_test_as_any_other(tmp_path: Path) -> None:
    write_tests(
        tmp_path,
        r"""
        import logging

        async def fall(parameters, directory, progress):
            progress("the guest says \udcff\x1b[2J")
            logging.getLogger("qemu.qmp").debug("an answer \udcff" + 1_000_000 * "x")
            try:
                raise ValueError("a\ud800b")
            except ValueError as error:
                raise HarnessError("source QEMU refused migrate: a\udcffb\ud800c\nverdict    ACCURATE ]]>") from error

        class Falling(MigrationTest):
            def test(self):
                self.log.info("\udcff")
                self.judge(fall)
        """,
    )
    finished = avocado(tmp_path, "run", "made_up.py", "--disable-sysinfo", "--job-timeout", "60")
    (test,) = finished.tests.values()
    reason = "source QEMU refused migrate: a\\udcffb\\ud800c\\nverdict    ACCURATE ]]\\x3e"
    assert (test["status"], test["fail_reason"]) == ("ERROR", reason)
    assert "\x1b[2J" not in finished.output and "\nverdict" not in finished.output
    (failure,) = ElementTree.parse(finished.results / "latest" / "results.xml").iter("error")
    assert reason in failure.attrib["message"]
    log = Path(test["logfile"]).read_bytes().decode()
    assert "\\udcff\\x1b[2J" in log and "\x1b" not in log
    (monitor,) = finished.data("qmp.log")
    assert "an answer \\udcffxxx" in monitor.read_text() and monitor.stat().st_size < 20_000


def test_a_turn_that_somebody_keeps_is_not_waited_for_beyond_the_time_limit(tmp_path: Path) -> None:
    write_tests(tmp_path, TELLING)
    with socket.socket(socket.AF_UNIX) as held:
        deadline_s = time.monotonic() + HANGS_S
        while True:  # Another test may have its turn now.
            try:
                held.bind(NAME)
                break
            except OSError:
                assert time.monotonic() < deadline_s
                time.sleep(0.01)
        finished = avocado(
            tmp_path, "run", "made_up.py", "--disable-sysinfo", "--migdowntime-time-limit", "1", "--job-timeout", "60"
        )
    test = finished.tests["Telling"]
    assert test["status"] == "CANCEL"
    assert f"at a time on a host, and process {os.getpid()} (" in test["fail_reason"]
    assert "has kept others waiting for 1 s" in test["fail_reason"]
