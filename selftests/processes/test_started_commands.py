# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands as a shell starts them: with an output that is not taken, and on a host without Avocado."""

import os
import subprocess
import sys

import pytest

from ..support.documents import TOP
from ..support.recorded import STOPPED, recording

CLEAN = recording("x86_64-kvm-qemu-7.2")
INACCURATE = recording("ppc64-tcg-qemu-7.2-with-dirty-rate-formula")


@pytest.mark.parametrize(
    ("shell", "status", "words"),
    [
        ("| head -1", 0, ""),
        ("> /dev/full", 2, "migdowntime: the output cannot be written: No space left on device"),
        ("- <&-", 2, "migdowntime analyze: standard input: is closed; give a file, or pipe something into it\n"),
    ],
)
def test_output_that_is_not_taken_ends_quietly(shell, status, words):
    command = f"set -o pipefail; {sys.executable} -m avocado_migdowntime analyze {CLEAN} {shell}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == status or (shell == "| head -1" and done.returncode == 141)
    assert "Traceback" not in done.stderr and words in done.stderr


@pytest.mark.parametrize("where", ["2> /dev/full", "2>&-", "2> >(true)"])
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (f"analyze {CLEAN}", 0),
        (f"analyze {INACCURATE}", 1),
        ("analyze nowhere", 2),
        ("compare", 2),
        ("judge --qemu nowhere", 125),
        ("judge --output /dev/null", 129),
    ],
)
def test_the_status_is_the_same_where_standard_error_takes_nothing(words, status, where):
    command = f"{sys.executable} -m avocado_migdowntime {words} {where}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == status and bool(done.stdout) == (status < 2)


@pytest.mark.parametrize(("where", "why"), [(">&-", "the standard output is closed"), ("> /dev/full", "No space left")])
@pytest.mark.parametrize(("words", "status"), [("--help", 2), ("analyze --help", 2), ("judge --help", 129)])
def test_a_help_that_is_not_taken_is_a_sentence(words, status, where, why):
    command = f"{sys.executable} -m avocado_migdowntime {words} {where}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == status and done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"migdowntime: the output cannot be written: {why}")


@pytest.mark.parametrize(
    ("words", "name"),
    [("report '' --output x.html", "JOB|RECORDING"), ("compare . ''", "JOB"), ("qemu add ''", "SUITE")],
)
def test_an_empty_argument_is_told(words, name):
    command = f"{sys.executable} -m avocado_migdowntime {words}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    says = f"error: {name} is empty, as a shell's variable is that was never set; give one; see "
    assert done.returncode == 2 and says in done.stderr


@pytest.mark.parametrize("words", ["compare . .", "faulty factor=2 --qemu ./qemu --output faulty"])
def test_a_directory_that_was_removed_meanwhile_is_told(words, tmp_path):
    command = f"mkdir gone; cd gone; rmdir ../gone; {sys.executable} -m avocado_migdowntime {words}"
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True)
    says = "migdowntime: the current directory does not exist any more; change to another one\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", says)


def without_avocado(directory, *arguments):
    line = "import sys; sys.modules['avocado'] = None; from avocado_migdowntime.__main__ import main; sys.exit(main())"
    environment = {**os.environ, "HOME": str(directory)}
    return subprocess.run(
        [sys.executable, "-c", line, *arguments], cwd=TOP, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("arguments", [["analyze", str(STOPPED)], ["list"], ["qemu", "list"]], ids=" ".join)
def test_a_host_without_avocado_has_the_commands_too(arguments, tmp_path):
    done = without_avocado(tmp_path, *arguments)
    assert done.returncode in (0, 1) and done.stdout and not done.stderr


def test_what_runs_tests_says_that_it_takes_avocado(tmp_path):
    done = without_avocado(tmp_path, "verify", "--qemu", "/usr/bin")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (129, "", 1)
    assert "Avocado runs the tests; install this package: pip install ." in done.stderr
