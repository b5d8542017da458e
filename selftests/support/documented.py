# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the commands in README and docs as a user whose settings make runs short."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .documents import CONVERGENCE, HUGEPAGE_IDLE, STOP_NOW, TOP, VARIANTS

SHORT = "passes = 1\n"
STOPPED_AT_HALF = {
    **{"arch": "x86_64", "page_size": "4K", "region": "24M", "max_bandwidth": "12M"},
    **{"rate": "8000", "stop_at": "0.5"},
}
"""Half of a pass is sent, and the whole region is dirty again: last-sync predicts 2 s for a downtime of 3 s."""
SETTINGS = {
    CONVERGENCE: f"{SHORT}page_size = 4K\nregion = 10M\n",  # With hugepages the ends of passes are not visible.
    HUGEPAGE_IDLE: f"{SHORT}ram = 256M\nregion = 80M\n",
    STOP_NOW: "".join(f"{name} = {value}\n" for name, value in STOPPED_AT_HALF.items()),
    VARIANTS: f"{SHORT}region = 20M\n",
}
"""Settings other than `SHORT`; after one pass `stop-now` has nothing to judge the report by.

Where limits are tried, half of what a pass lasts for is more than QEMU's default limit, so that this is one of them.
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended, and its user's home."""

    status: int
    output: str
    error: str
    home: Path

    def left(self) -> Path:
        """The directory that the only test of its job has left; that test must have passed."""
        assert self.status == 0, self.output + self.error
        (found,) = (self.home / "avocado" / "job-results" / "latest" / "test-results").glob("*/data")
        return found


def ran(home: Path, command: str) -> Ran:
    """Run it as written there, with this environment's programs first on the PATH."""
    write_settings(home, SETTINGS.get(command, SHORT))
    # Avocado looks for its user's settings in an activated environment first.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home)}
    done = subprocess.run(command, shell=True, cwd=TOP, env=environment, capture_output=True, text=True)
    return Ran(done.returncode, done.stdout, done.stderr, home)


def write_settings(home: Path, settings: str) -> None:
    """Write the user's settings for the tests."""
    path = home / ".config" / "avocado" / "avocado.conf"
    path.parent.mkdir(parents=True)
    path.write_text(f"[migdowntime]\n{settings}")
