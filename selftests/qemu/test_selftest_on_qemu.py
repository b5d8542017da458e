# SPDX-License-Identifier: GPL-2.0-or-later
"""Each known fault is called by its name on real QEMUs."""

import argparse
import asyncio
import json
import os

import pytest

from avocado_migdowntime.cli import faulty, selftest
from avocado_migdowntime.experiments.convergence import convergence
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.report.verdict_sentence import reason
from avocado_migdowntime.verdict.trials import ConvergenceJudgement

from ..support import documented
from ..support.avocado_command import avocado
from ..support.documents import SELFTEST


def run(command, *arguments):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(list(map(str, arguments))))


@pytest.mark.alone
def test_real_qemus_with_faults_are_found(capsys, once, nothing_left):
    assert run(selftest, "mbps-halved", "frozen", "missing=mbps") == 0
    ran = once(documented.ran, SELFTEST)
    *lines, said = capsys.readouterr().out.splitlines()
    *others, said_of_others = ran.output.splitlines()
    assert [line.split()[:2] for line in lines + others] == [
        ["found", f] for f in ("mbps-halved", "frozen", "missing=mbps", "dirty-rate", "limit-ignored")
    ]
    # A busy host makes a run inconclusive, and `selftest` tries that again and says so.
    halved, frozen, _, _, limit = (line.removesuffix(", at attempt 2") for line in lines + others)
    assert halved.endswith(", bandwidth: not-as-sent") and frozen.endswith(", as frozen")
    assert limit.endswith(", downtime-limit violated")
    assert "an error: QEMU's answer to query-migrate differs from QEMU's documentation: 'mbps' is missing" in lines[2]
    assert said.startswith("3 of 3 came out as expected, in ")
    assert said_of_others.startswith("2 of 2 came out as expected, in ")
    assert "2 of 2, limit-ignored: the downtime-limit is always 300 ms, whatever is configured" in ran.error


@pytest.mark.alone
def test_a_fault_that_cannot_be_found_is_missed_and_both_are_said(capsys, nothing_left):
    """Where passes end is known to one burst of sending, so a limit that is a hundredth off is not told."""
    assert run(selftest, "limit-factor=1.01", "missing=downtime-limit", "--arch", "x86_64", "--json") == 1
    shown = json.loads(capsys.readouterr().out)
    missed, found = shown["tried"]
    assert shown["found"] == 1 and (missed["found"], found["found"]) == (False, True)
    assert (missed["fault"], missed["expected"]) == ("limit-factor=1.01", "downtime-limit violated")
    assert "QEMU says nothing of its 'downtime-limit'" in found["came"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["frost"], "unknown fault 'frost'; known are none"),
        (["kb", "--qemu", "/no/such"], "/no/such does not exist"),
        (["kb", "--qemu", "/bin/false"], "/bin/false with the fault kb: "),
    ],
)
def test_what_cannot_be_tried_is_said_in_a_sentence(arguments, says, capsys, nothing_left):
    assert run(selftest, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.splitlines()[-1].startswith("migdowntime selftest: ")
    assert says in captured.err.splitlines()[-1]


@pytest.mark.alone
def test_avocado_fails_a_test_on_such_a_qemu(tmp_path, nothing_left):
    launcher = tmp_path / "faulty-qemu"
    assert run(faulty, "factor=0.5", "--output", launcher) == 0
    options = {"qemu": launcher, "page-size": "4K", "integrity": "no"}
    words = [word for name, value in options.items() for word in (f"--migdowntime-{name}", str(value))]
    ended = avocado(tmp_path, "run", "migdowntime:expected-downtime", "--disable-sysinfo", *words)
    (entry,) = ended.tests.values()
    assert (ended.status, entry["status"]) == (1, "FAIL"), ended.output
    assert entry["fail_reason"].startswith("expected-downtime is inaccurate: the report is -50.")


@pytest.mark.alone
def test_a_user_who_trusts_a_report_that_is_too_low_is_told_what_it_did(tmp_path, nothing_left):
    launcher, directory = tmp_path / "faulty-qemu", tmp_path / "run"
    directory.mkdir()
    assert run(faulty, "factor=0.5", "--output", launcher) == 0
    given = parse(
        {
            "qemu": str(launcher),
            "page_size": "4K",
            "region": "9M",
            "max_bandwidth": "12000000",
            "limit_from": "reported",
            "integrity": "no",
        }
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
