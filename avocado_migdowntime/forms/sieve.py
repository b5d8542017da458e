# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of a text that may tell of a migration, with those around them: most of a long log is skipped.

Whole blocks are searched at the speed of memory; only near a needle are there lines. A long line is a message by
itself; around a short one, which may be one of several that belong together, others are read as well.
"""

from collections.abc import Iterable, Iterator

import numpy as np

FIRST_LINES = 2000
"""So many lines are read whatever is in them: a short text is read as a whole."""
SHORT_BYTES = 160
"""A line of no more may belong together with others."""
BEFORE_BYTES = 4096
"""So much before a short line with a needle is read as well."""
AFTER_LINES = 60
"""So many lines behind a short one that told something are read as well."""
NEAR_BYTES = 1 << 14
"""So far from a needle the rarer ones are looked for too."""
LONGEST_LINE_BYTES = 1 << 26
"""What is longer is no line, and left out."""
_GRAM = 4


class Sieve:
    """Takes bytes as they come and gives lines, each with the time at which its last byte came.

    After each line `told` has to be called, if it did tell something. Each of `needles` has at least 4 bytes.
    """

    def __init__(self, needles: Iterable[bytes]) -> None:
        self._needles = _Needles(needles)
        self._all = self._needles.needles
        self._begun: list[bytes] = []
        self._begun_bytes = 0
        self._cold: list[tuple[float, bytes]] = []
        self._cold_bytes = 0
        self._near_bytes = 0
        self._open_lines = FIRST_LINES
        self._is_short = False

    def look_for(self, also: Iterable[bytes]) -> None:
        """Look for these, too, near the needles."""
        self._all = tuple(dict.fromkeys([*self._all, *also]))

    def told(self) -> None:
        """The last line that was given told something: those behind it are wanted, too, if it is a short one."""
        if self._is_short:
            self._open_lines = max(self._open_lines, AFTER_LINES)

    def feed(self, data: bytes, now_s: float) -> Iterator[tuple[bytes, float]]:
        """The lines that `data` make whole and that may tell something."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._begun.append(data)
            self._begun_bytes += len(data)
            if self._begun_bytes > LONGEST_LINE_BYTES:
                self._begun, self._begun_bytes = [], 0
            return
        self._begun_bytes = len(data) - end
        block = b"".join([*self._begun, memoryview(data)[:end]])
        self._begun = [data[end:]] if end < len(data) else []
        yield from self._block(block, now_s)

    def end(self, now_s: float) -> Iterator[tuple[bytes, float]]:
        """The last line, where it has no end."""
        block, self._begun = b"".join(self._begun), []
        if block:
            yield from self._block(block, now_s)

    def _block(self, block: bytes, now_s: float) -> Iterator[tuple[bytes, float]]:
        if not self._near_bytes and not self._open_lines and not self._needles.are_in(block):
            self._keep(block, now_s)
            return
        pieces = [*self._cold, (now_s, block)]
        times: list[tuple[int, float]] = []
        position = 0
        for came_s, piece in pieces:
            position += len(piece)
            times.append((position, came_s))
        self._cold, self._cold_bytes = [], 0
        yield from self._lines(b"".join(piece for _, piece in pieces), times)

    def _lines(self, text: bytes, times: list[tuple[int, float]]) -> Iterator[tuple[bytes, float]]:
        hit, near, all_of_near = _Finder(text, self._needles.needles), _Finder(text, self._all), self._all
        position, piece = 0, 0
        while position < len(text):
            if all_of_near is not self._all:
                near, all_of_near = _Finder(text, self._all), self._all
            if not self._open_lines:
                begin = hit(position)
                if self._near_bytes or (begin >= 0 and begin - position <= NEAR_BYTES):
                    begin = near(position)
                elif begin >= 0:
                    position = _line_start(text, begin - NEAR_BYTES)
                    begin = near(position)
                if begin < 0 or (self._near_bytes and begin - position > self._near_bytes and hit(position) < 0):
                    break
                line = _line_start(text, begin)
                if _line_end(text, begin) - line <= SHORT_BYTES:
                    line = _line_start(text, max(position, begin - BEFORE_BYTES))
                position = max(position, line)
                self._open_lines = 1 + text.count(b"\n", position, begin)
            end = _line_end(text, position)
            while times[piece][0] < end:
                piece += 1
            self._open_lines -= 1
            self._is_short = end - position <= SHORT_BYTES
            if self._needles.are_in_line(text, position, end):
                self._near_bytes = NEAR_BYTES
            else:
                self._near_bytes = max(0, self._near_bytes - (end - position))
            yield text[position:end], times[piece][1]
            position = end
        self._near_bytes = max(0, self._near_bytes - (len(text) - position))
        for end, came_s in times[piece:]:
            if position < end:
                self._keep(text[position:end], came_s)
                position = end

    def _keep(self, block: bytes, now_s: float) -> None:
        self._cold.append((now_s, block))
        self._cold_bytes += len(block)
        while self._cold_bytes - len(self._cold[0][1]) >= NEAR_BYTES:
            self._cold_bytes -= len(self._cold.pop(0)[1])


class _Needles:
    """What is searched for in whole blocks: four bytes of each at any place, all at once, and then the whole."""

    def __init__(self, needles: Iterable[bytes]) -> None:
        self.needles = tuple(dict.fromkeys(needles))
        self._grams = [np.frombuffer(needle[:_GRAM], "<u4")[0] for needle in self.needles]

    def are_in(self, block: bytes) -> bool:
        """Whether one of them is in `block`."""
        for shift in range(min(_GRAM, len(block) // _GRAM)):
            grams = np.frombuffer(block, "<u4", (len(block) - shift) // _GRAM, shift)
            for gram, needle in zip(self._grams, self.needles, strict=True):
                if (grams == gram).any() and needle in block:
                    return True
        return False

    def are_in_line(self, text: bytes, begin: int, end: int) -> bool:
        """Whether one of them is in this line of `text`."""
        return any(text.find(needle, begin, end) >= 0 for needle in self.needles)


class _Finder:
    """Where the next of some needles is, each searched for no more often than it has to be."""

    def __init__(self, text: bytes, needles: Iterable[bytes]) -> None:
        self._text = text
        self._next = dict.fromkeys(needles, -2)

    def __call__(self, position: int) -> int:
        """The first place of one from `position` on, or -1."""
        for needle, found in self._next.items():
            if found == -2 or 0 <= found < position:
                self._next[needle] = self._text.find(needle, position)
        return min((found for found in self._next.values() if found >= 0), default=-1)


def _line_start(text: bytes, position: int) -> int:
    return text.rfind(b"\n", 0, position) + 1 if position > 0 else 0


def _line_end(text: bytes, position: int) -> int:
    return text.find(b"\n", position) + 1 or len(text)
