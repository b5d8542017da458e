# SPDX-License-Identifier: GPL-2.0-or-later
"""The base class of faults: a fault may modify QEMU's commands and answers."""

from collections import deque
from collections.abc import Mapping
from typing import Any

Message = Mapping[str, Any]


class Fault:
    """No fault: QEMU's traffic is unchanged. Subclasses override one or two methods.

    One object is made for each QMP connection, and may remember what it saw. `late_ms` is the delay of answers.
    """

    late_ms = 0.0

    def to_qemu(self, command: Message) -> Message:
        """The command that QEMU gets; the same object if it is unchanged."""
        return command

    def from_qemu(self, command: Message, answer: Any) -> Any:
        """The `return` of QEMU's answer to `command`, perhaps modified; the same object if it is unchanged."""
        return answer


class Conversation:
    """A QMP conversation through a fault. Answers are matched to commands by ids, or else by order."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._commands: deque[Message] = deque()
        self._greeted = False

    def to_qemu(self, message: Any) -> Any:
        """The message to pass on to QEMU; the same object if it is unchanged."""
        if not isinstance(message, Mapping):
            return message
        self._commands.append(message)
        return self._fault.to_qemu(message)

    def from_qemu(self, message: Any) -> tuple[Any, float] | None:
        """The message to pass on from QEMU, and its delay in milliseconds; None to drop it.

        Events before the greeting are dropped: by QMP's specification the greeting comes first, but a QEMU that is just
        starting may announce that its guest runs before it greets.
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
