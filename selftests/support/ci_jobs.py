# SPDX-License-Identifier: GPL-2.0-or-later
"""The jobs of docs/ci.md, and the one that is run here."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import yaml

from .ahead import Begun, begun
from .checkout import copied
from .documented import write_settings
from .documents import TOP

SETTINGS = "passes = 1\nregion = 10M\nlimit_from = reported\n"
"""The user's settings; the first two make runs shorter."""


class Job:
    """GitLab's job in a copy of the checkout. Its setup has been started; it runs when it is asked for."""

    def __init__(self, checkout: Path, set_up: Begun) -> None:
        self.checkout = checkout
        self._set_up = set_up

    @cached_property
    def results(self) -> Path:
        """The directory of the job's results."""
        status, output = self._set_up.ended()
        assert status == 0, output
        _, test = _steps()
        done = subprocess.run(
            ["sh", "-ec", test], cwd=self.checkout, env=_environment(self.checkout), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        [kept] = jobs()[0]["artifacts"]["paths"]
        return self.checkout / kept

    def left(self, test: str, arch: str) -> Path:
        """The directory that a test of an architecture has left."""
        [found] = self.results.glob(f"latest/test-results/*_{test}_*-{arch}-*/data")
        return found


def jobs():
    """GitLab's job, and GitHub's."""
    blocks = re.findall(r"```yaml\n(.*?)```", (TOP / "docs/ci.md").read_text(), re.DOTALL)
    gitlab, github = map(yaml.safe_load, blocks)
    return gitlab["expected-downtime"], github["jobs"]["expected-downtime"]


@contextmanager
def begun_job(directory: Path) -> Iterator[Job]:
    """Create that job, and start its setup."""
    checkout = copied(directory / "checkout")
    write_settings(checkout / ".venv", SETTINGS)  # Where Avocado looks for them in an activated environment.
    set_up, _ = _steps()
    with begun(["sh", "-ec", set_up], checkout, _environment(checkout)) as under_way:
        yield Job(checkout, under_way)


def _steps() -> tuple[str, str]:
    """The lines of the setup, and those of the test in the environment that these activate."""
    *set_up, test = jobs()[0]["script"]
    return "\n".join(set_up), "\n".join([*(line for line in set_up if line.startswith(". ")), test])


def _environment(checkout: Path) -> Mapping[str, str]:
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != here)
    dropped = ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    # pip: no-compile is enabled by a no.
    return {**kept, "PATH": path, "HOME": str(checkout.parent), "PIP_NO_COMPILE": "no"}
