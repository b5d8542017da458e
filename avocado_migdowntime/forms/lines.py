# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of a text, without what people, mail programs, terminals and other programs put around them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain

from ..trace.reading import Stamp
from .collapsed import lines_in
from .folded import Folded
from .form import Line
from .marks import (
    as_typed,
    is_row,
    out_of_table,
    panes_in,
    with_straight_quotes,
    without_escapes,
    without_marks_at_ends,
    without_markup,
    without_tags,
)
from .pairs import as_line
from .records import (
    assigned,
    cell,
    lists_of_lines,
    logged,
    object_in_cell,
    of_json,
    python_s_strings_of_lines,
    several_logged,
    strings_of_lines,
)
from .stamps import parted, stamp_within

_QUOTED = re.compile(
    r"(?:[>|][ \t]?|[-+*\u2022][ \t]+|(?:#|//)[ \t]+|\+|-(?=[A-Z(]|[a-z][a-z -]{1,30}: )"
    r"|\d{1,6}:(?=\d{4}-\d\d-\d\d|(?!\d))|\d{1,6}\t(?![\w.,-]*\t\S)"
    r"|[\w./-]{0,80}(?:/|\.(?:log|txt|gz))[\w./-]{0,40}[:-](?=(?:19|20)\d\d-\d\d-\d\d[ T]\d\d:)"
    r"|(?!\d{4}[-/])[\w./-]{1,80}:\d{1,6}:(?!\d\d)|\[(?:pod/[^\]\s]+|stdlog)\](?:[ \t]|$)"
    r"|[\w.-]{1,80}[ \t]{1,80}\|(?:[ \t]|$))+"
)
"""Quoting by `>` and `|`; list, comment and diff marks; the line numbers of grep, cat and nl; grep's file names;
container names of kubectl and docker; and what Avocado puts before a test's lines.
"""
_SHORT = 1 << 10
"""Of lines up to this length the last thousand are remembered."""
_LEAST_ENDS = 3
"""The least number of line ends in the content of a string that was copied without its quotes."""
_LONGEST_OF_STRINGS = 1 << 20
_MAILED = re.compile(r"=3D|=(?:20|0D)$|=C2=A0")
"""Marks of mails in quoted-printable."""
_BYTE = re.compile(rb"=([0-9A-F]{2})")
_LONGEST_MAILED = 77
_MANY_BLANKS = re.compile(r"\s{32,}")
_AS_MANY = " " * 32
"""Longer runs of blanks are shortened to this: they mean nothing more, and patterns that search after blanks are slow
on them.
"""
_FEW_DIGITS = 300
_MANY_DIGITS = re.compile(rf"(\d{{{_FEW_DIGITS}}})\d+")
"""Longer numbers, which no figure and no name has, are shortened to this: Python may not convert the whole number."""
_MARKS = frozenset("{*`\\")
"""Each line with markup has one of these."""
_ESCAPED = ("{\\", "[{\\")
"""How an object begins in the content of a string that was copied without its quotes."""
_LIST_BEGINS = re.compile(r"\[\s{0,32}[\"']")
_AT_ENDS = frozenset('[]"')
"""Each line with a forum's marks or with half a pair of quotation marks has one of these at an end."""


