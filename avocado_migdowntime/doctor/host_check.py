# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check of the host comes to."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How the default test can run: FAULT where it cannot.

    NOTE is for other tests that lack something, for verdicts that may suffer, and for files that were left.
    """

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True)
class HostCheck:
    """One line: what was looked at, what was seen or is wrong, and the command (or the deed) that fixes it."""

    name: str
    state: State
    text: str
    mend: str = ""


def able(findings: Iterable[HostCheck]) -> bool:
    """Whether the default test can run."""
    return all(finding.state is not State.FAULT for finding in findings)
