# SPDX-License-Identifier: GPL-2.0-or-later
"""`verify`: what builds are called, what is run in which order, and what a build by itself comes to."""

import argparse
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest

from avocado_migdowntime.cli import main as subcommands
from avocado_migdowntime.comparison.good_or_bad import Goodness, goodness
from avocado_migdowntime.errors import UnusableBuildError, UsageError
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.verification import builds, job
from avocado_migdowntime.verification.builds import named

from ..support.outcomes import broken, run, untold


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


@pytest.mark.parametrize("paths", [[""], ["/a", ""]])
def test_an_empty_name_is_bad_input_and_no_build_to_skip(paths):
    with pytest.raises(UsageError, match="^--qemu is empty; ") as raised:
        named(paths)
    assert not isinstance(raised.value, UnusableBuildError)


@pytest.mark.parametrize("repeat", ["0", "-1", "two", "1.5", "9" * 5000])
def test_a_count_of_runs_that_is_none_is_refused(repeat, capsys):
    parser = argparse.ArgumentParser()
    subcommands.add_to(parser)
    with pytest.raises(SystemExit, match="^129$"):
        parser.parse_args(["verify", "--qemu", "q", f"--repeat={repeat}"])
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"error: argument --repeat: '{repeat}' is not a whole number from 1; see" in said


def test_a_run_that_does_not_pass_is_reported_with_its_reason():
    said = []
    progress = job._Progress(3, said.append)
    progress.dispatcher = Mock()
    for state in (
        {"status": "ERROR", "fail_reason": "QEMU ended"},
        {"status": "CANCEL"},
        {"status": "PASS", "fail_reason": "<unknown>"},
    ):
        progress.map_method("end_test", None, state)
    assert said == [
        "1 of 3: ERROR, about 0 s to go: QEMU ended",
        "2 of 3: CANCEL, about 0 s to go",
        "3 of 3: PASS",
    ]


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


def test_hugepages_are_wanted_here_for_the_sides_that_run_here(monkeypatch):
    wanted = []

    @contextmanager
    def lease_hugepages(resources, page_size_bytes, count, *, allowed):
        wanted.append(count)
        yield

    monkeypatch.setattr(builds, "lease_hugepages", lease_hugepages)
    for destination in ("", "lab2"):
        builds.check_hugepages(parse({"destination_host": destination, "ram": "64M", "page_size": "2M"}))
    assert wanted == [64, 32]


def test_a_build_by_itself_is_good_bad_or_cannot_be_told():
    good, bad, none = run("q", 0.0), run("q", 0.5), untold("q")
    assert goodness([good, none, good]).goodness is Goodness.GOOD
    assert goodness([good, bad, good]).goodness is Goodness.BAD
    assert goodness([good, broken("q")]).goodness is Goodness.BAD
    found = goodness([good, untold("q", "x86_64")])
    assert found.goodness is Goodness.UNKNOWN
    assert found.reason == "no run of x86_64 in 1 came to a verdict: QEMU ended with status 1"
