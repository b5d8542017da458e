# SPDX-License-Identifier: GPL-2.0-or-later
"""What the processes of a group are doing, according to the kernel."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_STATES = {
    "R": "running",
    "S": "sleeping",
    "I": "sleeping",
    "D": "waiting for a disk or another device",
    "T": "stopped",
    "t": "stopped by a debugger",
    "Z": "ended but not waited for",
    "X": "ended",
}
"""By the letters of proc(5)."""


@dataclass(frozen=True)
class Process:
    """A process: its id, its program's name as the kernel shortens it, and the kernel's letter for its state."""

    pid: int
    name: str
    state: str

    def __str__(self) -> str:
        return f"{self.name} {self.pid} is {_STATES.get(self.state, f'in state {self.state}')}"


def processes(group: int) -> tuple[Process, ...]:
    """The processes in the process group `group`, by id; empty if the group is gone."""
    return tuple(sorted(_members(group), key=lambda process: process.pid))


def _members(group: int) -> Iterator[Process]:
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # It may have just ended.
            before, _, after = (directory / "stat").read_text(errors="replace").rpartition(")")
            pid, _, name = before.partition(" (")
            state, _, its_group, *_ = after.split()
            if int(its_group) == group:
                yield Process(int(pid), name, state)
