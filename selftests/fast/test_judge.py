# SPDX-License-Identifier: GPL-2.0-or-later
"""`judge`: exit statuses, outputs and files, on what an experiment would have recorded, or raised."""

import json
from pathlib import Path

import pytest

from avocado_migdowntime.basics.resources import packaged_tests
from avocado_migdowntime.errors import HarnessError, HostRequirementError, UnusableBuildError, UsageError
from avocado_migdowntime.experiments.catalogue import EXPERIMENTS
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.report.verdict_text import summary
from avocado_migdowntime.verdict.judge import judge

from ..support.judged import judged, made_up
from ..support.recorded import WRONG, recording

RIGHT = recording("ppc64-tcg-qemu-7.2")
OPEN = recording("ppc64-tcg-qemu-7.2-asked-while-it-switched-over")
"""Recordings of a QEMU that is right, of one that is wrong (WRONG), and of a run that cannot tell."""
WHY = {
    WRONG: "expected-downtime is inaccurate: the report is -82.16% off last-sync; it matches dirty-rate",
    OPEN: "no limit was tried: the migration ended first, or the limit needed was unknown",
}


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """The directory for temporary ones, which is empty."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(directory))
    return directory


def verdict_of(file):
    return judge(read(str(file)))


def files_of(directory):
    return sorted(path.name for path in Path(directory).iterdir())


def test_a_qemu_that_is_right_is_good_and_leaves_nothing(monkeypatch, temporary, capsys):
    made_up(monkeypatch, RIGHT)
    assert judged() == 0
    out, told = capsys.readouterr()
    assert out == summary(verdict_of(RIGHT)) + "\n" and told == "migdowntime judge: under way\n"
    assert files_of(temporary) == []


def test_what_does_not_go_together_is_said_without_waiting_for_others(monkeypatch, capsys):
    monkeypatch.setattr("avocado_migdowntime.host.one_at_a_time._try_bind", lambda lock, name: False)
    assert judged("-p", "capabilities=multifd", "-p", "link=fd") == 129
    assert "capability multifd " in capsys.readouterr().err


@pytest.mark.parametrize(("file", "status"), [(WRONG, 1), (OPEN, 125)], ids=["wrong", "open"])
def test_of_any_other_it_is_said_why_and_where_the_files_are(file, status, monkeypatch, temporary, capsys):
    made_up(monkeypatch, file)
    assert judged("--quiet") == status
    out, told = capsys.readouterr()
    [kept] = temporary.iterdir()
    assert out == f"{summary(verdict_of(file))}\nfiles in   {kept}\n"
    assert told.startswith(f"migdowntime judge: {WHY[file]}") and told.count("\n") == 1
    assert files_of(kept) == ["source.stderr", "trace.jsonl"]


def test_what_cannot_be_told_is_bad_where_that_is_asked_for(monkeypatch, capsys):
    made_up(monkeypatch, OPEN)
    assert judged("-p", "inconclusive=fail") == 1
    assert judged("-p", "inconclusive=fail", "--tap") == 1
    assert "\nnot ok 2 report: no-pass\n" in capsys.readouterr().out


@pytest.mark.parametrize("file", [RIGHT, WRONG], ids=["right", "wrong"])
def test_the_object_has_the_whole_verdict_and_where_the_files_are(file, monkeypatch, temporary, capsys):
    made_up(monkeypatch, file)
    assert judged("--json") == (1 if file == WRONG else 0)
    kept = [str(path) for path in temporary.iterdir()]
    whole = {"files": kept[0] if kept else None, **fields(verdict_of(file))}
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(whole))
    assert bool(kept) == (file == WRONG)


def test_a_directory_that_was_named_stays(tmp_path, temporary, monkeypatch, capsys):
    made_up(monkeypatch, RIGHT)
    place = tmp_path / "results" / "one"
    assert judged("--output", str(place)) == 0
    assert capsys.readouterr().out.endswith(f"\nfiles in   {place}\n")
    assert files_of(place) == ["source.stderr", "trace.jsonl"] and files_of(temporary) == []


def test_a_directory_with_something_in_it_is_left_alone(tmp_path, monkeypatch, capsys):
    experiment = made_up(monkeypatch, RIGHT)
    (tmp_path / "trace.jsonl").write_text("of another run")
    for place, why in (
        (tmp_path, "already has files in it; give a new directory, or an empty one"),
        (tmp_path / "trace.jsonl", "cannot be created: File exists; give another"),
        (Path("/proc/none/one"), "cannot be created: No such file or directory; give another"),
    ):
        assert judged("--output", str(place)) == 129
        assert capsys.readouterr() == ("", f"migdowntime judge: {place} {why}\n")
    assert experiment.given == [] and (tmp_path / "trace.jsonl").read_text() == "of another run"


@pytest.mark.parametrize(
    ("error", "tap", "with_tap", "kept"),
    [
        (HostRequirementError("no hugepages"), "1..0 # SKIP no hugepages", 0, False),
        (HarnessError("QEMU has gone"), "Bail out! QEMU has gone", 125, True),
        (UnusableBuildError("/bin/true did not answer as a QEMU does"), "Bail out! /bin/true did not", 125, True),
        (UsageError("1 of RAM is not a multiple of the page size 2M"), "Bail out! 1 of RAM is not", 129, True),
    ],
    ids=["host", "harness", "build", "parameter"],
)
def test_where_there_is_no_verdict_it_cannot_be_told(error, tap, with_tap, kept, monkeypatch, temporary, capsys):
    made_up(monkeypatch, error=error)
    assert judged("--quiet") == (with_tap or 125)
    where = f"; files in {next(temporary.iterdir())}" if kept else ""
    assert capsys.readouterr() == ("", f"migdowntime judge: {error}{where}\n")
    assert judged("--quiet", "--tap") == with_tap
    assert capsys.readouterr().out.startswith(f"TAP version 13\n{tap}")
    assert len(files_of(temporary)) == (2 if kept else 0)


def test_a_host_that_lacks_something_fails_what_is_not_to_be_skipped(monkeypatch, temporary, capsys):
    made_up(monkeypatch, error=HostRequirementError("no hugepages"))
    assert judged("--quiet", "--tap", "-p", "lacking=fail") == 125
    assert capsys.readouterr().out == "TAP version 13\nBail out! no hugepages\n"
    assert judged("--quiet", "-p", "lacking=fail") == 125


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--test", "none"], "there is no test none; known are convergence, downtime, expected-downtime, "),
        (["-p", "region"], "-p region is not a pair; expected NAME=VALUE"),
        (["-p", "region=none"], "parameter region: "),
        (["-p", "regions=1M"], "unknown parameter 'regions'; did you mean region?\n"),
        (["-p", "pagesize=4K"], "unknown parameter 'pagesize'; did you mean page_size or guest_page_size?\n"),
        (["-p", "zzz=1"], "unknown parameter 'zzz'; known are arch, qemu, "),
        (["-p", "qemu=x"], "-p qemu=x: name builds with --qemu"),
        (["--arch", "m68k"], "parameter arch: 'm68k' is not one of auto, ppc64, "),
        (["--qemu", ""], "--qemu is empty; give a QEMU binary, a directory with one, or a suite\n"),
        (["--qemu", "/nowhere", "-p", "passes=0"], "parameter passes: '0' is not a whole number from 1 to 1000"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else None,
)
def test_what_makes_no_sense_ends_a_bisection_in_a_sentence(words, says, monkeypatch, capsys):
    experiment = made_up(monkeypatch, RIGHT)
    assert judged(*words) == 129
    out, told = capsys.readouterr()
    assert out == "" and told.count("\n") == 1 and told.startswith(f"migdowntime judge: {says}")
    assert experiment.given == []


def test_a_qemu_that_is_not_there_is_told_without_a_turn(monkeypatch, temporary, capsys):
    monkeypatch.setattr("avocado_migdowntime.host.one_at_a_time.alone_on_host", None)
    assert judged("--qemu", "/nowhere/qemu") == 125
    assert capsys.readouterr().err == (
        "migdowntime judge: /nowhere/qemu does not exist; give the path of a qemu-system-*, or of a directory that has "
        "one\n"
    )
    assert files_of(temporary) == []


@pytest.mark.parametrize("given", ["page_size=4K", "--page_size=4K"])
def test_a_parameter_that_is_given_as_an_option_is_answered_with_how_it_is_given(given, capsys):
    assert judged(given) == 129
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith("; a parameter of the test is given as -p page_size=4K; see avocado migdowntime judge --help")


@pytest.mark.parametrize("words", [["--json", "--tap"], ["--nonsense"], ["--qemu"], ["one"]], ids=" ".join)
def test_bad_usage_ends_a_bisection(words, capsys):
    assert judged(*words) == 129
    assert "usage: avocado migdowntime judge" in capsys.readouterr().err


def test_no_failure_of_the_tool_is_taken_for_a_bad_build(monkeypatch, temporary, capsys):
    made_up(monkeypatch, error=RuntimeError("a bug"))
    assert judged() == 129
    assert "RuntimeError: a bug" in capsys.readouterr().err and files_of(temporary) == []


@pytest.mark.parametrize(
    ("words", "arch"),
    [
        ([], "auto"),
        (["--qemu", "qemu-system-x86_64"], "auto"),
        (["--qemu", "qemu-system-x86_64", "--arch", "arm"], "arm"),
        (["--qemu", "qemu-system-x86_64", "-p", "arch=s390x"], "s390x"),
    ],
    ids=" ".join,
)
def test_the_architecture_is_left_to_the_binary_unless_one_is_given(words, arch, tmp_path, monkeypatch):
    experiment = made_up(monkeypatch, RIGHT)
    (tmp_path / "qemu-system-x86_64").touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    assert judged(*words) == 0
    [given] = experiment.given
    assert given.arch == arch
    assert given.qemu == (str(Path(words[1]).resolve()) if words else None)


def test_parameters_hold_over_settings_and_those_over_what_the_test_has_of_its_own(monkeypatch):
    experiment = made_up(monkeypatch, RIGHT)
    assert judged("--test", "stop-now", "-p", "passes=7", "-p", "rate=9", passes="5", region="30M") == 0
    [given] = experiment.given
    assert (given.passes, given.rate, given.region, given.max_bandwidth) == (7, 9, 30 << 20, 20 << 20)


def test_each_test_can_be_chosen(monkeypatch):
    experiment = made_up(monkeypatch, RIGHT)
    assert EXPERIMENTS.keys() == packaged_tests().keys()
    assert [judged("--test", name, "--quiet") for name in EXPERIMENTS] == [0] * len(EXPERIMENTS)
    assert len(experiment.given) == len(EXPERIMENTS)
