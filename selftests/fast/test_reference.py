# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference tells of each kind of thing, and of each field."""

from collections.abc import Mapping
from dataclasses import replace

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.builds.suite_qemu import SuiteQemu
from avocado_migdowntime.doctor.host_check import HostCheck, State
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.advice import Advice, BestPoint, Down, Finding
from avocado_migdowntime.report import advice, builds, doctor, now_json
from avocado_migdowntime.report import json_fields as meanings
from avocado_migdowntime.report import verdict_json as fields
from avocado_migdowntime.report.listing import LISTS
from avocado_migdowntime.trace.cpu import CpuUse
from avocado_migdowntime.verdict.blocktime import BlocktimeFinding, Wait
from avocado_migdowntime.verdict.check import Check, Outcome
from avocado_migdowntime.verdict.downtime import Downtime, Integrity
from avocado_migdowntime.verdict.limit import LimitFinding, LimitJudgement
from avocado_migdowntime.verdict.mid_pass_stop import Estimate, GroundTruth, MidPassStop
from avocado_migdowntime.verdict.predicted_downtime import PredictedDowntime
from avocado_migdowntime.verdict.trials import Convergence, Trial
from avocado_migdowntime.verdict.verdict import Verdict
from avocado_migdowntime.watching.now import now

from ..support.recorded import recording
from ..support.reference import HEADINGS


def test_each_kind_has_its_place():
    assert HEADINGS.keys() == LISTS.keys()


def test_each_field_of_a_verdict_is_told():
    trial = Trial("chosen", 1.0, 1, 0, True, None, LimitJudgement.RESPECTED)
    full = Verdict(
        report=Check("report", Outcome.PASSED, "accurate"),
        contract="last-sync",
        limit=LimitFinding("respected"),
        integrity=Integrity(1),
        downtime=Downtime(),
        convergence=Convergence("right", 1.0, 1.0, "oracle", (trial,)),
        predicted_downtime=PredictedDowntime(1.0, 1.0, 0.0, 1.0, 0.0),
        stop=MidPassStop(
            GroundTruth(1.0, 2, 0.5, 1.0, 1, 1, (Estimate("live", 1.0, 0.0),)),
            Check("mid-pass-stop", Outcome.PASSED, "timed"),
        ),
        blocktime=BlocktimeFinding("as-waited", (Wait("vCPU 0", 1.0, Interval(1, 1)),), 1.0),
        cpu={"SIDE": CpuUse(1.0, 1.0)},
    )
    assert list(names(fields.fields(full))) == list(meanings.VERDICT)


def test_each_field_of_an_advice_is_told():
    full = Advice(Finding.FOUND, 1, Interval(1, 1), (1,), BestPoint(2, 1.0, 1), down=Down(1.0))
    assert list(names(advice.fields(full))) == list(meanings.ADVICE)


def test_each_field_of_watch_is_told():
    trace = read(str(recording("ppc64-tcg-qemu-7.2")))
    found = now_json.fields(now(Evidence.of(replace(trace, samples=trace.samples[:600]))))
    assert list(found) == [name for name in meanings.WATCH if "." not in name]
    own = {name: value for name, value in found.items() if name not in ("advised", "advice", "verdict")}
    assert [*names(own), "advised", "advice", "verdict"] == list(meanings.WATCH)


def test_each_field_of_the_doctor_is_told():
    full = doctor.fields([HostCheck("memory", State.OK, "enough")])
    assert list(names(full)) == list(meanings.DOCTOR)


def test_each_field_of_an_unpacked_qemu_is_told():
    full = builds.fields(SuiteQemu("bookworm", "7.2.22", (), 1))
    assert list(names(full)) == list(meanings.QEMU)


def names(found, prefix=""):
    """The names of the fields, with those of the objects in them."""
    for name, value in found.items():
        yield prefix + name
        inner = value[0] if isinstance(value, list | tuple) and value else value
        if isinstance(inner, Mapping):
            yield from names(inner, f"{prefix}{name}.")
