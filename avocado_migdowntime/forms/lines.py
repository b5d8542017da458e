# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of a text, without what people, mail programs, terminals and other programs put around them."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from ..trace.reading import Stamp
from .collapsed import lines_in
from .form import Line
from .stamps import parted, stamp_of

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[@-Z\\-_=>])")
_QUOTED = re.compile(
    r"(?:[>|][ \t]?|[-+*\u2022][ \t]+|(?:#|//)[ \t]+|\+|\d{1,6}:(?=\d{4}-\d\d-\d\d|(?!\d))|\d{1,6}\t"
    r"|(?!\d{4}[-/])[\w./-]{1,80}:\d{1,6}:(?!\d\d)|\[(?:pod/[^\]\s]+|stdlog)\](?:[ \t]|$)"
    r"|[\w.-]{1,80}[ \t]{1,80}\|(?:[ \t]|$))+"
)
"""By `>` and `|`, as a list, as a comment, as in a diff, with the numbers that grep, cat and nl put before lines, the
names of files that grep does, those of containers by kubectl and docker, and what Avocado puts before a test's lines.
"""
_DECODER = json.JSONDecoder(strict=False)
_CELL = re.compile(r'"((?:[^"\\]|\\.|"")*)",?')
"""A line that is one string, as in a table of comma-separated values or in an array."""
_LONGEST_OF_STRINGS = 1 << 20
_PYTHON_S = re.compile(r"b?'(?:[^'\\]|\\.)*'")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_MAILED = re.compile(r"=3D|=(?:20|0D)$|=C2=A0")
"""Of mails in quoted-printable."""
_BYTE = re.compile(rb"=([0-9A-F]{2})")
_LONGEST_MAILED = 77
_TAGS = re.compile(r"</?(?:pre|code|br|p|div|span|li|td|tr)\b[^<>]*>")
_MANY_BLANKS = re.compile(r"\s{32,}")
_AS_MANY = " " * 32
"""More mean no more, and patterns that look for what is behind blanks take long for them."""
_UNSEEN = {ord(letter): None for letter in "\0\a\v\f\u200b\ufeff"} | {0xA0: " "}
_STRAIGHT = {0x201C: '"', 0x201D: '"', 0x201E: '"'}
_LOGGED = ("msg", "message", "MESSAGE", "log", "textPayload")
_LOGGED_AT = ("timestamp", "time", "ts", "@timestamp", "__REALTIME_TIMESTAMP", "asctime")


class Lines:
    """Takes one raw line after another; what a mail program has broken by `=` at its end is one again."""

    def __init__(self) -> None:
        self._begun: list[str] = []
        self._is_mailed = False

    @property
    def is_plain(self) -> bool:
        """Whether a line is by itself what it is, not one of a mail's."""
        return not self._begun and not self._is_mailed

    def of(self, raw: bytes, came_s: float) -> Iterator[Line]:
        """The lines that one line of a text holds: more where others are in it, none where it goes on."""
        text = raw.decode(errors="replace").rstrip("\r\n")
        if "\x1b" in text:
            text = _ESCAPES.sub("", text)
        if "=" in text or self._begun:
            text = self._demailed(text)
            if self._begun:
                return
        if "<" in text or "&" in text:
            text = unescape(_TAGS.sub("", text))
        if ("\u201c" in text or "\u201d" in text) and '"' not in text:
            text = text.translate(_STRAIGHT)
        if "\u2019" in text and "'" not in text:
            text = text.replace("\u2018", "'").replace("\u2019", "'")
        for part in text.split("\r"):
            plain = part if part.isascii() and part.isprintable() else part.translate(_UNSEEN)
            if len(plain) > len(_AS_MANY):
                plain = _MANY_BLANKS.sub(_AS_MANY, plain)
            for whole in lines_in(plain.strip()):
                yield from _unwrapped(whole.strip(), came_s)

    def _demailed(self, text: str) -> str:
        begun, self._begun = self._begun, []
        if begun and begun[0].startswith(">") and (quote := _QUOTED.match(text)):
            text = text[quote.end() :]
        if text.endswith("=") and len(text) <= _LONGEST_MAILED and (begun or len(text) > 40):
            self._is_mailed = True
            begun.append(text[:-1])
            self._begun = begun
            return ""
        text = "".join([*begun, text])
        self._is_mailed = self._is_mailed or bool(_MAILED.search(text))
        if not self._is_mailed:
            return text
        data = _BYTE.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode())
        return data.decode(errors="replace")


def _unwrapped(text: str, came_s: float) -> Iterator[Line]:
    if match := _QUOTED.match(text):
        text = text[match.end() :].strip()
    if "\\" in text and len(text) < _LONGEST_OF_STRINGS and '"return"' not in text and "'return'" not in text:
        strings = [*_strings_of_lines(text)] or [*_python_s_strings_of_lines(text)]
        if strings:
            for string in strings:
                for part in string.splitlines():
                    yield from _unwrapped(part.strip(), came_s)
            return
    if text.startswith('"') and (cell := _CELL.fullmatch(text)):
        text = _of_json(cell[0].rstrip(",")) or cell[1].replace('""', '"')
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


def _strings_of_lines(text: str) -> Iterator[str]:
    """The strings of JSON's in `text` that have several lines, as where a program tells what another one printed."""
    if any(f'"{name}"' in text for name in _LOGGED):
        return
    for match in _STRING.finditer(text):
        if "\\n" in match[0] or match[0].startswith(('"{\\"', '"[{\\"')):
            yield _of_json(match[0])


def _python_s_strings_of_lines(text: str) -> Iterator[str]:
    """The same where Python tells it, which takes the other quotes."""
    for match in _PYTHON_S.finditer(text) if "\\n" in text else ():
        if "\\n" not in match[0]:
            continue
        try:
            string = ast.literal_eval(match[0])
        except (ValueError, SyntaxError):
            continue
        yield string.decode(errors="replace") if isinstance(string, bytes) else string


def _of_json(text: str) -> str:
    """The string that is written so; nothing where it is none."""
    try:
        return str(_DECODER.decode(text))
    except ValueError:
        return ""


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
