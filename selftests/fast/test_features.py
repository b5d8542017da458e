# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways to migrate by name: each is what a test takes, and its cell says what came of it."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from avocado_migdowntime.errors import HostRequirementError
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.planning import check_among_themselves
from bench.rows import add
from tools import features as tool

from ..support.documents import TOP

COMMON, WAYS = tool.features(tool.FEATURES)
CANCELLED = {"mode-reboot", "mode-transfer", "mode-exec"}
ACCURATE = {"name": "report", "outcome": "passed", "code": "accurate", "sentence": "it is"}


def parsed(way):
    return parse({name: tool.text(value) for name, value in {**COMMON, **way.parameters}.items()})


@pytest.mark.parametrize("way", (*WAYS, *tool.scenarios()), ids=lambda way: way.name)
def test_each_is_what_a_test_takes_or_is_cancelled_with_the_reason(way):
    assert way.judged
    if way.name in CANCELLED:
        with pytest.raises(HostRequirementError):
            check_among_themselves(parsed(way))
    else:
        check_among_themselves(parsed(way))


def test_no_two_are_the_same():
    assert len({parsed(way) for way in WAYS}) == len(WAYS) and len({way.name for way in WAYS}) == len(WAYS)


def test_the_quick_ones_are_some_of_them():
    common, quick = tool.features(TOP / "variants" / "features-quick.yaml")
    assert common == COMMON and 5 <= len(quick) < len(WAYS) / 3
    assert [way for way in WAYS if way in quick] == quick


@pytest.mark.parametrize(
    ("answer", "shown", "reason"),
    [
        (
            {"status": 0, "said": [], "verdict": {"checks": [ACCURATE], "relative_error": -0.0012, "passes": 2}},
            *("accurate, -0.12%, 2", ""),
        ),
        (
            {
                "status": 1,
                "said": [],
                "verdict": {
                    "checks": [
                        ACCURATE,
                        {"name": "limit", "outcome": "failed", "code": "ended-early", "sentence": "so"},
                    ],
                    "relative_error": 0,
                    "passes": 2,
                },
            },
            *("accurate, but limit: ended-early", "so"),
        ),
        (
            {
                "status": 1,
                "said": [],
                "verdict": {
                    "checks": [{**ACCURATE, "outcome": "failed", "code": "stale", "sentence": "old"}],
                    "relative_error": 0.5,
                },
            },
            *("stale, +50.00%", "old"),
        ),
        (
            {
                "status": 125,
                "said": ["…"],
                "verdict": {"checks": [{**ACCURATE, "outcome": "undecided", "code": "no-pass", "sentence": "none"}]},
            },
            *("cannot tell: no-pass", "none"),
        ),
        (
            {
                "status": 125,
                "said": ["migdowntime judge: it lacks it; files in /x"],
                "verdict": None,
            },
            *("lacks", "it lacks it"),
        ),
        ({"status": 129, "said": ["migdowntime judge: broken"], "verdict": None}, "fails", "broken"),
        ({"status": 125, "said": ["source QEMU ended with 1"], "verdict": None}, "fails", "source QEMU ended with 1"),
        (
            {"status": 125, "said": ["destination QEMU was ended by SIGABRT: x"], "verdict": None},
            *("fails", "destination QEMU was ended by SIGABRT: x"),
        ),
        (
            {"status": 125, "said": ["source QEMU ended with 1: x is not a valid device model name"], "verdict": None},
            *("lacks", "source QEMU ended with 1: x is not a valid device model name"),
        ),
        (
            {"status": 125, "said": ["the migration ended as failed: x"], "verdict": None},
            *("fails", "the migration ended as failed: x"),
        ),
        (
            {"status": 125, "said": ["migdowntime judge: given up after 9 s; files in /x"], "verdict": None},
            *("fails", "given up after 9 s"),
        ),
    ],
)
def test_a_cell_says_what_came_of_it(answer, shown, reason):
    assert tool.cell(answer) == (shown, reason)


