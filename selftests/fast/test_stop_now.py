# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests stopped in mid-pass: what they were down for, and how close each estimator came."""

import argparse
import gzip
import json

import pytest

from avocado_migdowntime.cli import score as command
from avocado_migdowntime.comparison.estimator_score import PARTS, scores
from avocado_migdowntime.forms.file import parse as parse_trace
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.report.verdict_text import summary
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.mid_pass_stop import mid_pass_stop

from ..support.outcomes import truth
from ..support.recorded import RECORDINGS, STOPPED

STOPPED_MS = 4474.69
ORDINARY = RECORDINGS / "ppc64-tcg-qemu-7.2.jsonl.gz"


def stopped_without(unwanted):
    """The recorded run without the records that are `unwanted`."""
    records = map(json.loads, gzip.decompress(STOPPED.read_bytes()).splitlines())
    return parse_trace("\n".join(json.dumps(record) for record in records if not unwanted(record)).encode())


def event(name):
    return lambda record: record.get("event", {}).get("event") == name


def run(*arguments):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(list(map(str, arguments))))


def test_a_recorded_stop_is_timed_and_each_estimate_held_against_it():
    stop = mid_pass_stop(Evidence.of(read(str(STOPPED))))
    found = stop.truth
    assert stop.check.code == "timed" and found.number == 7
    # By its events: STOP at the source, completed at the destination.
    assert found.down_ms == pytest.approx(STOPPED_MS, abs=0.01)
    assert found.in_pass == pytest.approx(0.5, abs=0.03) and found.dirty_ratio == pytest.approx(2, rel=0.05)
    # Half of the region was left, and within half a pass a guest that is twice as fast has dirtied all of it.
    assert found.rest_bytes == pytest.approx(30 << 20, rel=0.07)
    assert found.dirtied_bytes == pytest.approx(60 << 20, rel=0.03)
    errors = {estimate.name: estimate.error for estimate in found.estimates}
    assert errors["live"] == pytest.approx(-2 / 3, abs=0.03)
    assert errors["last-sync"] == pytest.approx(-1 / 3, abs=0.03)
    assert errors["reported"] == pytest.approx(errors["last-sync"], abs=0.01)
    assert errors["redirty"] == pytest.approx(1 / 3, abs=0.04)
    assert abs(errors["rest-and-dirtied"]) < 0.08
    assert found.ranked[0].name == "rest-and-dirtied"


def test_the_verdict_of_such_a_run_rests_on_what_came_before_and_says_what_came_of_the_stop():
    verdict = judge(read(str(STOPPED)))
    assert verdict.passed and verdict.passes == 1 and verdict.ground_truth.number == 7, verdict
    text = summary(verdict)
    assert "stopped    after 5" in text and "of pass 7 for " in text
    ranked = [line.split(": ")[-1] for line in text.splitlines() if line.startswith("estimate")]
    assert ranked[0] == "rest-and-dirtied" and len(ranked) == 6
    assert not any("that QEMU reports" in reason for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("unwanted", "code", "why"),
    [
        (event("STOP"), "not-stopped", "the guest was not stopped: the migration ended before"),
        (event("STOP_NOW"), "not-stopped", "the guest was not stopped: the migration ended before"),
        (
            lambda r: r.get("query-migrate", {}).get("ram", {}).get("dirty-sync-count") in (5, 6),
            "too-little-seen",
            "too few samples",
        ),
    ],
)
def test_a_stop_that_did_not_happen_leaves_the_question_open(unwanted, code, why):
    trace = stopped_without(unwanted)
    stop = mid_pass_stop(Evidence.of(trace))
    assert stop.truth is None and stop.check.code == code and stop.check.sentence.startswith(why)
    verdict = judge(trace)
    assert verdict.passed is None and verdict.stop == stop and stop.check.sentence in verdict.reasons


def test_where_no_guest_was_to_be_stopped_nothing_is_missing():
    assert mid_pass_stop(Evidence.of(read(str(ORDINARY)))) is None


def test_scores_are_medians_and_percentiles_of_the_sizes_of_errors():
    truths = [truth(error=error, in_pass=0.1 if error < 0 else 0.9) for error in (-0.1, 0.02, 0.03, 0.04, 0.2)]
    (found,) = scores(truths)
    assert (found.name, found.runs) == ("some", 5)
    assert (found.median, found.worst, found.bias) == pytest.approx((0.04, 0.2, 0.03))
    assert found.ninetieth == pytest.approx(0.16)
    assert found.parts == pytest.approx({"early": 0.1, "late": 0.035, "fast": 0.04})
    better = scores([*truths, truth("other", 0.01, ratio=0.5)])
    assert [one.name for one in better] == ["other", "some"] and better[0].parts == {"middle": 0.01, "slow": 0.01}


def test_the_command_prints_a_row_for_each_estimator_and_draws_a_picture(tmp_path, capsys):
    job = tmp_path / "job" / "test-results" / "1-some" / "data"
    job.mkdir(parents=True)
    (job / "trace.jsonl").write_bytes(gzip.decompress(STOPPED.read_bytes()))
    broken = tmp_path / "job" / "test-results" / "2-other" / "data" / "trace.jsonl"
    broken.parent.mkdir(parents=True)
    broken.write_text("{}")
    picture = tmp_path / "picture.svg"
    assert run(tmp_path / "job", STOPPED, "--picture", picture) == 0
    said = capsys.readouterr()
    assert (
        said.err.startswith(f"migdowntime score: {broken}: '{{}}' matches no known text") and said.err.count("\n") == 1
    )
    lines = said.out.splitlines()
    assert lines[0].split() == ["estimator", "median", "90", "%", "worst", "bias", *PARTS]
    assert lines[1].startswith("rest-and-dirtied") and len(lines) == 8
    assert lines[-1].startswith("rest-and-dirtied comes closest to the real downtime of 2 stopped guests: ")
    assert all(name in picture.read_text() for name in ("<svg", "clip-path"))
    assert run("--json", STOPPED) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["scores"][0]["name"] == "rest-and-dirtied" and shown["runs"][0]["number"] == 7


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            [ORDINARY],
            "none of these recordings has a guest stopped in mid-pass; give results of migdowntime:stop-now",
        ),
        (["nowhere.jsonl"], "nowhere.jsonl: No such file"),
        ([RECORDINGS], "contains no test-results/*/data/trace.jsonl"),
        (
            [STOPPED, "--picture", "picture.xyz"],
            "picture.xyz: unsupported file type; use one of .png, .svg, .pdf",
        ),
        ([STOPPED, "--picture", "/nowhere/picture.png"], "/nowhere/picture.png: cannot be written: No such file"),
    ],
)
def test_what_cannot_be_scored_is_said_in_a_sentence(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert says in captured.err and captured.out == "" and not list(tmp_path.iterdir())
