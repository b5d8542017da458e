# SPDX-License-Identifier: GPL-2.0-or-later
"""`analyze` as a user meets it: text, JSON, exit statuses, HMP text, standard input."""

import argparse
import gzip
import io
import json
from pathlib import Path

import pytest

from avocado_migdowntime.cli import analyze
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

RECORDINGS = Path(__file__).parents[1] / "recordings"
CLEAN = str(RECORDINGS / "x86_64-kvm-qemu-7.2.jsonl.gz")
FAULTY = str(RECORDINGS / "ppc64-tcg-qemu-7.2-with-dirty-rate-formula.jsonl.gz")
HMP = RECORDINGS / "info-migrate-power8.txt"
PROMISED = {
    "file",
    "verdict",
    "formula",
    "reported_ms",
    "expected_ms",
    "relative_error",
    "passes",
    "downtime_limit_ms",
    "effective_limit_ms",
    "limit_verdict",
    "reasons",
}


def run(*arguments):
    parser = argparse.ArgumentParser()
    analyze.configure(parser)
    return analyze.run(parser.parse_args(arguments))


def test_json_is_a_list_with_the_promised_fields(capsys):
    assert run("--json", CLEAN, FAULTY) == 1
    clean, faulty = json.loads(capsys.readouterr().out)
    assert clean.keys() >= PROMISED and clean["file"] == CLEAN
    assert (clean["verdict"], clean["formula"], clean["passes"], clean["limit_verdict"]) == (
        "accurate",
        "last-sync",
        5,
        "respected",
    )
    assert (clean["reported_ms"], clean["downtime_limit_ms"], clean["effective_limit_ms"]) == (2075, 1, None)
    assert (faulty["verdict"], faulty["formula"]) == ("inaccurate", "dirty-rate")
    assert faulty["subject"] == "QEMU 7.2.22 ppc64 tcg"


def test_text_says_what_qemu_said_and_what_is_right(capsys):
    assert run(FAULTY) == 1
    text = capsys.readouterr().out
    for words in ("INACCURATE", "980 ms expected-downtime", "5495.3 ms", "-82.16%", "dirty-rate", "2 passes"):
        assert words in text


def test_another_contract_may_be_asked_for(capsys):
    assert run("--formula", "dirty-rate", FAULTY) == 0
    assert "by the formula dirty-rate" in capsys.readouterr().out


def test_the_exit_status_is_that_of_the_worst_file(tmp_path, capsys):
    short = tmp_path / "short.jsonl"
    short.write_bytes(gzip.decompress(Path(CLEAN).read_bytes())[:40_000])
    assert run(CLEAN) == 0
    assert run(CLEAN, str(short)) == 125
    assert run(CLEAN, str(short), FAULTY) == 1
    assert run(CLEAN, str(tmp_path / "none"), FAULTY) == 2
    assert f"{tmp_path}/none: No such file" in capsys.readouterr().err


def test_the_power8_case_is_recognised(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(HMP.read_bytes())))
    assert run("--json", "-") == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["file"], found["verdict"], found["formula"], found["passes"]) == ("-", "inaccurate", "dirty-rate", 0)
    assert found["reported_ms"] == 1475
    assert found["expected_ms"] == pytest.approx(3561.8, abs=0.05)
    assert any("1475.9 ms" in reason for reason in found["reasons"])
    assert "a single sample" in found["reasons"][1]


def test_a_snapshot_that_reports_too_little_may_show_the_report_of_the_pass_before():
    text = HMP.read_text().replace("downtime: 1475", "downtime: 2000")
    verdict = judge(parse(text.encode()))
    assert (verdict.verdict, verdict.report.code) == (Judgement.INCONCLUSIVE, "below-what-is-left")
    assert "below the 3561.8 ms" in verdict.reasons[0]


def test_a_snapshot_that_reports_more_than_is_left_stays_open():
    text = HMP.read_text().replace("downtime: 1475", "downtime: 5000")
    assert judge(parse(text.encode())).verdict is Judgement.INCONCLUSIVE


@pytest.mark.parametrize(
    ("find", "put", "words"),
    [
        ("dirty pages rate: 39044 pages\n", "", "or the guest dirties nothing, so that QEMU computes nothing"),
        ("rate: 39044", "rate: 0", "dirty-pages-rate is 0"),
        ("status: active", "status: completed", "the migration completed; QEMU predicts nothing now"),
        ("throughput: 866.83 mbps", "throughput: 0.00 mbps", "the throughput is 0"),
    ],
)
def test_a_snapshot_without_a_prediction_is_inconclusive(find, put, words):
    verdict = judge(parse(HMP.read_text().replace(find, put).encode()))
    assert verdict.verdict is Judgement.INCONCLUSIVE
    assert words in verdict.reasons[0]


def test_a_snapshot_without_what_is_left_is_refused(tmp_path, capsys):
    path = tmp_path / "info.txt"
    path.write_text("Migration status: active\ntotal time: 7 ms\n")
    assert run(str(path)) == 2
    assert (
        "the output of `info migrate`: the status is active, and no remaining RAM is shown" in capsys.readouterr().err
    )


@pytest.mark.parametrize(("release", "reported", "left_ms"), [("7.2", 2086, 628.3), ("11.1", 1955, 295.6)])
def test_the_text_of_real_releases_is_read(release, reported, left_ms):
    trace = parse((RECORDINGS / f"info-migrate-{release}.txt").read_bytes())
    assert (trace.samples[0].ram.page_bytes, trace.samples[0].ram.dirty_sync_count) == (4096, 2)
    verdict = judge(trace)
    assert (verdict.verdict, verdict.reported_ms) == (Judgement.INCONCLUSIVE, reported)
    assert verdict.expected_ms == pytest.approx(left_ms, abs=0.05)
    assert judge(trace, "live").verdict is Judgement.INCONCLUSIVE
    assert judge(trace, "dirty-rate").report.code == "no-formula"


def test_a_snapshot_held_to_dirty_rate_shows_that_figure():
    verdict = judge(parse(HMP.read_bytes()), "dirty-rate")
    assert verdict.verdict is Judgement.ACCURATE
    assert verdict.expected_ms == pytest.approx(1475.9, abs=0.05)
    assert abs(verdict.relative_error) < 0.001
