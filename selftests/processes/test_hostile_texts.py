# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands make of recordings, results and names whose texts are to be more than texts."""

import json
import re

import pytest

from ..support.traces import Pass, precopy

HOSTILE = "\x1b[2J\x9b31m\x07\r\nverdict    ACCURATE\u202e\u2066\u2028\udcff\ud800"
REFUSING = (["analyze"], ["advise"], ["compare"], ["report", "--output", "x.html"], ["faulty", "--output", "x"])


@pytest.fixture
def ran(warm, tmp_path):
    """The exit status and all that was printed, which has lines and what can be printed."""

    def run(*arguments):
        done = warm.run(*arguments, cwd=tmp_path, environment={"PYTHONIOENCODING": "utf-8"})
        said = (done.stdout + done.stderr).decode()
        assert all(map(str.isprintable, said.split("\n")))
        assert not re.search(r"^verdict +ACCURATE", said, re.MULTILINE)
        return done.returncode, said

    return run


@pytest.fixture
def trace(tmp_path):
    """An inaccurate run all texts of which are hostile."""
    header = {
        "qemu": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": HOSTILE},
        "migrate-parameters": {"downtime-limit": 300, HOSTILE: HOSTILE},
        "capabilities": ["events", HOSTILE],
        **dict.fromkeys(("arch", "machine", "accelerator", "guest", "backing", "subject", HOSTILE), HOSTILE),
    }
    rows = precopy(Pass(30_000), Pass(20_000, expected_ms=7), Pass(20_000, expected_ms=7))
    rows.insert(0, {"t": 0, "side": HOSTILE, "event": {"event": HOSTILE, "data": {HOSTILE: HOSTILE}}})
    rows.insert(0, {"t": 0, "side": "harness", "event": {"event": "LAGGING", "data": {"said": HOSTILE}}})
    rows.insert(0, {"t": 0, "latency_ms": 1, "query-migrate": {"status": HOSTILE}, "on": HOSTILE})
    path = tmp_path / f"trace{HOSTILE.removesuffix(chr(0xD800))}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in [header, *rows]))
    return path.name


@pytest.mark.parametrize("command", [["analyze"], ["analyze", "--json"], ["advise"], ["advise", "--json"], ["score"]])
def test_a_recording_prints_no_more_than_lines_of_text(ran, tmp_path, trace, command):
    status, said = ran(*command, trace)
    assert status in (0, 1, 2) and "Traceback" not in said and "\\x1b[2J" in said


@pytest.mark.parametrize("kind", ["html", "svg"])
def test_a_report_of_it_is_written(ran, tmp_path, trace, kind):
    status, said = ran("report", trace, "--output", f"report.{kind}")
    assert (status, said) == (0, "")
    page = (tmp_path / f"report.{kind}").read_bytes().decode()
    assert "\\x1b[2J" in page and not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)


def test_what_is_refused_is_named_on_one_line(ran, tmp_path):
    name = f"no{HOSTILE.removesuffix(chr(0xD800))}"
    for command in REFUSING:
        status, said = ran(*command, name)
        assert status == 2 and said.count("\n") == 1 and "\\x1b[2J" in said


def test_results_of_a_job_print_no_more_either(ran, tmp_path):
    verdict = {
        **dict.fromkeys(("verdict", "formula", "limit_verdict", "contract", "subject"), HOSTILE),
        **{"passed": True, "relative_error": 0.001, "tolerance": 0.01, "downtime": None},
        "convergence": {"judgement": HOSTILE},
    }
    tests = [
        {"id": f"{n}-x", "name": f"migdowntime:downtime@{build}{HOSTILE};run-{HOSTILE}", "status": HOSTILE,
         "fail_reason": HOSTILE, "whiteboard": json.dumps(verdict)}
        for n, build in enumerate("abab")
    ]  # fmt: skip
    (tmp_path / "results.json").write_text(json.dumps({"tests": tests}))
    for command in (["compare"], ["compare", "--json"]):
        status, said = ran(*command, ".")
        assert status in (0, 1, 125) and "Traceback" not in said and "\\x1b[2J" in said
