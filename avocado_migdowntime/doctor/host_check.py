# SPDX-License-Identifier: GPL-2.0-or-later
"""The result of a check of the host."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Whether the default test can run; FAULT if it cannot.

    NOTE means that other tests lack something, that verdicts may suffer, or that files were left.
    """

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True)
class HostCheck:
    """One line: what was examined, what was found, and the command or action that fixes it."""

    name: str
    state: State
    text: str
    mend: str = ""


def able(findings: Iterable[HostCheck]) -> bool:
    """Whether the default test can run."""
    return all(finding.state is not State.FAULT for finding in findings)
