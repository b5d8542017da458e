# SPDX-License-Identifier: GPL-2.0-or-later
"""Other faults: another downtime-limit than configured, missing fields, late answers."""

from collections.abc import Callable, Mapping
from typing import Any

from ..basics.qemu_constants import (
    DEFAULT_DOWNTIME_LIMIT_MS,
    DEFAULT_MAX_BANDWIDTH,
    DEFAULT_THROTTLE_INCREMENT,
    GREATEST_DOWNTIME_LIMIT_MS,
)
from .fault import Fault, Message

LIMIT, CAP, INCREMENT = "downtime-limit", "max-bandwidth", "cpu-throttle-increment"
USED_INCREMENT = 15
"""Percent; users of this fault configure another value."""


class OtherLimit(Fault):
    """Sets another limit than the user's in QEMU, and reports the user's."""

    def __init__(self, used: Callable[[int], float]) -> None:
        self._used = used
        self._set: int | None = None

    def to_qemu(self, command: Message) -> Message:
        arguments = command.get("arguments", {})
        if command.get("execute") != "migrate-set-parameters" or LIMIT not in arguments:
            return command
        limit_ms: int = arguments[LIMIT]
        self._set = limit_ms
        used_ms = min(round(self._used(limit_ms)), GREATEST_DOWNTIME_LIMIT_MS)
        return {**command, "arguments": {**arguments, LIMIT: used_ms}}

    def from_qemu(self, command: Message, answer: Any) -> Any:
        if command.get("execute") != "query-migrate-parameters" or self._set is None:
            return answer
        return {**answer, LIMIT: self._set}


def limit_ignored() -> OtherLimit:
    """Uses QEMU's default, whatever is configured."""
    return OtherLimit(lambda limit_ms: DEFAULT_DOWNTIME_LIMIT_MS)


def limit_scaled(factor: float) -> OtherLimit:
    """Uses a multiple of the configured limit."""
    return OtherLimit(lambda limit_ms: factor * limit_ms)


class CapIgnored(Fault):
    """Sets QEMU's default max-bandwidth whatever the user sets, and reports the user's."""

    def __init__(self) -> None:
        self._set: int | None = None

    def to_qemu(self, command: Message) -> Message:
        arguments = command.get("arguments", {})
        if command.get("execute") != "migrate-set-parameters" or CAP not in arguments:
            return command
        self._set = arguments[CAP]
        return {**command, "arguments": {**arguments, CAP: DEFAULT_MAX_BANDWIDTH}}

    def from_qemu(self, command: Message, answer: Any) -> Any:
        if command.get("execute") != "query-migrate-parameters" or self._set is None:
            return answer
        return {**answer, CAP: self._set}


class ThrottleIgnored(Fault):
    """Sets another cpu-throttle-increment than the user's in QEMU, and reports the user's."""

    def __init__(self) -> None:
        self._set = DEFAULT_THROTTLE_INCREMENT

    def to_qemu(self, command: Message) -> Message:
        if command.get("execute") != "migrate-set-parameters":
            return command
        arguments = command.get("arguments", {})
        self._set = arguments.get(INCREMENT, self._set)
        return {**command, "arguments": {**arguments, INCREMENT: USED_INCREMENT}}

    def from_qemu(self, command: Message, answer: Any) -> Any:
        if command.get("execute") != "query-migrate-parameters" or INCREMENT not in answer:
            return answer
        return {**answer, INCREMENT: self._set}


class AutoConvergeIgnored(Fault):
    """Does not enable auto-converge in QEMU when the user does."""

    def to_qemu(self, command: Message) -> Message:
        if command.get("execute") != "migrate-set-capabilities":
            return command
        switched = command.get("arguments", {}).get("capabilities", [])
        others = [one for one in switched if one.get("capability") != "auto-converge"]
        return {**command, "arguments": {"capabilities": others}}


class Missing(Fault):
    """Removes a field from the answers to query-migrate and query-migrate-parameters."""

    def __init__(self, name: str) -> None:
        self._name = name

    def from_qemu(self, command: Message, answer: Any) -> Any:
        if command.get("execute") not in ("query-migrate", "query-migrate-parameters"):
            return answer
        return self._without(answer)

    def _without(self, fields: Message) -> Message:
        return {
            name: self._without(value) if isinstance(value, Mapping) else value
            for name, value in fields.items()
            if name != self._name
        }


class Late(Fault):
    """Delays all answers."""

    def __init__(self, late_ms: float) -> None:
        self.late_ms = late_ms
