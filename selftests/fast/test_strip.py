# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors of many runs side by side: of estimators against ground truth, of builds against each other."""

import argparse
import gzip
from pathlib import Path
from xml.etree import ElementTree

from avocado_migdowntime.cli import compare
from avocado_migdowntime.comparison.outcome import RunOutcome
from avocado_migdowntime.pictures.strip_plot import of_builds, of_truths, strips

from ..support.jobs import job, of_recordings
from ..support.outcomes import truth
from ..support.pages import page_of
from ..support.recorded import ACCURATE


def run_on(build, error, variant="v"):
    return RunOutcome(build, variant, "PASS", passed=True, verdict="accurate", relative_error=error, tolerance=0.01)


def svg_texts(path):
    return [one.text for one in ElementTree.parse(path).iter() if one.tag.endswith("}text")]


def test_each_truth_is_a_dot_in_the_row_of_its_estimator():
    truths = [truth("good", 0.01, in_pass=0.1), truth("good", -0.02, ratio=0.5), truth("bad", 0.5, in_pass=0.9)]
    strip = of_truths(truths)
    assert strip.title == "3 guests stopped in mid-pass"
    assert [row.partition(":")[0] for row in strip.rows] == ["good", "bad"]
    found = {
        (share, round(height)) for kind in strip.kinds for share, height in zip(kind.shares, kind.heights, strict=True)
    }
    assert {(round(share, 6), row) for share, row in found} == {(0.01, 0), (-0.02, 0), (0.5, 1)}
    slow, early, late = strip.kinds
    assert (slow.colour, early.colour, late.colour) == (0, 1, 1) and early.shape != late.shape
    assert early.name.startswith("dirties faster") and early.name.endswith("stopped early in the pass")


def test_builds_stand_beside_each_other_in_each_variant():
    builds = [
        [run_on("old", 0.001), run_on("old", 0.002), run_on("old", 0.003, "w")],
        [run_on("new", -0.004), RunOutcome("new", "w", "ERROR")],
    ]
    strip = of_builds(builds)
    assert strip.rows == ("v on old, +0.15% median", "v on new, -0.40% median", "w on old, +0.30% median", "w on new")
    old, new = strip.kinds
    assert old.shares == (0.001, 0.002, 0.003) and new.shares == (-0.004,)
    assert [round(height) for height in (*old.heights, *new.heights)] == [0, 0, 2, 1]
    assert len(set(old.heights)) == 3 and strip.within == 0.01


def test_of_many_variants_those_that_are_furthest_off_are_shown():
    errors = [(-1) ** number * number / 1e5 for number in range(1000)]
    old = [run_on("old", 0.0001, f"v{number}") for number in range(1000)]
    new = [run_on("new", error, f"v{number}") for number, error in enumerate(errors)]
    strip = of_builds([old, new])
    assert strip.title == "2000 runs on 2 builds, the 30 of 1000 variants that are furthest off"
    assert [row.partition(",")[0] for row in strip.rows] == [
        f"v{number} on {name}" for number in range(970, 1000) for name in ("old", "new")
    ]
    assert sorted(strip.kinds[1].shares) == sorted(errors[970:])


def test_there_is_a_strip_only_where_there_is_something_to_show():
    assert of_builds([[RunOutcome("old", "v", "ERROR")], [RunOutcome("new", "v", "ERROR")]]) is None
    assert strips([], [[run_on("only", 0.001)]]) == []
    assert [one.title for one in strips([truth()], [[run_on("a", 0.1)], [run_on("b", 0.1)]])] == [
        "1 guest stopped in mid-pass",
        "2 runs on 2 builds",
    ]


def test_compare_draws_the_runs(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    old, new = of_recordings(Path("old"), 1), of_recordings(Path("new $<b>"), 0.995)
    parser = argparse.ArgumentParser()
    compare.configure(parser)
    assert compare.run(parser.parse_args([old, new, "--picture", "runs.svg"])) == 1
    texts = svg_texts("runs.svg")
    assert {"8 runs on 2 builds", "accurate: within ±1.0%"} <= set(texts) and old in texts and new in texts
    none = job(Path("none"), [])
    for jobs, file in (([old, new], "runs.doc"), ([old, none], "runs.png"), ([old], "runs.png")):
        capsys.readouterr()
        assert compare.run(parser.parse_args([*jobs, "--picture", file])) == 2
        assert capsys.readouterr().err.count("\n") == 1 and not Path(file).exists()


def test_the_page_of_two_jobs_has_both_builds(tmp_path):
    jobs = [of_recordings(tmp_path / "old", 1), of_recordings(tmp_path / "new", 0.995)]
    for name in jobs:
        data = tmp_path / name / "test-results/1-some/data"
        data.mkdir(parents=True)
        (data / "trace.jsonl").write_bytes(gzip.decompress(ACCURATE.read_bytes()))
    page = page_of(tmp_path, *jobs)
    assert "expected value - 1; grey is accurate: within ±1.0 %</p>" in page
    assert "<h2>8 runs on 2 builds</h2>" in page and page.count('data-role="kind-1"') == 1
