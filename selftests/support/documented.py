# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that README and docs show, as a user runs them whose settings make runs short."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .documents import TOP

SETTINGS = "[migdowntime]\npasses = 1\n"
LESS_RAM = {"avocado run migdowntime:hugepage-idle": "region = 176M\n"}
"""Of a region that takes long to be sent, half."""


@dataclass(frozen=True)
class Ran:
    """How a command ended, and the home of its user."""

    status: int
    output: str
    error: str
    home: Path

    def directory(self) -> Path:
        """What the only test of its job left, which has to have passed."""
        assert self.status == 0, self.output + self.error
        (found,) = (self.home / "avocado" / "job-results" / "latest" / "test-results").glob("*/data")
        return found


def run(command: str, home: Path) -> Ran:
    """Run it as it stands there, with this environment's programs first on the PATH."""
    settings = home / ".config" / "avocado" / "avocado.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS + LESS_RAM.get(command, ""))
    # Avocado looks for its user's settings in an activated environment first.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home)}
    done = subprocess.run(command, shell=True, cwd=TOP, env=environment, capture_output=True, text=True)
    return Ran(done.returncode, done.stdout, done.stderr, home)
