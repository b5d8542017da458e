# SPDX-License-Identifier: GPL-2.0-or-later
"""Each known fault of a QEMU is called by its name: on a recorded run altered afterwards, and on real ones."""

import argparse
import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from avocado_migdowntime.basics.qemu_constants import DEFAULT_MULTIFD_CHANNELS, MULTIFD_PACKET_BYTES
from avocado_migdowntime.cli import selftest
from avocado_migdowntime.errors import HarnessError, UsageError
from avocado_migdowntime.experiments import selftest as running
from avocado_migdowntime.experiments.selftest import FAULTS, run_fault
from avocado_migdowntime.faults.catalogue import KINDS, named_fault
from avocado_migdowntime.faults.expectation import expectation, in_words
from avocado_migdowntime.faults.fault import Conversation
from avocado_migdowntime.forms.file import parse as parse_trace
from avocado_migdowntime.parameters.table import parse as parse_parameters
from avocado_migdowntime.verdict.bandwidth import BandwidthFinding
from avocado_migdowntime.verdict.check import Check, Outcome
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitFinding, LimitJudgement
from avocado_migdowntime.verdict.throttle import ThrottleFinding
from avocado_migdowntime.verdict.verdict import Judgement

RECORDED = Path(__file__).parents[1] / "recordings/ppc64-tcg-qemu-7.2-slowed-at-the-end.jsonl.gz"
OTHERS = ("limit-", "bandwidth-cap-", "throttle-", "auto-converge-", "missing=", "late=")
OF_THE_FIGURE = [fault for fault in FAULTS if not str(fault).startswith(OTHERS)]


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


@pytest.mark.parametrize("fault", OF_THE_FIGURE, ids=str)
def test_a_recorded_run_is_called_by_what_its_answers_were_altered_by(fault):
    verdict = through(fault)
    assert expectation(fault).met_by(verdict), verdict
    assert verdict.limit_verdict is LimitJudgement.RESPECTED
    assert verdict.passed is (str(fault) == "none")


@pytest.mark.parametrize("factor", ["0.7", "0.985", "0.99", "1", "1.005", "1.015", "1.3", "10"])
def test_a_factor_is_found_from_the_tolerance_on(factor):
    verdict = through(named_fault(f"factor={factor}"))
    off = abs(float(factor) - 1)
    if abs(off - 0.01) > 0.002:
        assert verdict.verdict is (Judgement.INACCURATE if off > 0.01 else Judgement.ACCURATE)
    assert verdict.relative_error == pytest.approx(float(factor) - 1, abs=0.002 * max(1, float(factor)))


@pytest.mark.parametrize("field", ["mbps", "remaining", "normal", "dirty-sync-count", "page-size"])
def test_a_recording_without_a_field_is_refused_and_the_field_named(field):
    with pytest.raises(UsageError, match=f"'{field}' is missing"):
        through(named_fault(f"missing={field}"))


def test_without_the_change_of_bandwidth_a_frozen_report_is_not_found(monkeypatch):
    kept = [r for r in records() if r.get("event", {}).get("event") not in ("BANDWIDTH", "FINISH")]
    last = next(i for i, r in enumerate(records()) if r.get("event", {}).get("event") == "BANDWIDTH")
    monkeypatch.setitem(globals(), "records", lambda: kept[:last])
    verdict = through(named_fault("frozen"))
    assert verdict.verdict is Judgement.INCONCLUSIVE, verdict
    assert verdict.reasons[0].startswith(
        "the reports vary too much: in one pass only 72% of them lie within ±1.0% of last-sync"
    )
    assert through(named_fault("factor=1.1")).verdict is Judgement.INACCURATE


@pytest.mark.parametrize("side", ["source", "destination"])
def test_of_another_host_it_is_said_that_faults_are_put_before_qemus_of_this_one(side, capsys):
    parser = argparse.ArgumentParser()
    selftest.configure(parser)
    assert selftest.run(parser.parse_args(["none", "-p", f"{side}_host=lab1"])) == 2
    said = f"selftest tests QEMUs on this host only, but {side}_host=lab1 names another; leave it out"
    assert capsys.readouterr() == ("", f"migdowntime selftest: {said}\n")


def test_every_kind_of_fault_is_tried():
    assert {fault.name for fault in FAULTS} == set(KINDS)


ACCURATE = through(named_fault("none"))


@pytest.mark.parametrize("fault", ["limit-ignored", "limit-factor=2", "throttle-step-ignored"])
@pytest.mark.parametrize("capabilities", ["", "multifd", "events,multifd"])
def test_passes_are_slow_where_another_limit_has_to_show_and_windows_are_larger_than_packets(
    fault, capabilities, monkeypatch
):
    ran = []
    monkeypatch.setattr(running, "_outcome", lambda _fault, _binary, parameters, *_: ran.append(parameters) or ACCURATE)
    run_fault(named_fault(fault), "qemu", {"capabilities": capabilities, "max_bandwidth": "1G", "region": "1G"}, print)
    given = parse_parameters(ran[0])
    assert 1.4 <= given.region / given.max_bandwidth <= 1.6
    late_bytes = (DEFAULT_MULTIFD_CHANNELS + 1) * MULTIFD_PACKET_BYTES if "multifd" in capabilities else 0
    assert given.max_bandwidth / 10 > 5 * late_bytes


def inaccurate(**more):
    return replace(ACCURATE, report=Check("report", Outcome.FAILED, "no-formula"), **{"formula": None, **more})


BROKEN = LimitFinding("ended-early")
VIOLATED = replace(ACCURATE, limit=BROKEN)
LIVE = inaccurate(formula="live", relative_error=-0.4)
UNKNOWN = replace(ACCURATE, report=Check("report", Outcome.UNDECIDED, "no-pass"), formula=None)


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
        ("limit-ignored", replace(UNKNOWN, limit=BROKEN), True),
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
    assert expectation(named_fault(fault)).met_by(came) is met


WIDE = replace(ACCURATE, bandwidth=BandwidthFinding("wide"))
UNSEEN = replace(ACCURATE, limit=LimitFinding("no-end-seen"))


@pytest.mark.parametrize(
    ("fault", "came", "left_open"),
    [
        ("none", UNKNOWN, True),
        ("none", inaccurate(), False),
        ("factor=2", ACCURATE, False),
        ("limit-ignored", ACCURATE, False),
        ("limit-ignored", UNSEEN, True),
        ("limit-ignored", UNKNOWN, True),
        ("factor=2", UNSEEN, False),
        ("mbps-halved", ACCURATE, False),
        ("mbps-halved", WIDE, True),
        ("throttle-step-ignored", replace(ACCURATE, throttle=ThrottleFinding("no-step-seen")), True),
        ("throttle-step-ignored", replace(ACCURATE, throttle=ThrottleFinding("as-set")), False),
    ],
)
def test_what_could_not_be_told_is_tried_again(fault, came, left_open):
    assert expectation(named_fault(fault)).left_open_by(came) is left_open


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
    assert (str(expectation(named_fault(fault))), in_words(came)) == (expected, words)
