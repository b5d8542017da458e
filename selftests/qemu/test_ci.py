# SPDX-License-Identifier: GPL-2.0-or-later
"""The jobs of docs/ci.md are YAML, run the same commands, and these do what is said, in a copy of the checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import yaml

from ..support.documents import QUICK, TOP

NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "results", "__pycache__", ".*_cache", "build", "*.egg-info")
REFUSED_BY_GITHUB = set('":<>|*?\r\n')
"""Characters that no name in an artifact may have (actions/upload-artifact)."""


def jobs():
    """The job of GitLab, and that of GitHub."""
    blocks = re.findall(r"```yaml\n(.*?)```", (TOP / "docs/ci.md").read_text(), re.DOTALL)
    gitlab, github = map(yaml.safe_load, blocks)
    return gitlab["expected-downtime"], github["jobs"]["expected-downtime"]


def test_both_jobs_run_the_same_commands_in_the_same_debian_and_keep_the_same_results():
    gitlab, github = jobs()
    [commands] = [step["run"].splitlines() for step in github["steps"] if "run" in step]
    assert commands == gitlab["script"] and QUICK in commands
    assert github["container"] == gitlab["image"] == "debian:bookworm"
    [kept] = [step for step in github["steps"] if "upload-artifact" in step.get("uses", "")]
    assert [kept["with"]["path"]] == gitlab["artifacts"]["paths"]
    assert kept["if"] == "always()" and gitlab["artifacts"]["when"] == "always"


def test_the_commands_of_the_jobs_judge_both_architectures_and_leave_what_is_kept(tmp_path, nothing_left):
    gitlab, _ = jobs()
    checkout = tmp_path / "checkout"
    shutil.copytree(TOP, checkout, ignore=NOT_COPIED)
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
