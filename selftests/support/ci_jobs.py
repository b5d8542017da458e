# SPDX-License-Identifier: GPL-2.0-or-later
"""The jobs of docs/ci.md, and the one that is run here."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from .documented import write_settings
from .documents import TOP

SETTINGS = "passes = 1\nlimit_from = reported\n"
"""Those of the user: with the former runs are shorter."""
_NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "results", "__pycache__", ".*_cache", "build", "*.egg-info")


@dataclass(frozen=True)
class Done:
    """How the commands of the job ended, and the copy of the checkout that they were run in."""

    status: int
    output: str
    checkout: Path

    def results(self) -> Path:
        """The directory of the job's results."""
        assert self.status == 0, self.output
        [kept] = jobs()[0]["artifacts"]["paths"]
        return self.checkout / kept

    def left(self, test: str, arch: str) -> Path:
        """The directory of what a test of an architecture has left."""
        [found] = self.results().glob(f"latest/test-results/*_{test}_*-{arch}-*/data")
        return found


def jobs():
    """The job of GitLab, and that of GitHub."""
    blocks = re.findall(r"```yaml\n(.*?)```", (TOP / "docs/ci.md").read_text(), re.DOTALL)
    gitlab, github = map(yaml.safe_load, blocks)
    return gitlab["expected-downtime"], github["jobs"]["expected-downtime"]


def done(directory: Path) -> Done:
    """Do what the job of GitLab does, in a copy of the checkout."""
    checkout = directory / "checkout"
    shutil.copytree(TOP, checkout, ignore=_NOT_COPIED)
    write_settings(checkout / ".venv", SETTINGS)  # Where Avocado looks for them in an activated environment.
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != here)
    dropped = ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    # pip: no-compile is switched on by a no.
    environment |= {"PATH": path, "HOME": str(directory), "PIP_NO_COMPILE": "no"}
    script = "\n".join(jobs()[0]["script"])
    ended = subprocess.run(["sh", "-ec", script], cwd=checkout, env=environment, capture_output=True, text=True)
    return Done(ended.returncode, ended.stdout + ended.stderr, checkout)
