# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/reference.md is what the code says; `python -m selftests.fast.test_reference` writes it."""

from collections.abc import Mapping
from pathlib import Path

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.builds.suite_qemu import SuiteQemu
from avocado_migdowntime.doctor.host_check import HostCheck, State
from avocado_migdowntime.prediction.advice import Advice, BestPoint, Finding
from avocado_migdowntime.report import advice, builds, doctor
from avocado_migdowntime.report import json_fields as meanings
from avocado_migdowntime.report import verdict_json as fields
from avocado_migdowntime.report.listing import KINDS
from avocado_migdowntime.verdict.check import Check, Outcome
from avocado_migdowntime.verdict.downtime import Downtime, Integrity
from avocado_migdowntime.verdict.limit import LimitFinding, LimitJudgement
from avocado_migdowntime.verdict.mid_pass_stop import Estimate, GroundTruth, MidPassStop
from avocado_migdowntime.verdict.predicted_downtime import Promise
from avocado_migdowntime.verdict.trials import Convergence, Trial
from avocado_migdowntime.verdict.verdict import Verdict

REFERENCE = Path(__file__).parents[2] / "docs/reference.md"
HEADINGS = {
    "tests": "Tests, for `avocado run`",
    "variants": "Variants, for `-m`",
    "workloads": "Workloads, for `pattern`",
    "formulas": "Formulas, for `formula`",
    "parameters": "Parameters, as `--migdowntime-NAME`, in variants, with `-p` and in section `migdowntime`",
    "verdict-fields": "JSON fields of a verdict: `verdict.json`, `analyze --json`",
    "codes": "Codes of a verdict's checks: stable, for programs",
    "advice-fields": "JSON fields of `advise --json`",
    "doctor-fields": "JSON fields of `doctor --json`",
    "qemu-fields": "JSON fields of `qemu add --json`, and of each in the list of `qemu list --json`",
}


def reference():
    blocks = ["# Reference\n\nMade from the code, as `avocado migdowntime list` has it too."]
    for kind, heading in HEADINGS.items():
        entries = KINDS[kind]()
        defaults = any(entry.default is not None for entry in entries)
        rows = (
            ["| name | default | meaning |", "| --- | --- | --- |"]
            if defaults
            else ["| name | meaning |", "| --- | --- |"]
        )
        for entry in entries:
            default = f" {f'`{entry.default}`' if entry.default else ''} |" if defaults else ""
            rows.append(f"| `{entry.name}` |{default} {entry.meaning} |")
        blocks.append(f"## {heading}\n\n" + "\n".join(rows))
    return "\n\n".join(blocks) + "\n"


def test_the_reference_is_what_the_code_says():
    assert reference() == REFERENCE.read_text()
    assert HEADINGS.keys() == KINDS.keys()


def test_each_field_of_a_verdict_is_told():
    trial = Trial("chosen", 1.0, 1, 0, True, None, LimitJudgement.RESPECTED)
    full = Verdict(
        report=Check("report", Outcome.PASSED, "accurate"),
        contract="last-sync",
        limit=LimitFinding("respected"),
        integrity=Integrity(1),
        downtime=Downtime(),
        convergence=Convergence("right", 1.0, 1.0, "oracle", (trial,)),
        promise=Promise(1.0, 1.0, 0.0, 1.0, 0.0),
        stop=MidPassStop(
            GroundTruth(1.0, 2, 0.5, 1.0, 1, 1, (Estimate("live", 1.0, 0.0),)),
            Check("mid-pass-stop", Outcome.PASSED, "timed"),
        ),
    )
    assert list(names(fields.fields(full))) == list(meanings.VERDICT)


def test_each_field_of_an_advice_is_told():
    full = Advice(Finding.FOUND, 1, Interval(1, 1), (1,), BestPoint(2, 1.0, 1))
    assert list(names(advice.fields(full))) == list(meanings.ADVICE)


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


if __name__ == "__main__":
    REFERENCE.write_text(reference())