class Lines:
    """Takes raw lines one by one, and rejoins those that a mail program broke by `=` at the end."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._is_mailed = False
        self._folded = Folded()

    @property
    def is_plain(self) -> bool:
        """Whether each line stands for itself, and is not part of a mail or of a string."""
        return not self._pieces and not self._is_mailed and not self._folded.is_begun

    def of(self, raw: bytes, came_s: float) -> Iterator[Line]:
        """The lines in one line of a text: several if others are embedded in it, none if it continues."""
        text = raw.decode(errors="replace").rstrip("\r\n")
        if not text and self.is_plain:
            yield Line("", "", None, came_s)
            return
        if "\x1b" in text or "[0m" in text:
            text = without_escapes(text)
        if "=" in text or self._pieces:
            text = self._demailed(text)
            if self._pieces:
                return
        if self._folded.is_begun or text.endswith("\\"):
            text = self._folded.take(text)
            if self._folded.is_begun:
                return
        if "<" in text or "&" in text:
            text = without_tags(text)
        if not text.isascii():
            text = with_straight_quotes(text)
        yield from _of_short(text, came_s) if len(text) <= _SHORT else _of_one(text, came_s)

    def _demailed(self, text: str) -> str:
        pieces, self._pieces = self._pieces, []
        if pieces and pieces[0].startswith(">") and (quote := _QUOTED.match(text)):
            text = text[quote.end() :]
        if text.endswith("=") and len(text) <= _LONGEST_MAILED and (pieces or len(text) > 40):
            self._is_mailed = True
            pieces.append(text[:-1])
            self._pieces = pieces
            return ""
        text = "".join([*pieces, text])
        self._is_mailed = self._is_mailed or bool(_MAILED.search(text))
        if not self._is_mailed:
            return text
        data = _BYTE.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode())
        return data.decode(errors="replace")


@lru_cache(maxsize=1 << 10)
def _of_short(text: str, came_s: float) -> tuple[Line, ...]:
    """Short lines are read more than once: what finds the order of a text reads them before, and many recur."""
    return tuple(_of_one(text, came_s))


def _of_one(text: str, came_s: float) -> Iterator[Line]:
    for part in text.split("\r"):
        plain = as_typed(part)
        if len(plain) > len(_AS_MANY):
            plain = _MANY_BLANKS.sub(_AS_MANY, plain)
        for whole in _whole_lines(plain.strip()):
            yield from _unwrapped(whole.strip(), came_s)


def _whole_lines(text: str) -> Iterable[str]:
    """The lines that were joined into one."""
    if text.count("\\n") >= _LEAST_ENDS and '"' not in text and not [*python_s_strings_of_lines(text)]:
        # The inside of a string, unless it continues on the next line with YAML's backslash.
        is_whole = text[0] != "\\" and text[-1] != "\\"
        return text.replace("\\r", "").split("\\n") if is_whole else [text]
    is_object = text.startswith(("{", "[")) and bool(several_logged(text))
    return [text] if is_object or _strings_within(text) else lines_in(text)


def _unwrapped(text: str, came_s: float, at: Stamp | None = None) -> Iterator[Line]:
    """The lines in one, logged `at` that time unless they have their own."""
    if len(text) > _FEW_DIGITS:
        text = _MANY_DIGITS.sub(r"\1", text)
    if panes := panes_in(text):
        for pane in panes:
            yield from _unwrapped(pane, came_s, at)
        return
    if '"{""' in text and (found := object_in_cell(text)):
        text, before, behind = found
        at = parted(before)[0] or stamp_within(behind) or at
    text = out_of_table(text)
    if not is_row(text) and (match := _QUOTED.match(text)):
        text = text[match.end() :].strip()
    if text and (text[0] in _AT_ENDS or text[-1] in _AT_ENDS):
        text = without_marks_at_ends(text)
    if text.startswith(_ESCAPED) and text.count('"') == text.count('\\"') and (content := of_json(f'"{text}"')):
        yield from _parts(content, came_s, at, is_within=True)
        return
    if not _MARKS.isdisjoint(text):
        text = without_markup(text)
    if within := _strings_within(text):
        strings = [[*_parts(string, came_s, at, is_within=True)] for string in within]
        yield from chain.from_iterable(_oldest_first(strings))
        return
    text = cell(as_line(text))
    stamp, message = parted(text)
    message = message.strip()
    inner = logged(message) if message.startswith("{") and message.endswith("}") else assigned(message)
    if inner is not None:
        yield from _parts(inner[0], came_s, inner[1] or stamp or at)
    elif message.startswith(("{", "[")) and (records := several_logged(message)):
        groups = [[*_parts(record, came_s, own or stamp or at)] for record, own in records]
        yield from chain.from_iterable(_oldest_first(groups))
    else:
        yield Line(text, message, stamp or at, came_s)


def _parts(text: str, came_s: float, at: Stamp | None, *, is_within: bool = False) -> Iterator[Line]:
    """The lines of a string."""
    for whole in chain.from_iterable(_whole_lines(part.strip()) for part in text.splitlines()):
        for line in _unwrapped(whole.strip(), came_s, at):
            yield replace(line, is_within=True) if is_within else line


def _oldest_first(groups: Sequence[Sequence[Line]]) -> Sequence[Sequence[Line]]:
    """Groups of lines that were logged separately, reversed if their times only fall."""
    times_s = [lines[0].stamp.t_s for lines in groups if lines and lines[0].stamp is not None]
    is_turned = len(times_s) == len(groups) and times_s == sorted(times_s, reverse=True) and times_s[0] > times_s[-1]
    return groups[::-1] if is_turned else groups


def _strings_within(text: str) -> list[str]:
    """The strings in `text` in which a program repeats another's output."""
    if '"' not in text and "'" not in text:
        return []
    if len(text) > _LONGEST_OF_STRINGS or '"return"' in text or "'return'" in text:
        return []
    strings: list[str] = []
    if "\\" in text:
        strings = [*strings_of_lines(text)] or [*python_s_strings_of_lines(text)]
    if not strings and (("[" in text and _LIST_BEGINS.search(text)) or '"n":' in text):
        strings = [*lists_of_lines(text)]
    return strings