def test_the_page_has_a_row_for_each():
    rows = re.findall(r"^\| `([\w-]+)` \|", (TOP / "docs" / "features.md").read_text(), re.MULTILINE)
    assert rows == [way.name for way in (*WAYS, *tool.scenarios())]


def test_the_scenarios_of_guestperf_are_judged_on_the_installed_qemu_and_on_the_newest():
    installed, newest, other = tool.Qemu("7.2.22", None), tool.Qemu("11.1.3", "sid"), tool.Qemu("10.0.13", "trixie")
    ways, scenarios = tool.both([installed, newest, other])
    assert scenarios.columns == [(installed, "ppc64"), (newest, "x86_64")] and len(ways.columns) == 6
    assert tool.both([installed])[1].columns == [(installed, "ppc64")]
    assert {way.test for way in scenarios.ways if way.name.startswith("pause-")} == {"stop-now"}


def test_a_release_is_judged_once_however_many_suites_have_it(monkeypatch):
    both = ["ppc64", "x86_64"]
    suites = [
        ("bullseye", "5.2.0", both),
        ("sid", "11.1.3", both),
        ("stable", "7.2.22", both),
        ("next", "11.1.3", both),
    ]
    listed = [dict(zip(("suite", "release", "architectures"), one, strict=True)) for one in suites]
    listed.append({"suite": "old", "release": "6.0.0", "architectures": ["ppc64"]})
    said = {"--version": "QEMU emulator version 7.2.22 (Debian)", "--json": json.dumps(listed)}
    monkeypatch.setattr(tool, "run", lambda words: SimpleNamespace(stdout=said[words[-1]]))
    found = [(qemu.release, qemu.suite) for qemu in tool.qemus()]
    assert found == [("7.2.22", None), ("5.2.0", "bullseye"), ("11.1.3", "sid")]


def test_a_cell_tells_how_long_vcpus_waited():
    waits = [{"told_ms": 90.0, "can_ms": [48.2, 103.0]}] * 2
    verdict = {"checks": [ACCURATE], "relative_error": 0, "passes": 2, "blocktime": {"waits": waits}}
    shown = ("accurate, +0.00%, 2; blocktime 90 of 48 to 103 ms", "")
    assert tool.cell({"status": 0, "said": [], "verdict": verdict}) == shown


def test_what_was_judged_anew_counts_and_a_qemu_that_is_gone_stays(tmp_path):
    table = replace(tool.both()[0], kept=tmp_path / "features.jsonl")
    for release, shown in (("6.0.0", "fails"), ("7.2.22", "lacks"), ("6.0.0", "accurate, +0.00%, 2")):
        row = {"way": WAYS[0].name, "release": release, "arch": "ppc64", "shown": shown, "reason": ""}
        add(table.kept, row)
    text = tool.page(table)
    assert f"| `{WAYS[0].name}` | {WAYS[0].judged} | accurate, +0.00%, 2 | lacks |" in text
    assert f"2 of {2 * len(WAYS)} cells" in text and "| 6.0.0 ppc64 | 7.2.22 ppc64 |" in text
    assert " cells were run. 1 were accurate: off by 0.00 % (median) and 0.00 % (maximum).\n" in text


def test_the_page_says_how_far_those_are_off_that_are_accurate(tmp_path):
    table = replace(tool.both()[0], kept=tmp_path / "features.jsonl")
    for number, shown in enumerate(("accurate, -0.11%, 2", "accurate, +0.29%, 2; blocktime 1 of 0 to 2 ms", "lacks")):
        add(table.kept, {"way": WAYS[number].name, "release": "6.0.0", "arch": "ppc64", "shown": shown, "reason": ""})
    said = " cells were run. 2 were accurate: off by 0.20 % (median) and 0.29 % (maximum).\n"
    assert said in tool.page(table)
    table = replace(table, kept=tmp_path / "none.jsonl")
    assert "0 of 0 cells were run.\n" in tool.page(table)
