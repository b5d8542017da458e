# SPDX-License-Identifier: GPL-2.0-or-later
"""`verify`: what it runs in which order, what it says of real builds, and with which status it ends."""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from avocado_migdowntime.cli import verify
from avocado_migdowntime.comparison.compare import Answer
from avocado_migdowntime.comparison.good_or_bad import Goodness, goodness
from avocado_migdowntime.faults.catalogue import named as fault
from avocado_migdowntime.faulty.launcher import write
from avocado_migdowntime.verification.builds import named
from avocado_migdowntime.verification.job import Plan

from ..support.avocado_command import command
from ..support.documents import COMPARE, VERIFY
from ..support.outcomes import broken, run, untold
from ..support.verified_builds import BINARY, settle


@pytest.fixture
def home(tmp_path):
    """A directory for the user's settings, for `old/build` and for a `new/build` that is 10 % off."""
    settle(tmp_path)
    for name in ("old", "new"):
        (tmp_path / name / "build").mkdir(parents=True)
    (tmp_path / "old" / "build" / "qemu-system-ppc64").symlink_to(BINARY)
    write(tmp_path / "new" / "build" / "qemu-system-ppc64", fault("factor=0.9"), BINARY)
    return tmp_path


def avocado(home, *arguments):
    line, environment = command(home, *arguments)
    return subprocess.run(line, cwd=home, env=environment, capture_output=True, text=True, timeout=600, check=False)


def verified(*arguments):
    parser = argparse.ArgumentParser()
    verify.configure(parser)
    return verify.run(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/opt/q/bin/qemu-system-arm"], ["qemu-system-arm"]),
        (["/opt/old/bin", "/opt/new/bin"], ["old", "new"]),
        (["/a/x/qemu-system-arm", "/b/x/qemu-system-arm", "/c/qemu-system-arm"], ["a/x", "b/x", "c"]),
        (["/a/1;2", "/a/3"], ["1_2", "3"]),
        (["/a", "/a/b"], ["/a", "/a/b"]),
    ],
)
def test_builds_are_called_by_what_tells_them_apart(paths, names):
    assert [build.name for build in named(paths)] == names


def test_each_build_goes_first_in_turn_and_has_its_own_binary(home):
    plan = Plan(named([f"{home}/old", f"{home}/new/build/qemu-system-ppc64"]), "stop-now", ["page_sizes"], {}, 2, None)
    tests = plan.tests()
    builds = [test.identifier.partition("@")[2] for test in tests]
    assert [test.identifier.partition("@")[0] for test in tests] == ["migdowntime:stop-now"] * 8
    assert builds == [*["old", "new/build/qemu-system-ppc64"] * 2, *["new/build/qemu-system-ppc64", "old"] * 2]
    variants = [test.variant["variant_id"].rpartition("-")[0] for test in tests]
    assert variants == ["run-page-4K", "run-page-4K", "run-page-2M", "run-page-2M"] * 2
    for test, build in zip(tests, builds, strict=True):
        binary = home / ("old/build/qemu-system-ppc64" if build == "old" else build)
        assert test.default_config["migdowntime.qemu"] == str(binary)


def test_the_architecture_is_the_variants_or_else_the_builds():
    x86_64 = shutil.which("qemu-system-x86_64")
    both = named([str(Path(x86_64).parent)])
    for builds, variants, archs in (
        (named([x86_64]), ["page_sizes"], ["x86_64"] * 2),
        (both, ["page_sizes"], ["ppc64"] * 2),
        (both, ["architectures"], ["ppc64", "x86_64", "aarch64", "riscv64", "s390x", "arm"]),
    ):
        tests = Plan(builds, "expected-downtime", variants, {}, 1, None).tests()
        assert [test.default_config["migdowntime.arch"] for test in tests] == archs
        assert [Path(test.default_config["migdowntime.qemu"]).name for test in tests] == [
            f"qemu-system-{arch}" for arch in archs
        ]


def test_repetitions_are_one_more_than_an_answer_takes(home):
    both = named([f"{home}/old", f"{home}/new"])
    assert len(Plan(both, "expected-downtime", [], {}, None, None).tests()) == 2 * 5
    assert len(Plan(both, "expected-downtime", ["page_sizes"], {}, None, None).tests()) == 2 * 2 * 6
    assert len(Plan(both[:1], "expected-downtime", [], {}, None, None).tests()) == 3


