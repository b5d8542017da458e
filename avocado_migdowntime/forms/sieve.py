# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of a text that may tell of a migration, with those around them: most of a long log is skipped.

Whole blocks are searched at the speed of memory; only near a needle are there lines. A long line is a message by
itself; around a short one, which may be one of several that belong together, others are read as well.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

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

    After each line `told` has to be called, if it did tell something. Each of `needles` has at least 5 bytes.
    """

    def __init__(self, needles: Iterable[bytes]) -> None:
        self._needles = _Search(needles)
        self._all = self._needles
        self._begun: list[bytes] = []
        self._begun_bytes = 0
        self._cold: list[tuple[float, bytes]] = []
        self._cold_bytes = 0
        self._near_bytes = 0
        self._open_lines = FIRST_LINES
        self._is_short = False

    def look_for(self, also: Iterable[bytes]) -> None:
        """Look for these, too, near the needles."""
        if not set(also) <= {*self._all.needles}:
            self._all = _Search([*self._all.needles, *also])

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
        is_near = bool(self._near_bytes or self._open_lines)
        found = list((self._all if is_near else self._needles).places(block))
        if not is_near and not found:
            self._keep(block, now_s)
            return
        pieces = [*self._cold, (now_s, block)]
        times: list[tuple[int, float]] = []
        position = 0
        for came_s, piece in pieces:
            position += len(piece)
            times.append((position, came_s))
        self._cold, self._cold_bytes = [], 0
        text = b"".join(piece for _, piece in pieces) if len(pieces) > 1 else block
        # No needle is in what was kept, but perhaps one of the others.
        shift = position - len(block)
        hits = _Places(place + shift for place, needle in found if needle in self._needles.needles)
        kept = self._all.places(text[:shift]) if is_near and shift else ()
        near = _Places([*(place + shift for place, _ in found), *(place for place, _ in kept)])
        yield from self._lines(text, times, hits, (self._all if is_near else self._needles, near))

    def _lines(
        self, text: bytes, times: list[tuple[int, float]], hits: "_Places", known: tuple["_Search", "_Places"]
    ) -> Iterator[tuple[bytes, float]]:
        """The lines of `text`, of which `hits` are the needles, and `known` what was searched for so far."""
        searched, near = known
        position, piece = 0, 0
        while position < len(text):
            if searched is not self._all:
                searched, near = self._all, _Places(place for place, _ in self._all.places(text))
            if not self._open_lines:
                begin = near.next(position)
                if not self._near_bytes:
                    hit = hits.next(position)
                    if hit - position > NEAR_BYTES:
                        position = _line_start(text, hit - NEAR_BYTES)
                        begin = near.next(position)
                    elif hit < 0:
                        begin = hit
                if begin < 0 or (self._near_bytes and begin - position > self._near_bytes and hits.next(position) < 0):
                    break
                line = _line_start(text, begin)
                self._open_lines = 1
                if _line_end(text, begin) - line <= SHORT_BYTES:
                    line = _line_start(text, max(position, begin - BEFORE_BYTES))
                    self._open_lines += text.count(b"\n", max(position, line), begin)
                position = max(position, line)
            end = _line_end(text, position)
            while times[piece][0] < end:
                piece += 1
            self._open_lines -= 1
            self._is_short = end - position <= SHORT_BYTES
            if hits.are_within(position, end):
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


class _Places:
    """Where some of the needles begin in a text, in their order."""

    def __init__(self, places: Iterable[int] = ()) -> None:
        self.places = sorted(places)

    def next(self, position: int) -> int:
        """The first one from `position` on, or -1."""
        number = bisect_left(self.places, position)
        return self.places[number] if number < len(self.places) else -1

    def are_within(self, begin: int, end: int) -> bool:
        """Whether there is one from `begin` on and before `end`."""
        return begin <= self.next(begin) < end


class _Search:
    """Searches a text for several needles: four bytes of each at any place, all at once, and there for the whole.

    `bytes.find` takes several times as long for needles whose letters are in most words.
    """

    _WINDOW_BYTES = 1 << 17

    def __init__(self, needles: Iterable[bytes]) -> None:
        self.needles = tuple(dict.fromkeys(needles))
        self._of_gram: dict[int, list[tuple[int, bytes]]] = {}
        for needle in self.needles:
            # Both kinds of quotes have the same behind them.
            begin = 1 if needle[:1] in b"\"'" else 0
            gram = int(np.frombuffer(needle[begin : begin + _GRAM], np.uint32)[0])
            self._of_gram.setdefault(gram, []).append((begin, needle))
        self._words = np.empty(self._WINDOW_BYTES // _GRAM, np.uint32)
        self._alike = np.empty(len(self._words), np.bool_)

    def places(self, text: bytes) -> Iterator[tuple[int, bytes]]:
        """Where which begins, in no order."""
        block = np.frombuffer(text, np.uint8)
        for begin in range(0, len(text), self._WINDOW_BYTES) if self.needles else ():
            for shift in range(begin, begin + _GRAM):
                count = min(len(text) - shift, self._WINDOW_BYTES) // _GRAM
                if count > 0:
                    words, alike = self._words[:count], self._alike[:count]
                    words.view(np.uint8)[:] = block[shift : shift + count * _GRAM]
                    yield from self._in_words(text, words, alike, shift)

    def _in_words(
        self, text: bytes, words: NDArray[np.uint32], alike: NDArray[np.bool_], shift: int
    ) -> Iterator[tuple[int, bytes]]:
        for gram, needles in self._of_gram.items():
            if np.equal(words, gram, out=alike).any():
                for word in np.flatnonzero(alike).tolist():
                    for before, needle in needles:
                        place = shift + word * _GRAM - before
                        if place >= 0 and text.startswith(needle, place):
                            yield place, needle


def _line_start(text: bytes, position: int) -> int:
    return text.rfind(b"\n", 0, position) + 1


def _line_end(text: bytes, position: int) -> int:
    return text.find(b"\n", position) + 1 or len(text)
