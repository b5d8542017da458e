# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of a text that may tell of a migration, with those around them: most of a long log is passed over.

Whole blocks are searched at the speed of memory; only near a needle are there lines.
"""

from collections.abc import Iterable, Iterator

BEFORE_BYTES = 4096
"""So much before a needle is read as well: what belongs to it may begin there."""
FIRST_LINES = 2000
"""So many lines are read whatever is in them: a short text is read as a whole."""
AFTER_LINES = 60
"""So many lines behind the last one that told something are read as well."""
LONGEST_LINE_BYTES = 1 << 26
"""What is longer is no line, and left out."""
NEAR_BYTES = 1 << 18
"""So far from a needle the rarer ones are looked for too."""


class Sieve:
    """Takes bytes as they come and gives lines, each with the time at which its last byte came.

    After each line `told` has to be called, if it did tell something.
    """

    def __init__(self, needles: Iterable[bytes], also: Iterable[bytes]) -> None:
        self._needles = tuple(dict.fromkeys(needles))
        self._all = tuple(dict.fromkeys([*self._needles, *also]))
        self._begun: list[bytes] = []
        self._begun_bytes = 0
        self._cold: list[tuple[float, bytes]] = []
        self._cold_bytes = 0
        self._near_bytes = 0
        self._open_lines = FIRST_LINES

    def told(self) -> None:
        """The last line that was given told something: those behind it are wanted, too."""
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
        block = b"".join([*self._begun, data[:end]])
        self._begun = [data[end:]] if end < len(data) else []
        yield from self._block(block, now_s)

    def end(self, now_s: float) -> Iterator[tuple[bytes, float]]:
        """The last line, where it has no end."""
        block, self._begun = b"".join(self._begun), []
        if block:
            yield from self._block(block, now_s)

    def _block(self, block: bytes, now_s: float) -> Iterator[tuple[bytes, float]]:
        hot = any(needle in block for needle in self._needles)
        if not hot and not self._near_bytes and not self._open_lines:
            self._keep(block, now_s)
            return
        self._near_bytes = NEAR_BYTES if hot else max(0, self._near_bytes - len(block))
        times: list[tuple[int, float]] = []
        pieces = [*self._cold, (now_s, block)]
        self._cold, self._cold_bytes = [], 0
        position = 0
        for came_s, piece in pieces:
            position += len(piece)
            times.append((position, came_s))
        yield from self._lines(b"".join(piece for _, piece in pieces), times)

    def _lines(self, text: bytes, times: list[tuple[int, float]]) -> Iterator[tuple[bytes, float]]:
        find = _Finder(text, self._all)
        position, piece = 0, 0
        while position < len(text):
            if not self._open_lines:
                begin = find(position)
                if begin < 0:
                    break
                position = _line_start(text, max(position, begin - BEFORE_BYTES))
                self._open_lines = AFTER_LINES + text.count(b"\n", position, begin)
            end = text.find(b"\n", position) + 1 or len(text)
            while times[piece][0] < end:
                piece += 1
            self._open_lines -= 1
            yield text[position:end], times[piece][1]
            position = end
        else:
            return
        while times[piece][0] <= position:
            piece += 1
        for end, came_s in times[piece:]:
            self._keep(text[position:end], came_s)
            position = end

    def _keep(self, block: bytes, now_s: float) -> None:
        self._cold.append((now_s, block))
        self._cold_bytes += len(block)
        while self._cold_bytes - len(self._cold[0][1]) >= NEAR_BYTES:
            self._cold_bytes -= len(self._cold.pop(0)[1])


class _Finder:
    """Where the next of some needles is, each searched for no more often than it has to be."""

    def __init__(self, text: bytes, needles: Iterable[bytes]) -> None:
        self._text = text
        self._next = {needle: text.find(needle) for needle in needles}

    def __call__(self, position: int) -> int:
        """The first place of one from `position` on, or -1."""
        for needle, found in self._next.items():
            if 0 <= found < position:
                self._next[needle] = self._text.find(needle, position)
        return min((found for found in self._next.values() if found >= 0), default=-1)


def _line_start(text: bytes, position: int) -> int:
    return text.rfind(b"\n", 0, position) + 1 if position else 0
