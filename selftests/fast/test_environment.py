# SPDX-License-Identifier: GPL-2.0-or-later
"""`tools/environment` says that an environment is whole when it is, and not after a pip that failed or was killed.

Python and pip are pretended; test_set_up.py has the real ones.
"""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..support.documents import TOP

PYTHON = """#!/bin/sh
case "$*" in
*version_info*) [ -z "$OLD" ] ;;
--version) echo Python 3.9.2 ;;
*ensurepip*) [ -z "$NO_ENSUREPIP" ] ;;
"-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && [ -z "$NO_ROOM" ] ;;
"-m pip "*) shift 2; echo "pip $*"; [ -z "$KILLED" ] || kill -KILL $PPID; [ -z "$FAILING" ] ;;
*) exit 3 ;;
esac
"""


@dataclass
class Checkout:
    """One with an environment in the making."""

    directory: Path

    @property
    def whole(self):
        return (self.directory / "venv" / "made").exists()

    def run(self, *arguments, **environment):
        """Exit status, what was printed, and what was complained of."""
        line = [str(TOP / "tools/environment"), arguments[0], "venv", *arguments[1:]]
        path = f"{self.directory}/bin:{os.environ['PATH']}"
        done = subprocess.run(
            line,
            cwd=self.directory,
            env={**os.environ, "PATH": path, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").write_text(PYTHON)
    (tmp_path / "bin" / "python3").chmod(0o755)
    return Checkout(tmp_path)


def test_one_that_was_made_is_whole_and_stays_so_with_its_time(checkout):
    status, printed, complained = checkout.run("make")
    installed = f"pip install --quiet --require-hashes --requirement {TOP}/tools/locked-build.txt\n"
    assert (status, printed, complained) == (0, installed, "") and checkout.whole
    os.utime(checkout.directory / "venv" / "made", (1000, 1000))
    assert checkout.run("pip", "install", "some thing") == (0, "pip install some thing\n", "")
    assert checkout.whole and (checkout.directory / "venv" / "made").stat().st_mtime == 1000


@pytest.mark.parametrize("step", ["make", "pip"])
def test_a_pip_that_fails_leaves_none_that_is_whole_and_says_what_to_do(checkout, step):
    checkout.run("make")
    status, _, complained = checkout.run(step, "install", FAILING="1")
    assert status == 1 and not checkout.whole
    assert complained == (
        "pip could not finish, see above: mostly its package index was out of reach; run make again when that is "
        "fixed, which begins venv anew\n"
    )


@pytest.mark.parametrize("step", ["make", "pip"])
def test_one_that_was_killed_is_not_whole_and_is_made_anew_from_nothing(checkout, step):
    checkout.run("make")
    assert checkout.run(step, "install", KILLED="1")[0] == -signal.SIGKILL and not checkout.whole
    (checkout.directory / "venv" / "rest").touch()
    assert checkout.run("make")[0] == 0 and checkout.whole
    assert not (checkout.directory / "venv" / "rest").exists()


@pytest.mark.parametrize(
    ("lack", "sentence"),
    [
        ("OLD", "{python} is Python 3.9.2; put 3.11 or later first on the PATH\n"),
        (
            "NO_ENSUREPIP",
            "{python} has no ensurepip, without which it makes no virtual environment; install it as root (Debian: "
            "apt-get install python3-venv), or put another python3 first on the PATH\n",
        ),
        (
            "NO_ROOM",
            "no virtual environment could be made in venv, see above; check for free space, and if you may write "
            "there\n",
        ),
    ],
)
def test_what_a_python_lacks_is_told_in_a_sentence(checkout, lack, sentence):
    status, _, complained = checkout.run("make", **{lack: "1"})
    assert status == 1 and not checkout.whole
    assert complained == sentence.format(python=checkout.directory / "bin" / "python3")
