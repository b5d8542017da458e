# SPDX-License-Identifier: GPL-2.0-or-later
"""Each known fault of a QEMU is called by its name: on a recorded run altered afterwards, and on real ones."""

import argparse
import asyncio
import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from avocado_migdowntime.cli import faulty, selftest
from avocado_migdowntime.errors import HarnessError, UsageError
from avocado_migdowntime.experiments.convergence import convergence
from avocado_migdowntime.experiments.selftest import FAULTS
from avocado_migdowntime.faults.catalogue import KINDS, named
from avocado_migdowntime.faults.expectation import expectation, in_words
from avocado_migdowntime.faults.fault import Conversation
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.report.verdict_sentence import reason
from avocado_migdowntime.trace.file import parse as parse_trace
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement
from avocado_migdowntime.verdict.trials import ConvergenceJudgement
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.avocado_command import avocado

RECORDED = Path(__file__).parents[1] / "recordings/ppc64-tcg-qemu-7.2-slowed-at-the-end.jsonl.gz"
OF_THE_FIGURE = [fault for fault in FAULTS if not str(fault).startswith(("limit-", "missing=", "late="))]


def records():
    return [json.loads(line) for line in gzip.decompress(RECORDED.read_bytes()).splitlines()]


def through(fault):
    """The verdict on the recorded run as a QEMU with this fault would have answered; raises UsageError."""
    conversation = Conversation(fault.make())

    def answered(command, answer, **arguments):
        conversation.to_qemu({"execute": command, "arguments": arguments})
        return conversation.from_qemu({"return": answer})[0]["return"]

    header, *lines = records()
    limit = header["migrate-parameters"]["downtime-limit"]
    answered("migrate-set-parameters", {}, **{"downtime-limit": limit})
    header["migrate-parameters"] = answered("query-migrate-parameters", header["migrate-parameters"])
    for line in lines:
        if "query-migrate" in line:
            line["query-migrate"] = answered("query-migrate", line["query-migrate"])
    return judge(parse_trace("\n".join(map(json.dumps, [header, *lines])).encode()))


def run(command, *arguments):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(list(map(str, arguments))))


@pytest.mark.parametrize("fault", OF_THE_FIGURE, ids=str)
def test_a_recorded_run_is_called_by_what_its_answers_were_altered_by(fault):
    verdict = through(fault)
    assert expectation(fault).met_by(verdict), verdict
    assert verdict.limit_verdict is LimitJudgement.RESPECTED
    assert verdict.passed is (str(fault) == "none")


@pytest.mark.parametrize("factor", ["0.7", "0.985", "0.99", "1", "1.005", "1.015", "1.3", "10"])
def test_a_factor_is_found_from_the_tolerance_on(factor):
    verdict = through(named(f"factor={factor}"))
    off = abs(float(factor) - 1)
    if abs(off - 0.01) > 0.002:
        assert verdict.verdict is (Judgement.INACCURATE if off > 0.01 else Judgement.ACCURATE)
    assert verdict.relative_error == pytest.approx(float(factor) - 1, abs=0.002 * max(1, float(factor)))


@pytest.mark.parametrize("field", ["mbps", "remaining", "normal", "dirty-sync-count", "page-size"])
def test_a_recording_without_a_field_is_refused_and_the_field_named(field):
    with pytest.raises(UsageError, match=f"'{field}' is missing"):
        through(named(f"missing={field}"))


def test_without_the_change_of_bandwidth_a_frozen_report_is_not_found(monkeypatch):
    kept = [r for r in records() if r.get("event", {}).get("event") not in ("BANDWIDTH", "FINISH")]
    last = next(i for i, r in enumerate(records()) if r.get("event", {}).get("event") == "BANDWIDTH")
    monkeypatch.setitem(globals(), "records", lambda: kept[:last])
    assert through(named("frozen")).verdict is not Judgement.INACCURATE


def test_every_kind_of_fault_is_tried():
    assert {fault.name for fault in FAULTS} == set(KINDS)


ACCURATE = through(named("none"))


def inaccurate(**more):
    return replace(ACCURATE, verdict=Judgement.INACCURATE, **{"formula": None, **more})


VIOLATED = replace(ACCURATE, limit_verdict=LimitJudgement.VIOLATED)
LIVE = inaccurate(formula="live", relative_error=-0.4)
UNKNOWN = replace(ACCURATE, verdict=Judgement.INCONCLUSIVE, formula=None)


@pytest.mark.parametrize(
    ("fault", "came", "met"),
    [
        ("none", ACCURATE, True),
        ("none", UNKNOWN, False),
        ("none", VIOLATED, False),
        ("none", HarnessError("QEMU ended"), False),
        ("factor=1.005", ACCURATE, True),
        ("factor=1.1", inaccurate(relative_error=0.0990), True),
        ("factor=1.1", inaccurate(relative_error=0.0850), False),
        ("factor=1.1", inaccurate(relative_error=0.0990, formula="once-a-pass"), False),
        ("factor=1.1", inaccurate(relative_error=None), False),
        ("factor=1.1", replace(ACCURATE, relative_error=0.1), False),
        ("factor=10", inaccurate(relative_error=8.98), True),
        ("kb", inaccurate(relative_error=-0.0237), True),
        ("stale", inaccurate(formula="stale"), True),
        ("stale", inaccurate(formula="frozen"), False),
        ("zero", inaccurate(formula="uncomputed"), True),
        ("limit-ignored", VIOLATED, True),
        ("limit-ignored", replace(UNKNOWN, limit_verdict=LimitJudgement.VIOLATED), True),
        ("limit-factor=2", ACCURATE, False),
        ("missing=mbps", HarnessError("'mbps' is missing"), True),
        ("missing=mbps", HarnessError("'ram' is missing"), False),
        ("missing=mbps", UNKNOWN, False),
        ("late=9", ACCURATE, True),
        ("late=9", UNKNOWN, True),
        ("late=9", inaccurate(), False),
    ],
)
def test_what_came_is_held_against_what_was_expected(fault, came, met):
    assert expectation(named(fault)).met_by(came) is met


