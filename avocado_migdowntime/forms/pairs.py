# SPDX-License-Identifier: GPL-2.0-or-later
"""A table row with a figure's name and value, as programs print it."""

import re

from .domjobinfo import FIGURE_NAMES
from .monitor_names import LINES
from .qmp_fields import PLACES

_PAIR = re.compile(r'"?([A-Za-z][\w .@/-]{1,60}?):?"?\s*[,;\t=]\s*("?)(.*?)\2,?')
_FIGURE = re.compile(r"-?\d[\d.,' ]*(?:[A-Za-z]{1,12}(?:/s)?)?")
_UNIT_APART = re.compile(r"(-?\d[\d.' ]*(?:,\d+)?)\"?\s*[,;\t]\s*\"?([A-Za-z]{1,12}(?:/s)?)\"?")
"""A figure and its unit in two cells, as a spreadsheet divides them."""
_WORDS = re.compile(r"[A-Za-z][a-z-]{1,30}(?: [a-z]{1,20})?")
_OF_WORDS = frozenset(("Migration status", "status", "Job type", "Operation"))
_NAMES = frozenset((*LINES, *FIGURE_NAMES, *PLACES, *_OF_WORDS))
_FIRST = frozenset({'"'} | {name[0] for name in _NAMES})
_BETWEEN = frozenset(",;\t=")


def as_line(text: str) -> str:
    """The row as a line `name: value`; any other line unchanged."""
    if not text or text[0] not in _FIRST or _BETWEEN.isdisjoint(text):
        return text
    match = _PAIR.fullmatch(text)
    if match is None or match[1] not in _NAMES:
        return text
    if apart := _UNIT_APART.fullmatch(match[3]):
        return f"{match[1]}: {apart[1].strip()} {apart[2]}"
    kind = _WORDS if match[1] in _OF_WORDS else _FIGURE
    is_one = kind.fullmatch(match[3].strip())
    return f"{match[1]}: {match[3]}" if is_one else text
