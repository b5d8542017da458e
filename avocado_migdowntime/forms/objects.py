# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects and arrays within texts, in JSON or as a Python repr: complete, abridged, or cut off."""

import ast
import json
import re
from typing import Any

import msgspec

_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda name: None)
_TOKEN = re.compile(r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [\[\]{}] """, re.VERBOSE | re.DOTALL)
_TOKEN_OR_COMMA = re.compile(f"{_TOKEN.pattern} | [,\"']", re.VERBOSE | re.DOTALL)
_NO_NUMBER = re.compile(r"(?<=[:\[,\s])-?(?:nan|inf(?:inity)?)\b(?=\s*[,}\]])", re.IGNORECASE)
_DOTS = r"(?:\.{3}|\u2026)"
_LEFT_OUT = re.compile(rf"(?<=[{{\[])\s*{_DOTS}\s*,?|,\s*{_DOTS}\s*(?=[,}}\]])|(?<=,)\s*{_DOTS}(?=\s*[\"'])")

_LONG = re.compile(r"(?<=\d)L(?=\s*[,}\]])")
"""How Python 2 ends a number that is long."""
_REMARK = re.compile(r"[ \t]+(?:(?://|#|<-|--|\u2190)[^\n]*)$|,(?=\s*[}\]])", re.MULTILINE)
"""A remark at the end of a line, or a comma after the last field."""


class Depth:
    """The nesting depth of objects and arrays in a text that is read piece by piece."""

    def __init__(self) -> None:
        self._open = 0

    def add(self, text: str, position: int) -> int | None:
        """Where the outermost one ends, if it ends in `text`, which is read from `position` on."""
        for match in _TOKEN.finditer(text, position):
            token = match[0]
            if token in ("[", "{"):
                self._open += 1
            elif token in ("]", "}"):
                self._open -= 1
                if self._open <= 0:
                    return match.end()
        return None


def decoded(text: str, begin: int) -> tuple[Any, int | None]:
    """The object or array at `begin`, and its end: None if it does not end.

    The object is also None if it is neither JSON nor a repr.
    """
    if text.endswith(("}", "]")):
        # Most messages extend to the end of their line.
        try:
            return msgspec.json.decode(text[begin:]), len(text)
        except (ValueError, RecursionError):
            pass
    try:
        return _DECODER.raw_decode(text, begin)
    except (ValueError, RecursionError):
        pass
    end = Depth().add(text, begin)
    if end is None:
        return None, None
    return parsed(text[begin:end]), end


def message_in(text: str) -> Any:
    """The message in `text`; None if there is none."""
    return decoded(text, 0)[0]


def closed(text: str) -> Any:
    """The unfinished object at the start of `text`, with those fields that are certainly complete; None if it is no
    object.
    """
    open_: list[str] = []
    end = 0
    for match in _TOKEN_OR_COMMA.finditer(text):
        token = match[0]
        if token in ("{", "["):
            open_.append("}" if token == "{" else "]")
        elif token in ("}", "]"):
            if not open_:
                return None
            open_.pop()
        elif token in ("'", '"'):
            break
        elif token != ",":
            continue
        end = match.start() if token == "," else match.end()
    return parsed(text[:end] + "".join(reversed(open_))) if end else None


def parsed(text: str) -> Any:
    """The object or array in `text`, in JSON or as a Python repr; None if it is neither.

    Dots that stand for left-out parts are ignored.
    """
    text = _NO_NUMBER.sub("null", text)
    if "..." in text or "\u2026" in text:
        text = _LEFT_OUT.sub("", text)
    for plain in (text, _REMARK.sub("", text)):
        try:
            return _DECODER.decode(plain)
        except (ValueError, RecursionError):
            pass
    if "'" not in text:
        return None
    try:
        return ast.literal_eval(_LONG.sub("", text.replace("null", "None")))
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None
