# SPDX-License-Identifier: GPL-2.0-or-later
"""A run of an ordinary user on a really slow link, in networks of the user's own."""

import json
from pathlib import Path

import pytest

from .ordinary_user import OrdinaryUser

RATE = 25_000_000
"""What the link carries, in bytes per second."""
_OPTIONS = {"arch": "x86_64", "accel": "tcg", "page-size": "4K", "link-rate": str(RATE), "region": "40M", "passes": "1"}
_ATTEMPTS = 3
"""On a busy host a verdict is inconclusive now and then."""


def left(user: OrdinaryUser, programs: Path) -> Path:
    """The directory that a passed run of `migdowntime:downtime` has left; `programs` has the user's Avocado."""
    words = [word for name, value in _OPTIONS.items() for word in (f"--migdowntime-{name}", value)]
    for _ in range(_ATTEMPTS):
        done = user.run(programs / "avocado", "run", "--job-results-dir", "results", *words, "migdowntime:downtime")
        [found] = (user.home / "checkout" / "results" / "latest" / "test-results").glob("*/data")
        if done.returncode == 0 and json.loads((found / "verdict.json").read_text())["passed"]:
            return found
    return pytest.fail(done.stdout)
