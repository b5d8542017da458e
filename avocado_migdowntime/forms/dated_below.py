# SPDX-License-Identifier: GPL-2.0-or-later
"""Moves the times of a text above the figures that they are of, as a loop may call `date` after its command."""

import re

from ..trace.reading import Reading
from .dates import date_line
from .lines import Lines
from .many import Many
from .reader import Reader

_LONGEST = 80
_MOST_OTHERS = 100
"""A text with more short lines that have a time and something else is a log."""
_MAY_BE_TIME = re.compile(r"\d:\d\d:\d\d|^[^\w\n]{0,9}1\d{9}\b", re.MULTILINE)


def dates_moved_up(text: str) -> str | None:
    """The text with each line that shows only a time above what stands between it and the one before it.

    None unless the first figures precede the first such line, one follows the last figures, and no two figures stand
    between the same two.
    """
    if not _MAY_BE_TIME.search(text):
        return None
    parts, dates = _parts(text)
    *parts, rest = parts
    if len(dates) < 2 or not _looks(parts[0]) or _looks(rest):
        return None
    counts = [*map(_looks, parts)]
    if max(counts) > 1 or sum(counts) < 2:
        return None
    return "".join([date + part for date, part in zip(dates, parts, strict=True)]) + rest


def _parts(text: str) -> tuple[list[str], list[str]]:
    """What stands before, between and after the lines that show only a time, and these lines; none of a log."""
    parts: list[list[str]] = [[]]
    dates: list[str] = []
    others = 0
    for line in text.splitlines(keepends=True):
        if len(line) <= _LONGEST and _MAY_BE_TIME.search(line):
            if _is_date(line):
                dates.append(line if line.endswith("\n") else f"{line}\n")
                parts.append([])
                continue
            others += 1
            if others > _MOST_OTHERS:
                return [""], []
        parts[-1].append(line)
    return ["".join(part) for part in parts], dates


def _is_date(line: str) -> bool:
    return any(date_line(one.text) is not None for one in Lines().of(line.encode(), 0.0))


def _looks(text: str) -> int:
    """The number of answers with figures of RAM in a text; 2 also stands for many."""
    items = [*Reader().whole([text.encode()])]
    return sum(2 if isinstance(item, Many) else isinstance(item, Reading) and "ram" in item.answer for item in items)
