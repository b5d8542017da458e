# SPDX-License-Identifier: GPL-2.0-or-later
"""A run of an ordinary user on a really slow link, in networks of the user's own."""

import json
from pathlib import Path

import pytest

from .ordinary_user import OrdinaryUser

RATE = 25_000_000
"""What the link carries, in bytes per second."""
PARAMETERS = {
    "arch": "x86_64",
    "accel": "tcg",
    "page_size": "4K",
    "link_rate": str(RATE),
    "region": "40M",
    "passes": "1",
}
_ATTEMPTS = 3
"""On a busy host a verdict is inconclusive now and then."""


def left(user: OrdinaryUser, programs: Path) -> Path:
    """The directory that a passed run of `migdowntime:downtime` has left; `programs` has the user's Avocado."""
    options = {f"--migdowntime-{name.replace('_', '-')}": value for name, value in PARAMETERS.items()}
    words = [word for option in options.items() for word in option]
    for _ in range(_ATTEMPTS):
        done = user.run(programs / "avocado", "run", "--job-results-dir", "results", *words, "migdowntime:downtime")
        [found] = (user.home / "checkout" / "results" / "latest" / "test-results").glob("*/data")
        if done.returncode == 0 and json.loads((found / "verdict.json").read_text())["passed"]:
            return found
    return pytest.fail(done.stdout)
