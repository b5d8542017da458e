# SPDX-License-Identifier: GPL-2.0-or-later
"""Text within the objects in which programs log, or within strings: the lines, and when they were logged."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..trace.reading import Stamp
from .marks import without_escapes
from .stamps import is_time, stamp_of

_DECODER = json.JSONDecoder(strict=False)
_NAMES = "MESSAGE|message|msg|log|line|text|textPayload"
_LOGGED = ("msg", "message", "MESSAGE", "log", "line", "text", "textPayload")
_QUOTED = tuple(f'"{name}"' for name in _LOGGED)
_LOGGED_AT = ("timestamp", "time", "ts", "@timestamp", "__REALTIME_TIMESTAMP", "asctime")
_OUTER = ("_source", "jsonPayload")
"""Keys that may hold the logged object."""
_JSON_STRING, _PYTHON_STRING = r'"(?:[^"\\]|\\.)*"', r"b?'(?:[^'\\]|\\.)*'"
_PYTHON_S = re.compile(_PYTHON_STRING)
_STRING = re.compile(_JSON_STRING)
_LIST = re.compile(rf"\[\s*(?:(?:{_JSON_STRING}|{_PYTHON_STRING})\s*,\s*)+(?:{_JSON_STRING}|{_PYTHON_STRING})\s*\]")
_ANY_STRING = re.compile(f"{_JSON_STRING}|{_PYTHON_STRING}")
_OF_MIGRATION = re.compile("emain|owntime|igration ")
_NUMBERED = re.compile(rf'"n": ?\d+, ?"t": ?({_JSON_STRING})')
"""A line of a task log in the API of Proxmox VE."""
_CELL = re.compile(r'"((?:[^"\\]|\\.|"")*)",?')
"""A line that is one string, as in comma-separated values or in an array."""
_CELL_OF_OBJECT = re.compile(r'(?:(?<=[,;\t])|^)"(\{""(?:[^"]|"")*)"(?=[,;\t]|$)')
_PYTHON_CELL = re.compile(r"\[?'([^']*)'[,\]]?")
_FIELD = re.compile(rf'"(?:{_NAMES}|t)"\s*:\s*({_JSON_STRING}),?')
"""A line that is a field of an object over several lines."""
_ASSIGNED = re.compile(rf"\b(?:msg|message)=({_JSON_STRING})")
_ASSIGNED_AT = re.compile(r'\b(?:time|ts|t)="?([^"\s]+)')
_EXPORTED = "MESSAGE="


def logged(text: str) -> tuple[str, Stamp | None] | None:
    """The logged text and its time, if `text` is a log record."""
    if not any(name in text for name in _QUOTED):
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, Mapping):
        return None
    record = next((record[name] for name in _OUTER if isinstance(record.get(name), Mapping)), record)
    message = _message_in(record)
    return None if message is None else (message, _logged_at(record))


def several_logged(text: str) -> list[tuple[str, Stamp | None]]:
    """The same for each log record, if the object or list in `text` contains several."""
    if text.count("{") < 2 or sum(map(text.count, _QUOTED)) < 2:
        return []
    try:
        records = [*_records_in(json.loads(text))]
    except (ValueError, RecursionError):
        return []
    return records if len(records) > 1 else []


def _records_in(value: Any, at: Stamp | None = None) -> Iterator[tuple[str, Stamp | None]]:
    if isinstance(value, Mapping):
        at = _logged_at(value) or at
        message = _message_in(value)
        if message is not None:
            yield message, at
            return
    if isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _records_in(one, at)


def _message_in(record: Mapping[str, Any]) -> str | None:
    return next((message for name in _LOGGED if (message := _text(record.get(name))) is not None), None)


def _logged_at(record: Mapping[str, Any]) -> Stamp | None:
    return next((stamp for name in _LOGGED_AT if (stamp := _at(record.get(name), name))), None)


def assigned(text: str) -> tuple[str, Stamp | None] | None:
    """The same if it is a list of `name=value`, or a field of a record on its own line."""
    if text.startswith(_EXPORTED):
        return text.removeprefix(_EXPORTED), None
    if text.startswith('"') and (field := _FIELD.fullmatch(text)):
        return of_json(field[1]), None
    match = _ASSIGNED.search(text) if 'msg="' in text or 'message="' in text else None
    if match is None:
        return None
    at = _ASSIGNED_AT.search(text)
    return of_json(match[1]), stamp_of(at[1]) if at else None


def strings_of_lines(text: str) -> Iterator[str]:
    """The strings in `text` that contain lines, as if a program repeats another's output."""
    if any(name in text for name in _QUOTED):
        return
    for match in _STRING.finditer(text):
        if "\\n" in match[0] or match[0].startswith(('"{\\"', '"[{\\"')):
            yield of_json(match[0])


def python_s_strings_of_lines(text: str) -> Iterator[str]:
    """The same for a Python repr, which uses the other quotes."""
    for match in _PYTHON_S.finditer(text) if "\\n" in text else ():
        if "\\n" in match[0]:
            yield _of_python(match[0])


def lists_of_lines(text: str) -> Iterator[str]:
    """The strings of a list in `text`, if they are lines that another program printed about a migration."""
    if '"status"' in text or "'status'" in text:
        return
    if numbered := _NUMBERED.findall(text):
        yield from map(of_json, numbered)
        return
    for match in _LIST.finditer(text):
        lines = [of_json(one) if one[0] == '"' else _of_python(one) for one in _ANY_STRING.findall(match[0])]
        if any(" " in line and _OF_MIGRATION.search(line) for line in lines):
            yield from lines
            return


def cell(text: str) -> str:
    """The string if the line is one; else the line."""
    if text.startswith('"') and (match := _CELL.fullmatch(text)):
        return of_json(match[0].rstrip(",")) or match[1].replace('""', '"')
    if text.startswith(("'", "['")) and (match := _PYTHON_CELL.fullmatch(text)):
        return match[1]
    return text


def object_in_cell(text: str) -> tuple[str, str, str] | None:
    """An object in a cell of comma-separated values, with its quotes as they were, and what is before and after it."""
    match = _CELL_OF_OBJECT.search(text)
    return match and (match[1].replace('""', '"'), text[: match.start()], text[match.end() :])


def of_json(text: str) -> str:
    """The decoded string; '' if it is none."""
    try:
        return str(_DECODER.decode(text))
    except ValueError:
        return ""


def _of_python(text: str) -> str:
    try:
        string = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return ""
    return string.decode(errors="replace") if isinstance(string, bytes) else str(string)


def _text(value: Any) -> str | None:
    """A text that was logged; for one with colours, the journal has its bytes."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(one, int) and 0 <= one < 256 for one in value):
        return without_escapes(bytes(value).decode(errors="replace"))
    return None


def _at(value: Any, name: str) -> Stamp | None:
    if isinstance(value, str) and value.isdecimal() and name.startswith("__"):
        return Stamp(int(value) / 1e6, 1e-6)
    if isinstance(value, str):
        return stamp_of(value)
    if is_time(value) and value > 0:
        return Stamp(float(value), 1.0 if isinstance(value, int) else 1e-3)
    return None
