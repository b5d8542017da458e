# SPDX-License-Identifier: GPL-2.0-or-later
"""The template of log lines that differ from a line already read only in their digits."""

import re
from dataclasses import dataclass

from ..trace.reading import Stamp
from .form import Line
from .log import Log
from .log_numbers import Noting, Span
from .stamps import second_s

_SECOND = r"(\d{4}[-/]\d\d[-/]\d\d[ T][012]\d:[0-5]\d:[0-6]\d)"
_DATE = re.compile(rf"(?<!\d){_SECOND}(?:[.,](\d{{1,9}})(?!\d))?(?:\s?(Z|[+-]\d{{2}}:?\d{{2}}))?")
_NUMBER = re.compile(r"\d{1,15}(?:\.(?P<digits>\d{1,9}))?")
_DIGITS = re.compile(r"\d+")
_UNSURE = re.compile(r"[&<\\\x1b]|=(?:\d*\s*$|[0-9A-F]*[A-F])")
"""Where digits may encode a character."""


@dataclass(frozen=True, eq=False, slots=True)
class Template:
    """A template; `pattern` matches a whole line, with groups for the second, its fraction, and each of the `numbers`.

    `numbers` have the places in the `text` that the line offered to its `form`, and their groups. The time of a line
    has the resolution `tick_s`.
    """

    pattern: re.Pattern[bytes]
    form: Log
    text: str
    numbers: tuple[tuple[Span, int], ...]
    second: int
    part: int | None
    zone: str | None
    tick_s: float


def template_of(raw: bytes, line: Line, form: Log) -> Template | None:
    """The template of `raw`, from which `line` was read, and recognised by `form`; None if that is not certain."""
    whole = raw.decode(errors="replace")
    begin = whole.find(line.text)
    if not raw.endswith(b"\n") or not any(needle in raw for needle in form.NEEDLES):
        return None
    if not whole.isascii() or begin < 0 or whole.find(line.text, begin + 1) >= 0 or _UNSURE.search(whole):
        return None
    dates = [date for date in _DATE.finditer(whole) if _stamp_of(date) == line.stamp]
    noting = Noting(line.text)
    statement = form.statement(noting)
    last = None if statement is None else form.looks[statement.of]
    if statement is None or not statement.is_plain or last is None or last.stamp != line.stamp or len(dates) != 1:
        return None
    date = dates[0]
    marks = {date.span(1): _SECOND}
    if date[2]:
        marks[date.span(2)] = rf"(\d{{{len(date[2])}}})"
    if date[3]:
        marks[date.span(3)] = re.escape(date[3])
    for low, high in noting.fixed:
        marks[begin + low, begin + high] = re.escape(line.text[low:high])
    for low, high in noting.numbers:
        match = _NUMBER.fullmatch(line.text, low, high)
        if match is None or line.text[high : high + 1].isdigit():
            return None
        digits = rf"\.\d{{{len(match['digits'])}}}" if match["digits"] else ""
        marks[begin + low, begin + high] = rf"(\d{{1,15}}{digits})"
    pattern, position = "", 0
    groups: dict[Span, int] = {}
    for (low, high), mark in sorted(marks.items()):
        if low < position:
            return None
        if mark.startswith("("):
            groups[low, high] = len(groups)
        pattern += _with_any_digits(whole[position:low]) + mark
        position = high
    pattern += _with_any_digits(whole[position:])
    return Template(
        pattern=re.compile(pattern.encode()),
        form=form,
        text=line.text,
        numbers=tuple(
            ((low - begin, high - begin), group)
            for (low, high), group in groups.items()
            if (low - begin, high - begin) in noting.numbers
        ),
        second=groups[date.span(1)],
        part=groups.get(date.span(2)),
        zone=date[3],
        tick_s=10.0 ** -len(date[2] or ""),
    )


def _stamp_of(date: re.Match[str]) -> Stamp:
    second, part, zone = date.groups()
    fraction = float(f"0.{part}") if part else 0.0
    return Stamp(second_s(second, zone) + fraction, 10.0 ** -len(part or ""))


def _with_any_digits(text: str) -> str:
    """A pattern for exactly this text, with any digits in place of its digits, as many of them."""
    pieces = _DIGITS.split(text)
    counts = [f"\\d{{{len(digits)}}}" for digits in _DIGITS.findall(text)]
    return "".join(re.escape(piece) + count for piece, count in zip(pieces, [*counts, ""], strict=True))
