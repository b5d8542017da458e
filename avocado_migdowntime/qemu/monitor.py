# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's own QMP client, extended by how long a command has gone unanswered."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from qemu.qmp import ExecuteError, QMPClient

from ..basics.event_loop import to_its_end


@dataclass(frozen=True)
class Silence:
    """A command that has not been answered for so many seconds."""

    command: str
    seconds: float

    def __str__(self) -> str:
        return f"has not answered {self.command} for {self.seconds:.{0 if self.seconds >= 1 else 1}f} s"


@dataclass(frozen=True, eq=False)
class _Command:
    command: str
    at_s: float


class Monitor(QMPClient):
    """A QMP connection that knows which commands it awaits answers to.

    A command whose wait was cancelled counts as unanswered until a later one is answered: QEMU answers in order.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._unanswered: list[_Command] = []
        self._heard_s = time.monotonic()

    async def execute(self, cmd: str, arguments: Mapping[str, object] | None = None, oob: bool = False) -> object:
        """Return QEMU's answer to `cmd`; raises ExecuteError if QEMU refuses, ExecInterruptedError if it is gone."""
        command = _Command(cmd, time.monotonic())
        self._unanswered.append(command)
        try:
            answer = await super().execute(cmd, arguments, oob)
        except ExecuteError:
            self._note_answer(command)
            raise
        self._note_answer(command)
        return answer

    async def disconnect(self) -> None:
        """Disconnect; a cancellation takes effect only when that is done.

        A cancellation halfway would leave tasks whose exceptions nobody retrieves, and asyncio would print them.
        """
        await to_its_end(super().disconnect())

    def silence(self) -> Silence | None:
        """The oldest unanswered command, and how long QEMU has answered nothing; None if all are answered."""
        if not self._unanswered:
            return None
        oldest = self._unanswered[0]
        return Silence(oldest.command, time.monotonic() - max(oldest.at_s, self._heard_s))

    def idle_s(self) -> float:
        """Seconds since the last answer; 0 while an answer is awaited."""
        return 0.0 if self._unanswered else time.monotonic() - self._heard_s

    def _note_answer(self, command: _Command) -> None:
        self._heard_s = time.monotonic()
        if command in self._unanswered:
            del self._unanswered[: self._unanswered.index(command) + 1]
