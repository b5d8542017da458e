# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the lines of a text that may be about a migration, with those around them; skips most of a long log.

Whole blocks are searched at the speed of memory; lines are split only near a needle. A long line is a message by
itself; a short one may be one of several that belong together, so the lines around it are read as well.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate, chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FIRST_LINES = 1000
"""This many lines are read whatever they contain: a short text is read as a whole."""
SHORT_BYTES = 160
"""A line up to this length may belong together with others."""
BEFORE_BYTES = 4096
"""The number of bytes before a short line with a needle that are read as well."""
AFTER_LINES = 60
"""The number of lines after a useful short one that are read as well."""
NEAR_BYTES = 1 << 14
"""Within this distance of a needle, the rarer strings are searched for too."""
LONGEST_LINE_BYTES = 1 << 26
"""Anything longer is no line, and is left out."""
_WORD, _GRAM = 4, 5
Raw = tuple[bytes, float]
"""A line as it arrived, and when."""


class Sieve:
    """Takes bytes as they arrive and yields lines, each with the time at which its last byte arrived.

    Call `mark_useful` after each line that was useful. Each of `needles` must have at least 5 bytes.
    """

    def __init__(self, needles: Iterable[bytes]) -> None:
        self.take: Callable[[bytes, int, int, float], bool] | None = None
        """May take a line with a needle instead; such a line counts as useful.

        It is called with a text, where the line begins and ends in it, and when it arrived. It returns whether it takes
        the line.
        """
        self._needles = _Search(needles)
        self._all = self._needles
        self._open_line: list[bytes] = []
        self._open_line_bytes = 0
        self._cold: list[_Piece] = []
        self._cold_bytes = 0
        self._near_bytes = 0
        self._open_lines = FIRST_LINES
        self._is_short = False
        self._is_likely = False
        """Whether the last block had a needle, so that the next block probably needs the rarer strings too."""

    def look_for(self, also: Iterable[bytes]) -> None:
        """Also search for these, near the needles."""
        if not set(also) <= {*self._all.needles, *self._all.also}:
            self._all = _Search(self._all.needles, [*self._all.also, *also])

    def mark_useful(self) -> None:
        """Note that the last line was useful: if it is short, the lines after it are wanted too."""
        if self._is_short:
            self._open_lines = max(self._open_lines, AFTER_LINES)

    def feed(self, data: bytes, now_s: float) -> Iterator[Raw]:
        """The lines that `data` completes and that may be useful."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._open_line.append(data)
            self._open_line_bytes += len(data)
            if self._open_line_bytes > LONGEST_LINE_BYTES:
                self._open_line, self._open_line_bytes = [], 0
            return
        self._open_line_bytes = len(data) - end
        block: list[bytes | memoryview] = [*self._open_line, memoryview(data)[:end]]
        self._open_line = [data[end:]] if end < len(data) else []
        yield from self._block(block, now_s)

    def end(self, now_s: float) -> Iterator[Raw]:
        """The last line, if it has no line end."""
        block, self._open_line = self._open_line, []
        yield from self._block(block, now_s)

    def _is_taken(self, text: bytes, begin: int, end: int, came_s: float) -> bool:
        """Offer a line to `take`, and return whether it is taken."""
        if self.take is None or not self.take(text, begin, end, came_s):
            return False
        self._near_bytes = NEAR_BYTES
        self._is_short = end - begin <= SHORT_BYTES
        if self._open_lines:
            self._open_lines -= 1
        self.mark_useful()
        return True

    def _end_of_taken(
        self, text: bytes, position: int, stop: int, came_s: float, near: Sequence[int], hits: Sequence[int]
    ) -> int:
        """Offer long lines before `stop` to `take`; return where the last one ends that is taken, else `position`."""
        take, near_bytes, number = self.take, self._near_bytes, bisect_left(near, position)
        while take is not None and number < len(near):
            place = near[number]
            if place >= stop or (place - position > near_bytes and _next(hits, place) != place):
                break
            begin = text.rfind(b"\n", position, place) + 1 or position
            end = text.find(b"\n", place) + 1 or len(text)
            if end - begin <= SHORT_BYTES or not take(text, begin, end, came_s):
                break
            position, near_bytes = end, NEAR_BYTES
            number = bisect_left(near, end, number)
        self._near_bytes = near_bytes
        return position

    def _block(self, block: Iterable[bytes | memoryview], now_s: float) -> Iterator[Raw]:
        text = b"".join([*(piece.text for piece in self._cold), *block])
        begin = shift = self._cold_bytes
        while begin < len(text) and not self._cold:
            end = _line_end(text, begin)
            if not self._is_taken(text, begin, end, now_s):
                break
            begin = end
        text = text[begin - shift :]
        if len(text) == shift:
            return
        is_near = bool(self._near_bytes or self._open_lines)
        search = self._all if is_near or self._is_likely else self._needles
        hits, others = search.places(text, shift)
        self._is_likely = bool(hits)
        if not is_near and not hits:
            self._keep(text, shift, len(text), _Piece(now_s))
            return
        places = [place - shift for place in (*hits, *others)]
        pieces = [*self._cold, _Piece(now_s, memoryview(text)[shift:], search, places)]
        self._cold, self._cold_bytes = [], 0
        # What was kept has no needle, but perhaps one of the rarer strings.
        yield from self._lines(text, pieces, sorted(hits), self._places_in(pieces) if is_near else None)

    def _places_in(self, pieces: Iterable["_Piece"]) -> list[int]:
        """Where needles and rarer strings begin in the joined text of these pieces."""
        position, places = 0, []
        for piece in pieces:
            of_piece = piece.places if piece.search is self._all else chain(*self._all.places(bytes(piece.text)))
            places += [position + place for place in of_piece]
            position += len(piece.text)
        return sorted(places)

    def _lines(
        self, text: bytes, pieces: Sequence["_Piece"], hits: Sequence[int], near: Sequence[int] | None
    ) -> Iterator[Raw]:
        """The lines of `text`; `hits` are the needles' places, `near` those of all strings if already searched for."""
        searched = self._all if near is not None else None
        ends = [*accumulate(len(piece.text) for piece in pieces)]
        position, piece = 0, 0
        while position < len(text):
            if searched is not self._all or near is None:
                searched, near = self._all, self._places_in(pieces)
            if not self._open_lines and self._near_bytes:
                while ends[piece] <= position:
                    piece += 1
                end = self._end_of_taken(text, position, ends[piece], pieces[piece].came_s, near, hits)
                if end > position:
                    position, self._is_short = end, False
                    continue
            if not self._open_lines:
                begin = _next(near, position)
                if not self._near_bytes:
                    hit = _next(hits, position)
                    if hit - position > NEAR_BYTES:
                        position = _line_start(text, hit - NEAR_BYTES)
                        begin = _next(near, position)
                    elif hit < 0:
                        begin = hit
                if begin < 0 or (
                    self._near_bytes and begin - position > self._near_bytes and _next(hits, position) < 0
                ):
                    break
                line, end = _line_start(text, begin), _line_end(text, begin)
                self._open_lines = 1
                if end - line <= SHORT_BYTES:
                    line = _line_start(text, max(position, begin - BEFORE_BYTES))
                    self._open_lines += text.count(b"\n", max(position, line), begin)
                    end = 0
                position = max(position, line)
            else:
                end = 0
            end = end or _line_end(text, position)
            while ends[piece] < end:
                piece += 1
            if self._is_taken(text, position, end, pieces[piece].came_s):
                position = end
                continue
            self._open_lines -= 1
            self._is_short = end - position <= SHORT_BYTES
            if position <= _next(hits, position) < end:
                self._near_bytes = NEAR_BYTES
            else:
                self._near_bytes = max(0, self._near_bytes - (end - position))
            yield text[position:end], pieces[piece].came_s
            position = end
        self._near_bytes = max(0, self._near_bytes - (len(text) - position))
        for one, end in zip(pieces[piece:], ends[piece:], strict=True):
            if position < end:
                self._keep(text, position, end, _Piece(one.came_s, search=searched, places=near or ()))
                position = end

    def _keep(self, text: bytes, begin: int, end: int, piece: "_Piece") -> None:
        """Keep what of this part may be wanted if a needle follows: only what lies close enough before it."""
        begin = max(begin, _line_start(text, end - NEAR_BYTES)) if end - begin > NEAR_BYTES else begin
        places = [place - begin for place in piece.places if begin <= place < end]
        self._cold.append(piece._replace(text=text[begin:end], places=places))
        self._cold_bytes += end - begin
        while self._cold_bytes - len(self._cold[0].text) >= NEAR_BYTES:
            self._cold_bytes -= len(self._cold.pop(0).text)


