# SPDX-License-Identifier: GPL-2.0-or-later
"""`compare` as a user meets it: jobs' results, made of verdicts on real recordings."""

import argparse
import json

import pytest

from avocado_migdowntime.cli import compare

from ..support.documents import COMPARE
from ..support.jobs import entry, job, of_recordings, verdict
from ..support.recorded import CLEAN

FAULTY = "ppc64-tcg-qemu-7.2-with-dirty-rate-formula"


def run(*arguments):
    parser = argparse.ArgumentParser()
    compare.configure(parser)
    return compare.run(parser.parse_args(arguments))


def test_half_a_percent_of_bias_is_worse(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    of_recordings(tmp_path / "old", 1), of_recordings(tmp_path / "new", 0.995)
    assert run(*COMPARE.split()[3:]) == 1
    above, table, said = capsys.readouterr().out.split("\n\n")
    tested, others, tool, command = above.splitlines()
    assert tested.startswith(
        "tested     old: QEMU 5.2.0 ppc64 tcg; QEMU 7.2.22 ppc64 tcg; "
    ) and others == tested.replace("old", "new")
    assert tool.startswith("tool       avocado_migdowntime ") and command.startswith("command    ")
    lines = table.splitlines()
    assert lines[0].split()[:3] == ["build", "variant", "verdict"]
    assert lines[2].startswith("new    expected-downtime architecture-ppc64-7843  accurate 4×  last-sync 4×")
    assert said.replace("\n", " ") == (
        "new is worse than old: |error| +0.52%, rank test U = 16 of 16, p = 0.029, 4 + 4 runs. "
        "Median |error|: 0.01% on old, 0.52% on new; 1% is allowed. "
    )
    assert run("new", "old") == 0
    assert "old is better than new: |error| -0.52%" in capsys.readouterr().out


def test_json_has_the_answers_and_the_runs(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    old, new, same = (of_recordings(tmp_path / name, bias) for name, bias in (("a", 1), ("b", 1.006), ("c", 1)))
    assert run("--json", old, new, same) == 125
    found = json.loads(capsys.readouterr().out)
    worse, equal = found["answers"]
    assert (worse["build"], worse["answer"], worse["needed"]) == (new, "not enough runs to tell", 5)
    assert (equal["build"], equal["answer"]) == (same, "equal")
    assert equal["contrast"]["runs"] == [4, 4] and equal["contrast"]["p"] == pytest.approx(1 / 70)
    assert len(found["runs"]) == 12
    assert found["runs"][0]["relative_error"] == pytest.approx(-0.0005, abs=0.0005)
    assert found["runs"][0].items() >= {"build": old, "status": "PASS", "tolerance": 0.01}.items()


def test_builds_of_one_job_are_told_by_the_names_of_its_tests(tmp_path, capsys):
    entries = [
        entry(2 * n + second, f"migdowntime:expected-downtime@{build}", verdict(name, 1))
        for n, name in enumerate(CLEAN * 2)
        for second, build, name in ((1, "old", name), (2, "faulty", FAULTY))
    ]
    both = job(tmp_path / "both", [*reversed(entries), entry(99, "/bin/true", None)])
    assert run(both) == 1
    assert "faulty is worse than old: |error| +82.15%, 0 of 8 failed on old, 8 of 8 failed on faulty" in (
        capsys.readouterr().out
    )
    assert run("--json", both) == 1
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [(one["build"], one["formula"]) for one in runs] == [("old", "last-sync")] * 8 + [
        ("faulty", "dirty-rate")
    ] * 8
    assert {one["variant"] for one in runs} == {"expected-downtime"}


def test_a_test_that_came_to_no_verdict_is_shown_with_its_reason(tmp_path, capsys):
    old = of_recordings(tmp_path / "old", 1)
    name = "migdowntime:expected-downtime;run-architecture-ppc64-7843"
    new = job(tmp_path / "new", [entry(n, name, None, "ERROR", "source QEMU was ended by SIGSEGV") for n in (1, 2)])
    assert run(old, new) == 125
    assert "came to a verdict (source QEMU was ended by SIGSEGV)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file or directory; give the results of a job"),
        ("{", "is not JSON"),
        ("[]", "are not the results of a job of this release"),
        ('{"tests": [{"id": "x"}]}', "are not the results of a job of this release"),
        ('{"tests": []}', "has no test of this project"),
        (json.dumps({"tests": [entry(1, "migdowntime:x", {"limit_verdict": ""})]}), "are not the results of a job"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence(content, says, tmp_path, capsys):
    if content is not None:
        (tmp_path / "results.json").write_text(content)
    assert run(str(tmp_path)) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and says in captured.err and captured.err.count("\n") == 1


def test_a_build_alone_is_refused(tmp_path, capsys):
    assert run(of_recordings(tmp_path / "old", 1)) == 2
    assert f"all runs are on one build, {tmp_path}/old" in capsys.readouterr().err


def test_a_job_that_is_given_twice_is_refused(tmp_path, capsys):
    old = of_recordings(tmp_path / "old", 1)
    (tmp_path / "latest").symlink_to(old)
    for again in (old, f"{old}/", str(tmp_path / "latest")):
        assert run(old, again) == 2
        assert f"{again} is given twice" in capsys.readouterr().err


def test_jobs_of_other_machines_are_told_apart(tmp_path, capsys):
    names = ("ppc64-tcg-qemu-7.2", "x86_64-kvm-qemu-7.2")
    ours, theirs = (of_recordings(tmp_path / name, 1, [name] * 4) for name in names)
    assert run(ours, theirs) == 0
    said = f"was ppc64 tcg on {ours}, and x86_64 kvm on {theirs}. "
    assert said in capsys.readouterr().out.replace("\n", " ")
