# SPDX-License-Identifier: GPL-2.0-or-later
"""`verify` on real builds: what it says of them, interrupted, and with what it cannot run."""

import argparse
import json
import os
import re
import shlex
import signal
import subprocess

import pytest

from avocado_migdowntime.cli import verify
from avocado_migdowntime.comparison.compare import Answer

from ..support.avocado_command import command
from ..support.documents import COMPARE, VERIFY
from ..support.verified_builds import BINARY, avocado, old_and_new
from ..support.waiting import HANGS_S


@pytest.fixture
def home(tmp_path):
    return old_and_new(tmp_path)


def verified(*arguments):
    parser = argparse.ArgumentParser()
    verify.configure(parser)
    return verify.run(parser.parse_args(arguments))


@pytest.mark.alone
def test_a_wrong_build_is_worse_and_the_job_says_the_same_again(home, nothing_left):
    done = avocado(home, *shlex.split(VERIFY)[1:])
    assert done.returncode == 1, done.stdout + done.stderr
    *_, told = done.stdout.splitlines()
    judged = (
        r"0 of ([45]) failed on old, ([45]) of \2 failed on new, rank test U = (\d+) of \3, p = 0\.0\d+, \1 \+ \2 runs"
    )
    off = r"Median \|error\|: 0\.\d\d% on old, (?:9\.9|10\.)\d*% on new; 1% is allowed"
    assert re.fullmatch(rf"new is worse than old: \|error\| \+(?:9\.9|10\.)\d*%, {judged}\. {off}\.", told), told
    assert "10 of 10: " in done.stderr and "about" in done.stderr
    job = home / "avocado" / "job-results" / "latest"
    again = avocado(home, *shlex.split(COMPARE)[1:3], "--json", str(job))
    found = json.loads(again.stdout)
    assert again.returncode == 1 and told.startswith(f"{found['answer']} ")
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
        out, said = started.communicate(timeout=HANGS_S)
    assert (started.returncode, out) == (130, "")
    assert said.endswith("migdowntime verify: interrupted\n")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--qemu", "/nowhere"], 125, "/nowhere does not exist"),
        (["--qemu", "/bin/true"], 125, "/bin/true did not answer as a QEMU does"),
        (["--qemu", "/etc"], 125, "the directory /etc has no qemu-system-*, and none in bin or build below it"),
        (["--qemu", BINARY, "--qemu", "/nowhere"], 129, "/nowhere does not exist"),
        (["--qemu", BINARY, "--qemu", BINARY], 129, "is given twice"),
        (["--qemu", BINARY, "--arch", "x86_64"], 129, "is for ppc64, and x86_64 is to be tested"),
        (["--qemu", BINARY, "--test", "none"], 129, "there is no test none"),
        (["--qemu", BINARY, "-m", "none"], 129, "-m none: no such file or packaged variant; known are"),
        (["--qemu", BINARY, "-p", "region=none"], 129, "parameter region"),
        (["--qemu", BINARY, "-p", "region"], 129, "-p region is not a pair; expected NAME=VALUE"),
        (["--qemu", BINARY, "-p", "qemu=x"], 129, "name builds with --qemu"),
    ],
)
def test_what_cannot_be_run_is_said_in_a_sentence_and_is_not_bad(arguments, status, says, capsys):
    assert verified(*arguments) == status
    captured = capsys.readouterr()
    assert says in captured.err and captured.err.count("\n") == 1 and captured.out == ""


def test_results_that_cannot_be_kept_are_said_with_the_option_that_puts_them_elsewhere(tmp_path):
    small_pages = ["-p", "page_size=4K"]  # Tests beside this one may have taken all hugepages.
    done = avocado(tmp_path, "migdowntime", "verify", "--qemu", BINARY, "--job-results-dir", "/proc/x", *small_pages)
    assert (done.returncode, done.stdout) == (129, ""), done.stderr
    assert re.fullmatch(r".*'/proc/x'\); see if .* a directory for them by --job-results-dir\n", done.stderr)
