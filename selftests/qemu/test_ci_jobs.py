# SPDX-License-Identifier: GPL-2.0-or-later
"""The jobs of docs/ci.md do what is said, in a copy of the checkout."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ..support.ci_jobs import jobs
from ..support.documents import TOP

pytestmark = pytest.mark.alone

NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "results", "__pycache__", ".*_cache", "build", "*.egg-info")
SHORT = "[migdowntime]\npasses = 1\n"
"""The settings of the user, with which runs take two seconds less."""
REFUSED_BY_GITHUB = set('":<>|*?\r\n')
"""Characters that no name in an artifact may have (actions/upload-artifact)."""


def test_the_commands_of_the_jobs_judge_both_architectures_and_leave_what_is_kept(tmp_path, nothing_left):
    gitlab, _ = jobs()
    checkout = tmp_path / "checkout"
    shutil.copytree(TOP, checkout, ignore=NOT_COPIED)
    settings = checkout / ".venv/.config/avocado/avocado.conf"  # Where Avocado looks in an activated environment.
    settings.parent.mkdir(parents=True)
    settings.write_text(SHORT)
    script = "\n".join(gitlab["script"])
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != here)
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= {"PATH": path, "HOME": str(tmp_path)}
    done = subprocess.run(["sh", "-ec", script], cwd=checkout, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    suite = ElementTree.parse(checkout / gitlab["artifacts"]["reports"]["junit"]).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "0", "0")
    [kept] = gitlab["artifacts"]["paths"]
    tests = json.loads((checkout / kept / "latest/results.json").read_text())["tests"]
    verdicts = [json.loads(test["whiteboard"]) for test in tests]
    assert [verdict["verdict"] for verdict in verdicts] == ["accurate"] * 4
    assert sorted(verdict["subject"].split()[2] for verdict in verdicts) == ["ppc64", "ppc64", "x86_64", "x86_64"]
    names = [path.name for path in (checkout / kept).rglob("*")]
    assert not [name for name in names if REFUSED_BY_GITHUB & set(name)]
