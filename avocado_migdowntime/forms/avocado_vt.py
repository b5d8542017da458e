# SPDX-License-Identifier: GPL-2.0-or-later
"""Avocado-VT's log of the answers of a QMP monitor: one line for each field, nested ones indented.

Source: virttest/qemu_monitor.py, `_log_response` of QMPMonitor. The output of the human monitor is logged line by line
after the same prefix, and read by `monitor_text`. Commands are logged as they were sent, and read by `qmp`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..trace.reading import Item
from .form import Form, Line
from .qmp_messages import items_of
from .stamps import guest_of, monitor_of

_RESPONSE = re.compile(
    r"\(monitor \S+\) Response to '(?:query-migrate(?:-parameters|-capabilities)?|query-version)' '?\(re-format"
)
_OUTPUT = re.compile(r"\(monitor \S+\) {4}( *)([A-Za-z][\w-]*): ?(.*)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[-+]?\d+)?")
_WORDS = {"True": True, "False": False, "None": None}

Field = tuple[int, str, str]
"""The field's indentation, its name, and its value."""


@dataclass
class _Response:
    """A monitor's answer, as far as it was logged."""

    line: Line
    fields: list[Field] = field(default_factory=list)


class AvocadoVtLog(Form):
    """Reads the answers of QMP monitors, each monitor separately."""

    NAME = "a log of Avocado-VT"
    NEEDLES = (b"emain", b"owntime")
    ALSO = (b"Response to 'query-",)

    def __init__(self) -> None:
        super().__init__()
        self._open: dict[str, _Response] = {}

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        monitor = monitor_of(line.message)
        if not monitor:
            return None
        response = self._open.get(monitor)
        if response is not None and (output := _OUTPUT.match(line.message)):
            response.fields.append((len(output[1]), output[2], output[3].strip()))
            return []
        items = self._items(monitor)
        if _RESPONSE.match(line.message):
            self._open[monitor] = _Response(line)
            return items
        return [*items, line] if items else None

    def end(self) -> Iterable[Item]:
        items: list[Item] = []
        for monitor in list(self._open):
            items += self._items(monitor)
        return items

    def settle(self) -> Iterable[Item]:
        return self.end()

    def _items(self, monitor: str) -> list[Item]:
        """The items of a monitor's answer that is now complete."""
        response = self._open.pop(monitor, None)
        if response is None:
            return []
        answers, of = objects(response.fields), guest_of(response.line.message)
        items = items_of(answers if len(answers) > 1 else answers[0], response.line)
        return [replace(item, of=of) for item in items if not isinstance(item, Line)]


def objects(fields: Sequence[Field]) -> list[dict[str, Any]]:
    """The object of indented fields; several objects if an unindented name comes again, as in an array."""
    answers: list[dict[str, Any]] = [{}]
    open_: list[tuple[int, dict[str, Any]]] = []
    name = ""
    for depth, next_name, text in fields:
        while len(open_) > 1 and open_[-1][0] > depth:
            open_.pop()
        if open_ and depth > open_[-1][0]:
            within: dict[str, Any] = {}
            open_[-1][1][name] = within
            open_.append((depth, within))
        if not open_ or (len(open_) == 1 and next_name in answers[-1]):
            answers = [*answers, {}] if open_ else answers
            open_ = [(depth, answers[-1])]
        name = next_name
        open_[-1][1][name] = _value(text)
    return answers


def _value(text: str) -> Any:
    if match := _NUMBER.fullmatch(text):
        return float(text) if match[1] or match[2] else int(text)
    return _WORDS.get(text, text)