def test_a_wrong_build_is_worse_and_the_job_says_the_same_again(home, nothing_left):
    done = avocado(home, *shlex.split(VERIFY)[1:])
    assert done.returncode == 1, done.stdout + done.stderr
    *_, told = done.stdout.splitlines()
    judged = (
        r"0 of ([45]) failed on old, ([45]) of \2 failed on new, rank test U = (\d+) of \3, p = 0\.0\d+, \1 \+ \2 runs"
    )
    assert re.fullmatch(rf"new is worse than old: \|error\| \+(?:9\.9|10\.)\d*%, {judged}\.", told), told
    assert "10 of 10: " in done.stderr and "about" in done.stderr
    job = home / "avocado" / "job-results" / "latest"
    again = avocado(home, *shlex.split(COMPARE)[1:3], "--json", str(job))
    found = json.loads(again.stdout)
    assert (again.returncode, found["answer"]) == (1, told)
    assert [one["answer"] for one in found["answers"]] == [Answer.WORSE]
    assert {one["verdict"] for one in found["runs"] if one["build"] == "old"} == {"accurate"}


def test_an_interrupted_verification_ends_with_130_and_leaves_nothing(home, nothing_left):
    line, environment = command(home, "migdowntime", "verify", "--qemu", "old")
    with subprocess.Popen(
        line,
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as started:
        assert "1 of 3" in started.stderr.readline()
        os.killpg(started.pid, signal.SIGINT)
        out, said = started.communicate(timeout=60)
    assert (started.returncode, out) == (130, "")
    assert said.endswith("migdowntime verify: interrupted\n")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--qemu", "/nowhere"], 125, "/nowhere does not exist"),
        (["--qemu", "/bin/true"], 125, "/bin/true did not answer as a QEMU does"),
        (["--qemu", "/etc"], 125, "in the directory /etc there is no qemu-system-ppc64"),
        (["--qemu", BINARY, "--qemu", "/nowhere"], 129, "/nowhere does not exist"),
        (["--qemu", BINARY, "--qemu", BINARY], 129, "is given twice"),
        (["--qemu", BINARY, "--arch", "x86_64"], 129, "is for ppc64, and x86_64 is to be tested"),
        (["--qemu", BINARY, "--test", "none"], 129, "there is no test none"),
        (["--qemu", BINARY, "-m", "none"], 129, "-m none: there is no such file"),
        (["--qemu", BINARY, "-p", "region=none"], 129, "parameter region"),
        (["--qemu", BINARY, "-p", "region"], 129, "-p region is no NAME=VALUE"),
        (["--qemu", BINARY, "-p", "qemu=x"], 129, "the builds are given by --qemu"),
        (["--qemu", BINARY, "--repeat", "0"], 129, "--repeat 0 runs nothing"),
    ],
)
def test_what_cannot_be_run_is_said_in_a_sentence_and_is_not_bad(arguments, status, says, capsys):
    assert verified(*arguments) == status
    captured = capsys.readouterr()
    assert says in captured.err and captured.err.count("\n") == 1 and captured.out == ""


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--qemu"], ["--qemu", "x", "--repeat", "many"]])
def test_bad_usage_ends_a_bisection(arguments, tmp_path):
    done = avocado(tmp_path, "migdowntime", "verify", "--qemu", "x", *arguments)
    assert done.returncode == 129
    assert "usage: avocado migdowntime verify" in done.stderr and "error: " in done.stderr


def test_results_that_cannot_be_kept_are_said_with_the_option_that_puts_them_elsewhere(tmp_path):
    done = avocado(tmp_path, "migdowntime", "verify", "--qemu", BINARY, "--job-results-dir", "/proc/x")
    assert (done.returncode, done.stdout) == (129, "")
    assert re.fullmatch(r".*'/proc/x'\); see if .* a directory for them by --job-results-dir\n", done.stderr)


@pytest.mark.parametrize("fails", ["raise RuntimeError('a bug')", "sys.exit(1)", "print('x' * 100000)"])
def test_no_failure_of_the_tool_is_taken_for_a_bad_build(fails):
    script = f"""
import sys
from avocado_migdowntime.__main__ import main
from avocado_migdowntime.cli import verify
def fail(arguments):
    {fails}
    return 0
verify._run = fail
sys.argv[1:] = ["verify", "--qemu", "x"]
sys.exit(main())
"""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 129, done.stderr


def test_a_build_by_itself_is_good_bad_or_cannot_be_told():
    good, bad, none = run("q", 0.0), run("q", 0.5), untold("q")
    assert goodness([good, none, good]).goodness is Goodness.GOOD
    assert goodness([good, bad, good]).goodness is Goodness.BAD
    assert goodness([good, broken("q")]).goodness is Goodness.BAD
    found = goodness([good, untold("q", "x86_64")])
    assert found.goodness is Goodness.UNKNOWN
    assert found.reason == "no run of x86_64 in 1 came to a verdict: QEMU ended with status 1"
