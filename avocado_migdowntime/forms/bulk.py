# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads many replies to query-migrate of a long log at once.

In such a log, most relevant lines are replies after the same prefix, apart from the time. After one of them was read
normally, the following ones are collected and decoded by types, many at once. The result is the same as line by line.
If one of them is unusual, or another kind of line follows, they are read one by one.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ..trace.reading import Stamp
from .form import Line
from .many import Many
from .qmp import SAME_S, Qmp
from .replies import Reply, batches_of, plain_json
from .sieve import SHORT_BYTES, Raw
from .stamps import second_s

MOST = 1024
"""The most replies that are decoded at once."""
_FEW = 4
"""Fewer replies than this are read one by one."""
_HEAD = re.compile(
    rb"(?:(\d{4}[-/]\d\d[-/]\d\d[ T][012]\d:[0-5]\d:[0-6]\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d{2}:?\d{2})?"
    rb"([^{\"'\\(\r\n]{0,200})|(?=\{\"))(?=\{[\"'](?:return|id)[\"'])"
)
"""What precedes a reply: nothing; or a date with a time, as in `stamps`, and more that may be equal in many lines."""
_BARE = (b'{"return"', b'{"id"')
"""How a line begins with nothing before its reply."""
_CLOSING = ord("]")
_LAYOUTS = 3
"""The number of lines in which libvirt logs a reply."""
_OPENING_BYTES = len(b'{"return"')
_DATE_BYTES = len(b"2024-05-12 12:00:00")


class _Head(NamedTuple):
    """A kind of line: its guest; whether it is the first of libvirt's two copies; whether the reply has no text before
    it.
    """

    guest: str
    is_first_copy: bool
    is_bare: bool


_LineStart = tuple[_Head, float | None, float, int]
"""The head of a line, its time, the resolution of that, and where the reply begins."""


class Bulk:
    """The collected replies, in order."""

    def __init__(self, qmp: Qmp) -> None:
        self._qmp = qmp
        self._replies: list[Reply] = []
        self._first_copy: tuple[bytes, float, Raw] | None = None
        self._heads: dict[bytes, _Head] = {}
        self._first_text = b""
        self._layouts: list[tuple[bytes, int, bytes, tuple[_Head, float, float, int]]] = []
        """Starts of the last lines: up to the second, and after the fraction, with what they mean."""

    def begin(self, raw: bytes, line: Line) -> bool:
        """Whether a line, which is all of `raw` and was read by QMP alone, is a plain reply."""
        match = _HEAD.match(raw)
        if match is None or len(raw) <= SHORT_BYTES or b"igration" in raw:
            return False
        text = raw[match.end() :].rstrip()
        if not text.isascii() or not line.message.endswith(text.decode()):
            return False
        guest, is_first_copy = self._qmp.origin_of(line)
        self._heads.setdefault(match[4] or b"", _Head(guest, is_first_copy, len(line.message) == len(text)))
        self._first_text = text
        return not is_first_copy and self._qmp.is_idle

    def take(self, text: bytes, begin: int, end: int, came_s: float) -> bool:
        """Collect the line from `begin` to `end` if it is a reply like those before, and return whether it is."""
        if end - begin <= SHORT_BYTES or len(self._replies) == MOST or text.find(b"emain", begin, end) < 0:
            return False
        return self._keeps(text[begin:end], came_s)

    def _keeps(self, raw: bytes, came_s: float) -> bool:
        start = self._start_as_before(raw) or self._new_start(raw)
        if start is None:
            return False
        head, t_s, tick_s, begin = start
        text = raw[begin:].rstrip()
        if head.is_first_copy:
            if self._first_copy is not None or t_s is None or text[-1] != _CLOSING:
                return False
            self._first_copy = text[:-1], t_s, (raw, came_s)
            return True
        last = self._replies[-1] if self._replies else None
        if self._first_copy is None and last is not None and last.text == text and t_s is not None:
            is_same = last.guest == head.guest and last.t_s is not None and abs(t_s - last.again_s) <= SAME_S
            if is_same:
                last.again_s, last.lines = t_s, [*last.lines, (raw, came_s)]
            return is_same
        json = plain_json(text, head.is_bare)
        if not json or text == self._first_text:
            return False
        reply = Reply(text, json, head.guest, t_s, tick_s, came_s, [(raw, came_s)], t_s or 0.0)
        if self._first_copy is not None:
            copy_text, reply.first_copy_s, before = self._first_copy
            if copy_text != text or t_s is None or not abs(t_s - reply.first_copy_s) <= SAME_S:
                return False
            self._first_copy, reply.lines = None, [before, *reply.lines]
        self._replies.append(reply)
        return True

    def _new_start(self, raw: bytes) -> _LineStart | None:
        """Parse what precedes the reply; None if it is not known."""
        if raw.startswith(_BARE):
            head = self._heads.get(b"")
            return None if head is None else (head, None, 1.0, 0)
        match = _HEAD.match(raw)
        head = None if match is None else self._heads.get(match[4] or b"")
        if match is None or head is None:
            return None
        second, part, zone, _ = match.groups()
        begin = match.end()
        if second is None:
            return head, None, 1.0, begin
        second_begin_s, tick_s = second_s(second, zone), 10.0 ** -len(part or b"")
        if part:
            rest = match.end(2)
            behind = raw[rest : begin + _OPENING_BYTES]
            layout = raw[: _DATE_BYTES + 1], rest, behind, (head, second_begin_s, tick_s, begin)
            self._layouts = [layout, *self._layouts[: _LAYOUTS - 1]]
        return head, second_begin_s + (float(b"0." + part) if part else 0.0), tick_s, begin

    def _start_as_before(self, raw: bytes) -> _LineStart | None:
        """The same, if only the fraction of the second differs from one of the last lines."""
        for to_the_second, rest, behind, (head, second_begin_s, tick_s, begin) in self._layouts:
            if raw.startswith(to_the_second) and raw.startswith(behind, rest):
                part = raw[_DATE_BYTES + 1 : rest]
                if part.isdigit():
                    return head, second_begin_s + float(b"0." + part), tick_s, begin
        return None

    def close(self) -> tuple[list[Many], list[Raw]]:
        """What the collected replies yield, and the lines that must be read one by one after that: at least the last
        reply's.

        Reading these restores all that must be known about the text so far.
        """
        replies, first_copy = self._replies, self._first_copy
        self._replies, self._first_copy, self._first_text = [], None, b""
        batches = batches_of(replies, self._qmp) if len(replies) > _FEW else None
        rest = [line for one in (replies if batches is None else replies[-1:]) for line in one.lines]
        if first_copy is not None:
            rest.append(first_copy[2])
        if batches:
            self._tell(replies[:-1])
        return batches or [], rest

    def _tell(self, replies: Sequence[Reply]) -> None:
        """Tell QMP's reader about the last replies, as if it had read them."""
        for last in {one.guest: one for one in replies}.values():
            if last.t_s is not None:
                self._qmp.saw(replace(last.plain_reading(), stamp=Stamp(last.again_s, last.tick_s)))
        twofold = next((one for one in reversed(replies) if one.first_copy_s is not None), None)
        if twofold is not None:
            self._qmp.saw(
                replace(twofold.plain_reading(), stamp=Stamp(twofold.first_copy_s or 0.0, twofold.tick_s), of="")
            )
