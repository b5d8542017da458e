# SPDX-License-Identifier: GPL-2.0-or-later
"""What a fault is: it may alter what QEMU is asked, and what it answers."""

from collections import deque
from collections.abc import Mapping
from typing import Any

Message = Mapping[str, Any]


class Fault:
    """No fault: a QEMU with it is what it was. The others override one or two of the methods.

    One is made for each QMP connection, and may remember what it saw there. `late_ms` is by how much answers are late.
    """

    late_ms = 0.0

    def to_qemu(self, command: Message) -> Message:
        """What QEMU gets to see of a command; the same object where that is all of it."""
        return command

    def from_qemu(self, command: Message, answer: Any) -> Any:
        """What becomes of the `return` that QEMU gave to `command`; the same object where it is left as it is."""
        return answer


class Conversation:
    """Two sides speak QMP through a fault. Which answer belongs to which command is told by ids, else by the order."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._commands: deque[Message] = deque()
        self._greeted = False

    def to_qemu(self, message: Any) -> Any:
        """What to hand on of a message from QEMU's user; the same object where it is to stay as it is."""
        if not isinstance(message, Mapping):
            return message
        self._commands.append(message)
        return self._fault.to_qemu(message)

    def from_qemu(self, message: Any) -> tuple[Any, float] | None:
        """The same for a message from QEMU, and by how many milliseconds it is to come late; None to keep it back.

        That is for events before the greeting, which comes first by QMP's specification: a QEMU to which one connects
        while it starts may announce that its guest runs before it greets.
        """
        if isinstance(message, Mapping):
            if "event" in message and not self._greeted:
                return None
            self._greeted = True
        if not isinstance(message, Mapping) or not {"return", "error"} & message.keys() or not self._commands:
            return message, 0.0
        command = self._command(message)
        if "return" not in message:
            return message, self._fault.late_ms
        answer = message["return"]
        altered = self._fault.from_qemu(command, answer)
        return message if altered is answer else {**message, "return": altered}, self._fault.late_ms

    def _command(self, answer: Message) -> Message:
        same = (command for command in self._commands if "id" in answer and command.get("id") == answer["id"])
        command = next(same, self._commands[0])
        self._commands.remove(command)
        return command
