# SPDX-License-Identifier: GPL-2.0-or-later
"""Rejoins log lines that a mail program or a terminal has broken, if a form says that a line is cut off.

A line with figures begins with the log's time, or with words that its form knows. What follows without a time belongs
to it, until a blank line or until the line is complete. If no piece of a line has figures by itself, all of them
together may.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product

from .form import Form, Line

MOST = 12
"""The most pieces of a line."""
MOST_AT_ANY_PLACE = 8
"""Up to this many pieces, breaks within words are tried too."""
SHORT = 40
"""A piece shorter than this is the last one: otherwise more would have fitted."""


_BEGINS = re.compile(r'(?<!")\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d')
"""The time of a log's line, even with another prefix before it."""


class Unwrapper:
    """Takes lines one by one, and returns those to be read."""

    def __init__(self, forms: Iterable[type[Form]]) -> None:
        self._forms = [form for form in forms if form.CUT is not None]
        self._pieces: list[Line] = []
        self._form: type[Form] | None = None
        self._output_count = 0
        self._is_told = False

    def mark_useful(self) -> None:
        """Note that the last returned line was useful by itself."""
        self._is_told = True

    def take(self, line: Line) -> Iterator[Line]:
        """The lines to be read now; a line that may be cut off is kept until that is known."""
        text = line.text
        begins = not text or line.stamp is not None or text.startswith('{"') or _BEGINS.search(text) is not None
        if begins or len(self._pieces) >= MOST or self._is_another(text):
            yield from self.settle()
        if not text or (not begins and not self._pieces and "igration" not in text):
            yield line
            return
        self._pieces.append(line)
        if self._form is None:
            self._form = self._cut_off()
        if self._form is None:
            self._output_count = len(self._pieces)
            yield line
        elif (len(text) < SHORT or not self._is_of_log()) and self._whole() is not None:
            yield from self.settle()

    def _is_another(self, text: str) -> bool:
        """Whether a line with figures begins although another is unfinished."""
        if "igration" not in text and self._form is None:
            return False
        before = " ".join(piece.text for piece in self._pieces)
        return any(_is_cut(form, text) and _is_cut(form, before) for form in self._forms)

    def settle(self) -> Iterator[Line]:
        """The kept pieces: as one line if they make one, else unchanged."""
        whole, pieces, output_count = self._whole(), self._pieces, self._output_count
        is_of_log = self._is_of_log()
        self._pieces, self._form, self._output_count = [], None, 0
        if whole is not None:
            yield whole
        else:
            yield from pieces[output_count:]
            if len(pieces) > 1 and not self._is_told and is_of_log and len(pieces[0].text) >= SHORT:
                for text in dict.fromkeys(_as_broken([piece.text for piece in pieces])):
                    yield replace(pieces[0], text=text, message=text)
        self._is_told = False

    def _is_of_log(self) -> bool:
        """Whether the lines of the text begin in a way that shows where one ends."""
        return bool(self._pieces) and (self._pieces[0].stamp is not None or self._pieces[0].text.startswith('{"'))

    def _cut_off(self) -> type[Form] | None:
        """The form for which the joined pieces are a line that is cut off, or begins with one."""
        text = " ".join(piece.text for piece in self._pieces)
        if "igration" not in text:
            return None
        last = self._pieces[-1].text
        for form in self._forms:
            if _is_cut(form, text) and (not _is_whole(form, text) or (text != last and _is_cut(form, last))):
                return form
        return None

    def _whole(self) -> Line | None:
        if self._form is None or len(self._pieces) < 2:
            return None
        texts = [piece.text for piece in self._pieces]
        for text in _joined(texts):
            if _is_whole(self._form, text):
                return replace(self._pieces[0], text=text, message=text)
        return None


def _is_cut(form: type[Form], text: str) -> bool:
    return form.CUT is not None and form.CUT.search(text) is not None


def _is_whole(form: type[Form], text: str) -> bool:
    return any(whole.search(text) for whole in form.WHOLE)


def _joined(texts: Sequence[str]) -> Iterator[str]:
    """The possible joins of the pieces: broken between words, or at a terminal's width, with blanks lost there."""
    yield from _as_broken(texts)
    if len(texts) > MOST_AT_ANY_PLACE:
        return
    for between in product(("", " "), repeat=len(texts) - 1):
        yield "".join(part for pair in zip(texts, (*between, ""), strict=True) for part in pair)


def _as_broken(texts: Sequence[str]) -> Iterator[str]:
    width = max(map(len, texts))
    yield " ".join(texts)
    yield "".join(f"{text} " if len(text) < width else text for text in texts).strip()