class _Piece(NamedTuple):
    """Whole lines that arrived at once, and the places of needles and rarer strings in them, as far as searched for."""

    came_s: float
    text: bytes | memoryview = b""
    search: "_Search | None" = None
    places: Sequence[int] = ()


class _Search:
    """Searches a text for `needles` and for `also`: first for five bytes of each, then for the whole there.

    Words of four bytes are compared, at each second byte: of the five bytes either the first word begins there or the
    second. `bytes.find` takes several times as long for needles whose letters are in most words.
    """

    _WINDOW_BYTES = 1 << 18

    def __init__(self, needles: Iterable[bytes], also: Iterable[bytes] = ()) -> None:
        self.needles = tuple(dict.fromkeys(needles))
        self.also = tuple(dict.fromkeys(one for one in also if one not in self.needles))
        self._grams = _words_of(self.needles, self.also)
        self._words = np.empty(self._WINDOW_BYTES // _WORD, np.uint32)
        self._marks = bytearray(len(self._words))
        self._alike = np.frombuffer(self._marks, np.bool_)

    def places(self, text: bytes, first: int = 0) -> tuple[list[int], list[int]]:
        """Where needles begin from the `first` byte on, and where the others do, unordered."""
        block = np.frombuffer(text, np.uint8)
        places: tuple[list[int], list[int]] = [], []
        for begin in range(first - first % _WORD, len(text), self._WINDOW_BYTES) if self.needles else ():
            for shift in (begin, begin + _WORD // 2):
                count = min(len(text) - shift, self._WINDOW_BYTES) // _WORD
                if count > 0:
                    words, alike, there = self._words[:count], self._alike[:count], block[shift : shift + count * _WORD]
                    if shift == begin:  # At this offset the words are aligned in memory.
                        words = there.view(np.uint32)
                    else:
                        words.view(np.uint8)[:] = there
                    for gram, needles in self._grams:
                        np.equal(words, gram, alike)
                        word = self._marks.find(1, 0, count)
                        while word >= 0:
                            for before, needle, is_other in needles:
                                place = shift + word * _WORD - before
                                if place >= first and text.startswith(needle, place):
                                    places[is_other].append(place)
                            word = self._marks.find(1, word + 1, count)
        return places


@cache
def _words_of(
    needles: tuple[bytes, ...], also: tuple[bytes, ...]
) -> Sequence[tuple[NDArray[np.uint32], Sequence[tuple[int, bytes, bool]]]]:
    """Each word that is compared; and how many bytes before it which string begins, and whether that is of `also`."""
    return [
        (
            np.frombuffer(gram[begin : begin + _WORD], np.uint32).reshape(()),
            [(needle.find(gram) + begin, needle, needle in also) for needle in of_gram],
        )
        for gram, of_gram in _grams_of((*needles, *also))
        for begin in range(_GRAM - _WORD + 1)
    ]


@cache
def _grams_of(needles: tuple[bytes, ...]) -> Sequence[tuple[bytes, Sequence[bytes]]]:
    """The fewest five-byte strings that cover all needles, with the needles they are in: each takes equally long to
    search.
    """
    rest = [*needles]
    cover: list[tuple[bytes, Sequence[bytes]]] = []
    while rest:
        grams = dict.fromkeys(one[begin : begin + _GRAM] for one in rest for begin in range(len(one) - _GRAM + 1))
        gram = max(grams, key=lambda gram: sum(gram in one for one in rest))
        cover.append((gram, [one for one in rest if gram in one]))
        rest = [one for one in rest if gram not in one]
    return cover


def _next(places: Sequence[int], position: int) -> int:
    """The first place from `position` on, or -1."""
    number = bisect_left(places, position)
    return places[number] if number < len(places) else -1


def _line_start(text: bytes, position: int) -> int:
    return text.rfind(b"\n", 0, position) + 1


def _line_end(text: bytes, position: int) -> int:
    return text.find(b"\n", position) + 1 or len(text)
