# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads any text that tells of migrations, whole or as it comes: bytes in, items out."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import unescape
from typing import Any

from ..trace.reading import Item, Stamp
from .catalogue import FORMS
from .encoding import Utf8
from .form import MAYBE, Form, Line
from .sieve import Sieve
from .stamps import Calendar, parted, stamp_of

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[@-Z\\-_=>])")
_QUOTED = re.compile(r"(?:[>|][ \t]?|[-+*\u2022][ \t]+|\+|\d{1,6}:(?!\d))+")
"""By `>` and `|`, as a list, as in a diff, and with the numbers that grep puts before lines."""
_MAILED = re.compile(r"=([0-9A-F]{2})")
"""Of mails in quoted-printable."""
_TAGS = re.compile(r"</?(?:pre|code|br|p|div|span|li|td|tr)\b[^<>]*>")
_UNSEEN = {ord(letter): None for letter in "\0\a\v\f\u200b\ufeff"} | {0xA0: " "}
FIRST_LINES = 200
"""So many lines with something in them are kept, to say what a text is that tells nothing."""
_LOGGED = ("msg", "message", "MESSAGE", "log", "textPayload")
_LOGGED_AT = ("timestamp", "time", "ts", "@timestamp", "__REALTIME_TIMESTAMP", "asctime")


class Reader:
    """Reads one text. `forms` are those that were recognised in it so far."""

    def __init__(self) -> None:
        self._forms = tuple(form() for form in FORMS)
        self._utf8 = Utf8()
        self._sieve = Sieve(needle for form in FORMS for needle in form.NEEDLES)
        self._calendar = Calendar()
        self.first_lines: list[str] = []
        self.first_bytes: list[bytes] = []

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms of which lines were seen."""
        return tuple(form for form in self._forms if form.recognised)

    def feed(self, data: bytes, now_s: float = 0.0) -> Iterator[Item]:
        """What `data`, which came at `now_s`, makes whole."""
        if plain := self._utf8.feed(data):
            yield from self._read(self._sieve.feed(plain, now_s))

    def end(self, now_s: float = 0.0) -> Iterator[Item]:
        """What is whole because nothing follows."""
        yield from self._read(self._sieve.feed(self._utf8.end(), now_s))
        yield from self._read(self._sieve.end(now_s))
        for form in self._forms:
            yield from form.end()

    def settle(self) -> Iterator[Item]:
        """What is whole if nothing follows for long: its last line does not say that it is."""
        for form in self._forms:
            yield from form.settle()

    def _read(self, lines: Iterator[tuple[bytes, float]]) -> Iterator[Item]:
        for raw, came_s in lines:
            told = False
            if len(self.first_bytes) < FIRST_LINES:
                self.first_bytes.append(raw)
            for line in lines_of(raw, came_s):
                if line.text and len(self.first_lines) < FIRST_LINES:
                    self.first_lines.append(line.text)
                if line.stamp is not None and (dated := self._calendar.dated(line.stamp)) is not line.stamp:
                    line = replace(line, stamp=dated)
                items = self._offered(line)
                told = told or items is not None
                yield from items or ()
            if told:
                self._sieve.told()

    def _offered(self, line: Line) -> list[Item] | None:
        """What the first form makes of a line that it takes; None where none does."""
        for form in self._forms:
            taken = form.take(line)
            if taken is not None:
                if not form.recognised and taken is not MAYBE:
                    form.recognised = True
                    self._sieve.look_for(form.ALSO)
                items: list[Item] = []
                if taken:
                    for other in self._forms:
                        items += other.settle() if other is not form else ()
                for one in taken:
                    if isinstance(one, Line):
                        items += self._offered(one) or ()
                    else:
                        items.append(_timed(one, line))
                return items
        return None


def lines_of(raw: bytes, came_s: float) -> Iterator[Line]:
    """The lines that one line of a text holds: more where a terminal's returns are in it."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if "=3D" in text:
        text = _MAILED.sub(lambda match: chr(int(match[1], 16)), text)
    if "<" in text or "&" in text:
        text = unescape(_TAGS.sub("", text))
    for part in text.split("\r") if "\r" in text else (text,):
        yield from _unwrapped(part.translate(_UNSEEN).strip(), came_s)


def _unwrapped(text: str, came_s: float) -> Iterator[Line]:
    if match := _QUOTED.match(text):
        text = text[match.end() :].strip()
    stamp, message = parted(text)
    if message.startswith("{") and message.endswith("}"):
        inner = _logged(message)
        if inner is not None:
            logged, at = inner
            for part in logged.splitlines():
                part = part.strip()
                own, message = parted(part)
                yield Line(part, message.strip(), own or at or stamp, came_s)
            return
    yield Line(text, message.strip(), stamp, came_s)


def _logged(text: str) -> tuple[str, Stamp | None] | None:
    """What was logged and when, where `text` is an object in which a program logs."""
    if not any(f'"{name}"' in text for name in _LOGGED):
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, Mapping):
        return None
    logged = next((record[name] for name in _LOGGED if isinstance(record.get(name), str)), None)
    if logged is None:
        return None
    return logged, next((stamp for name in _LOGGED_AT if (stamp := _at(record.get(name), name))), None)


def _at(value: Any, name: str) -> Stamp | None:
    if isinstance(value, str) and value.isdigit() and name.startswith("__"):
        return Stamp(int(value) / 1e6, 1e-6)
    if isinstance(value, str):
        return stamp_of(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11:
        return Stamp(float(value), 1.0 if isinstance(value, int) else 1e-3)
    return None


def _timed(item: Item, line: Line) -> Item:
    """An item with the time at which the line was read that made it whole, unless it has one of its own."""
    return item if item.arrived_s is not None else replace(item, arrived_s=line.arrived_s)
