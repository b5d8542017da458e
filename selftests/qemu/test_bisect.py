# SPDX-License-Identifier: GPL-2.0-or-later
"""`git bisect run` finds the commit from which a QEMU reports wrongly, with `verify` and `judge` as documented."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from avocado_migdowntime.faults.catalogue import named_fault
from avocado_migdowntime.faulty.launcher import script

from ..support.documents import BISECT, BISECT_QUICKLY
from ..support.verified_builds import BINARY, settle
from ..support.waiting import HANGS_S

RIGHT = f'#!/bin/sh\nexec {BINARY} "$@"\n'
WRONG = script(named_fault("dirty-rate"), BINARY)
COMMITS = {"good": RIGHT, "fine": RIGHT, "not-building": None, "last": RIGHT, "culprit": WRONG, "bad": WRONG}
"""What each commit builds into build/qemu-system-ppc64; one does not build."""
MAKEFILE = "qemu-system-ppc64: ../source\n\ttest -s $< && cp $< $@ && chmod +x $@\n"


@pytest.fixture
def source(tmp_path, sockets, monkeypatch):
    """A source tree with a history, and a user whose settings make runs short; files that are kept go with it."""
    settle(tmp_path)
    monkeypatch.setenv("TMPDIR", str(sockets))
    tree = tmp_path / "qemu"
    (tree / "build").mkdir(parents=True)
    (tree / "build" / "Makefile").write_text(MAKEFILE)
    (tree / ".gitignore").write_text("build/qemu-system-ppc64\n")
    shell("git init --quiet --initial-branch=master", tree)
    for number, (name, built) in enumerate(COMMITS.items()):
        (tree / "source").write_text(built or "")
        (tree / "changes").write_text(name)
        date = f"2026-01-0{number + 1}T00:00:00"
        shell(
            f"git add . && GIT_COMMITTER_DATE={date} git commit --quiet --date={date} -m {name} && git tag {name}", tree
        )
    return tree


def shell(command, tree):
    """Run it as a user would there, with this environment's programs first on the PATH; gives what was printed."""
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= {
        "HOME": str(tree.parent),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run(
        command, shell=True, cwd=tree, env=environment, capture_output=True, text=True, timeout=HANGS_S
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.mark.alone
@pytest.mark.parametrize(
    ("commands", "good", "bad"),
    [
        (
            BISECT,
            "build is good: 3 of 3 runs passed",
            "build is bad: 3 of 3 runs failed: expected-downtime is inaccurate",
        ),
        (BISECT_QUICKLY, "verdict    ACCURATE", "migdowntime judge: expected-downtime is inaccurate"),
    ],
    ids=["verify", "judge"],
)
def test_the_commit_is_found_and_one_that_does_not_build_is_passed_over(commands, good, bad, source, nothing_left):
    said = "".join(shell(command, source) for command in commands)
    assert re.search(r"is the first bad commit\n.*\n.*\n.*\n\n    culprit\n", said), said
    assert bad in said and good in said
    assert "skip: [" in shell("git bisect log", source)


def test_bad_input_ends_the_bisection_before_a_commit_is_called_bad(source):
    start, run = BISECT
    shell(start, source)
    with pytest.raises(AssertionError) as ended:
        shell(run.replace("verify", "verify --repeat none"), source)
    assert "argument --repeat: 'none' is not a whole number from 1" in str(ended.value)
    assert "bad" not in shell("git bisect log | grep -v '^#' | tail --lines=+2", source)
