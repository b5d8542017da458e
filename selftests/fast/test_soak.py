# SPDX-License-Identifier: GPL-2.0-or-later
"""What a soak says of what was seen."""

from dataclasses import replace

import pytest

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.verdict.judge import judge
from bench.soak import had, said, told

from ..support.recorded import WRONG, recording

STEADY = {"memory, MB": 80, "descriptors": 9, "threads": 1, "left behind": 0, "hugepages": 0}


@pytest.mark.parametrize(
    ("verdicts", "last", "status", "says"),
    [
        ({"accurate": 4}, {}, 0, "piled up: nothing; false alarms: 0"),
        ({"accurate": 3, "inconclusive": 1}, {"memory, MB": 82}, 0, "piled up: nothing; false alarms: 0"),
        ({"accurate": 3, "inaccurate": 1}, {}, 1, "piled up: nothing; false alarms: 1"),
        ({"accurate": 3, "accurate, but wrong: limit ended-early": 1}, {}, 1, "piled up: nothing; false alarms: 1"),
        ({"accurate": 3, "error: QEMU has gone": 1}, {}, 1, "piled up: nothing; false alarms: 0"),
        ({"accurate": 4}, {"descriptors": 10, "hugepages": 2}, 1, "piled up: descriptors, hugepages; false alarms: 0"),
        ({"accurate": 4}, {"left behind": 1}, 1, "piled up: left behind; false alarms: 0"),
    ],
)
def test_what_piles_up_or_is_wrong_is_named(capsys, verdicts, last, status, says):
    seen = [STEADY, STEADY, {**STEADY, **last}, {**STEADY, **last}]
    assert told(verdicts, seen, 2) == status
    out = capsys.readouterr().out
    assert out.startswith("4 runs: ") and out.endswith(f"{says}\n")
    assert f"| descriptors | 9 | {last.get('descriptors', 9)} | {last.get('descriptors', 9)} |\n" in out


def test_a_soak_that_has_run_nothing_is_no_success(capsys):
    assert told({}, [], 1) == 1


def test_what_a_verdict_finds_wrong_beside_the_report_is_named():
    right = judge(read(str(recording("ppc64-tcg-qemu-7.2"))))
    ended_early = replace(right, limit=replace(right.limit, code="ended-early"))
    assert said(right) == "accurate" and said(judge(read(str(WRONG)))) == "inaccurate"
    assert said(ended_early) == "accurate, but wrong: limit ended-early"


def test_what_is_looked_at_is_what_is_told_of():
    assert had().keys() == STEADY.keys() and had()["threads"] >= 1