@pytest.mark.parametrize(
    ("fault", "came", "expected", "words"),
    [
        ("live", LIVE, "inaccurate, as live", "inaccurate by -40.0%, as live"),
        ("factor=1.1", ACCURATE, "inaccurate by +10.0%", "accurate"),
        ("limit-ignored", VIOLATED, "downtime-limit violated", "accurate, downtime-limit violated"),
        ("missing=mbps", HarnessError("no 'mbps'"), "an error that names 'mbps'", "an error: no 'mbps'"),
        ("late=9", UNKNOWN, "accurate or inconclusive", "inconclusive"),
    ],
)
def test_both_are_put_in_words(fault, came, expected, words):
    assert (str(expectation(named(fault))), in_words(came)) == (expected, words)


def test_real_qemus_with_faults_are_found(capsys, nothing_left):
    assert run(selftest, "frozen", "limit-ignored", "missing=mbps") == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [
        ["found", f] for f in ("frozen", "limit-ignored", "missing=mbps")
    ]
    assert lines[0].endswith(", as frozen") and lines[1].endswith(", downtime-limit violated")
    assert "an error: QEMU's answer to query-migrate is not as it is documented: 'mbps' is missing" in lines[2]
    assert lines[3].startswith("3 of 3 came out as they should, in ")
    assert "2 of 3, limit-ignored: downtime-limit is 300 ms whatever is set" in captured.err


def test_a_fault_that_cannot_be_found_is_missed_and_both_are_said(capsys, nothing_left):
    """Where passes end is known to one burst of sending, so a limit that is a tenth off is not told."""
    assert run(selftest, "limit-factor=1.1", "missing=downtime-limit", "--arch", "x86_64", "--json") == 1
    shown = json.loads(capsys.readouterr().out)
    missed, found = shown["tried"]
    assert shown["found"] == 1 and (missed["found"], found["found"]) == (False, True)
    assert (missed["fault"], missed["expected"]) == ("limit-factor=1.1", "downtime-limit violated")
    assert "QEMU says nothing of its 'downtime-limit'" in found["came"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["frost"], "unknown fault 'frost'; known are none"),
        (["kb", "--qemu", "/no/such"], "the QEMU binary /no/such does not exist"),
        (["kb", "--qemu", "/bin/false"], "/bin/false with the fault kb: "),
    ],
)
def test_what_cannot_be_tried_is_said_in_a_sentence(arguments, says, capsys, nothing_left):
    assert run(selftest, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.splitlines()[-1].startswith("migdowntime selftest: ")
    assert says in captured.err.splitlines()[-1]


def test_avocado_fails_a_test_on_such_a_qemu(tmp_path, nothing_left):
    launcher = tmp_path / "faulty-qemu"
    assert run(faulty, "factor=0.5", "--output", launcher) == 0
    options = {"qemu": launcher, "page-size": "4K", "region": "18M", "integrity": "no"}
    words = [word for name, value in options.items() for word in (f"--migdowntime-{name}", str(value))]
    ended = avocado(tmp_path, "run", "migdowntime:expected-downtime", "--disable-sysinfo", *words)
    (entry,) = ended.tests.values()
    assert (ended.status, entry["status"]) == (1, "FAIL"), ended.output
    assert entry["fail_reason"].startswith("expected-downtime is inaccurate: the report is -50.")


def test_a_user_who_trusts_a_report_that_is_too_low_is_told_what_it_did(tmp_path, nothing_left):
    launcher, directory = tmp_path / "faulty-qemu", tmp_path / "run"
    directory.mkdir()
    assert run(faulty, "factor=0.5", "--output", launcher) == 0
    given = parse(
        {"qemu": str(launcher), "page_size": "4K", "region": "18M", "limit_from": "reported", "integrity": "no"}
    )
    verdict = asyncio.run(convergence(given, directory, lambda _: None))
    assert verdict.convergence.judgement is ConvergenceJudgement.WRONG, verdict
    chosen = verdict.convergence.trials[-1]
    assert chosen.limit_ms == pytest.approx(0.6 * verdict.convergence.needed_ms, rel=0.01) and chosen.passes >= 3
    told, _, why = reason(verdict).partition("; expected-downtime is inaccurate: ")
    assert told == (
        f"QEMU reported {verdict.reported_ms:.0f} ms; with a downtime-limit of {chosen.limit_ms:g} ms {chosen.passes} "
        f"passes did not converge; {verdict.expected_ms:.0f} ms were needed"
    )
    assert why.startswith("the report is -50.")
    assert os.access(launcher, os.X_OK)
