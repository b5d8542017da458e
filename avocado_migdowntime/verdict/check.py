# SPDX-License-Identifier: GPL-2.0-or-later
"""One thing that was checked in a migration, and the result.

A verdict is a list of checks. Whether it passes, the sentence that says why not, and the output for programs are all
derived from that list, so that they agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .codes import CODES


class Outcome(StrEnum):
    """The result of a check."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    """It should have been decided and could not be, so the run is inconclusive."""
    NOT_JUDGED = "not judged"
    """It could not be decided, but the run can pass without it."""


@dataclass(frozen=True)
class Check:
    """The check `name` with its outcome; `code`, one of CODES[name], is why, for programs; `sentence` is for people.

    A check that passed may have no sentence. Raises ValueError for a name or a code that is not documented.
    """

    name: str
    outcome: Outcome
    code: str
    sentence: str = ""

    def __post_init__(self) -> None:
        if self.code not in CODES.get(self.name, {}):
            raise ValueError(f"{self.code!r} is no code of the check {self.name!r}; add it to verdict/codes.py")


def passed(checks: Iterable[Check]) -> bool | None:
    """False if a check failed, else None if one is undecided, else True."""
    outcomes = {check.outcome for check in checks}
    if Outcome.FAILED in outcomes:
        return False
    return None if Outcome.UNDECIDED in outcomes else True
