# SPDX-License-Identifier: GPL-2.0-or-later
"""Taking apart what a repeated command prints: JSON objects one after another, or texts of `virsh domjobinfo`."""

import json
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import UsageError
from .domjobinfo import BEGINS, answer_of

_GREATEST_CHARACTERS = 1 << 20
_DECODER = json.JSONDecoder()


class Documents:
    """Collects text until something in it is whole."""

    def __init__(self) -> None:
        self._text = ""
        self._since_s = 0.0

    def feed(self, text: str, now_s: float) -> Iterator[tuple[float, Mapping[str, Any]]]:
        """What has become whole by `text`, which was read at `now_s`, with the time at which it was read.

        That is the time of an object's end, and of a job's first line, as its last one is not told by itself. A job is
        given as the query-migrate answer that it was made from, under `return`. Raises UsageError for anything else.
        """
        if not self._text.strip():
            self._since_s = now_s
        self._text += text
        while document := self._next(now_s):
            yield document
        if len(self._text) > _GREATEST_CHARACTERS:
            raise self._strange("goes on for a megabyte")

    def end(self) -> Iterator[tuple[float, Mapping[str, Any]]]:
        """What is whole because nothing follows; an object that is cut off is left out."""
        text = self._text.strip()
        if text.startswith(BEGINS):
            yield self._since_s, {"return": answer_of(text)}
        elif text and not text.startswith("{"):
            raise self._strange("was read")

    def _next(self, now_s: float) -> tuple[float, Mapping[str, Any]] | None:
        self._text = self._text.lstrip()
        if not self._text:
            return None
        if self._text.startswith("{"):
            return self._object(now_s)
        if self._text.startswith(BEGINS):
            return self._job(now_s)
        if BEGINS.startswith(self._text[: len(BEGINS)]):
            return None
        raise self._strange("was read")

    def _object(self, now_s: float) -> tuple[float, Mapping[str, Any]] | None:
        try:
            message, end = _DECODER.raw_decode(self._text)
        except (ValueError, RecursionError):
            if "\n{" in self._text:
                raise self._strange("is no JSON and another object follows") from None
            return None
        self._text = self._text[end:]
        return now_s, message

    def _job(self, now_s: float) -> tuple[float, Mapping[str, Any]] | None:
        end = self._text.find(BEGINS, len(BEGINS))
        # With --rawstats the first line has an empty one behind it.
        blank = self._text.find("\n\n", self._text.find("\n") + 2)
        if 0 <= blank < end or end < 0:
            end = blank
        if end < 0:
            return None
        since_s, block = self._since_s, self._text[:end]
        self._text, self._since_s = self._text[end:], now_s
        return since_s, {"return": answer_of(block)}

    def _strange(self, what: str) -> UsageError:
        return UsageError(
            f"{reprlib.repr(self._text.splitlines()[0])} {what}; expected what `virsh qemu-monitor-command DOMAIN "
            """'{"execute":"query-migrate"}'` or `virsh domjobinfo DOMAIN` prints, again and again"""
        )
