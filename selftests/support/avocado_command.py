# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the real `avocado` on tests with a made-up experiment, apart from the user's settings and results."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from .waiting import HANGS_S

PREAMBLE = """
import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from avocado_migdowntime.avocado_test import MigrationTest
from avocado_migdowntime.errors import UsageError, HarnessError, HostRequirementError
from avocado_migdowntime.verdict.check import Check, Outcome
from avocado_migdowntime.verdict.limit import LimitFinding
from avocado_migdowntime.verdict.trials import Convergence
from avocado_migdowntime.verdict.verdict import Verdict

ACCURATE = Verdict(Check("report", Outcome.PASSED, "accurate"), "last-sync", LimitFinding("respected"))
"""

TELLING = """
async def tell(parameters, directory, progress):
    (directory / "parameters.json").write_text(json.dumps(asdict(parameters)))
    return ACCURATE

class Telling(MigrationTest):
    def test(self):
        self.judge(tell)
"""
"""A test that writes down the parameters it received."""


@dataclass(frozen=True)
class Finished:
    """What an `avocado` command left."""

    status: int
    output: str
    results: Path

    @property
    def tests(self) -> dict[str, dict[str, Any]]:
        """Each test's entry in results.json, by the name of its class, or of the test if it was named."""
        entries = json.loads((self.results / "latest" / "results.json").read_text())["tests"]
        return {entry["name"].rpartition(":")[2].partition(".")[0].partition(";")[0]: entry for entry in entries}

    def data(self, name: str) -> list[Path]:
        """The files `name` in the tests' output directories, in the order of the tests."""
        return sorted((self.results / "latest" / "test-results").glob(f"*/data/{name}"))


def write_tests(directory: Path, body: str) -> Path:
    """A test file with `body` after the imports that every test needs."""
    path = directory / "made_up.py"
    path.write_text(PREAMBLE + dedent(body))
    return path


def command(directory: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The command line and environment of `avocado` with `arguments`."""
    # Avocado looks for its user's settings in an activated environment first. PYTHONWARNINGS: setuptools' word on
    # pkg_resources.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= {"HOME": str(directory), "PYTHONWARNINGS": "ignore"}
    return [sys.executable, "-P", "-m", "avocado", *arguments], environment


def avocado(directory: Path, *arguments: str) -> Finished:
    """Run `avocado` in `directory`, which is also its user's home."""
    line, environment = command(directory, *arguments)
    done = subprocess.run(
        line,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=HANGS_S,
        check=False,
    )
    return Finished(done.returncode, done.stdout, directory / "avocado" / "job-results")
