# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures on the line below their names, as in table cells that were copied."""

import re

from .domjobinfo import FIGURE_NAMES
from .form import Line
from .monitor_names import LINES
from .monitor_text import STATUSES
from .rounding import SEPARATED

_NAMES = frozenset(f"{name}:" for name in (*LINES, *FIGURE_NAMES, "Migration status"))
_FIGURE = re.compile(
    rf"-?{SEPARATED}(?:\s*[a-zA-Z]{{1,12}}(?:/s)?)?|{'|'.join(STATUSES)}|[A-Z][a-z]{{3,12}}(?: migration)?"
)


class Below:
    """Takes lines one by one, and returns those to be read: a name joined with the figure below it."""

    def __init__(self) -> None:
        self._name: Line | None = None

    def take(self, line: Line) -> tuple[Line, ...]:
        """The lines to be read now; a name is kept until the next line is known."""
        text = line.text
        if text in _NAMES:
            before, self._name = self.settle(), line
            return before
        name = self._name
        if name is None:
            return (line,)
        if not text:
            return ()
        self._name = None
        return (name.containing(f"{name.text} {text}"),) if _FIGURE.fullmatch(text) else (name, line)

    def settle(self) -> tuple[Line, ...]:
        """The line that is kept, since nothing follows."""
        name, self._name = self._name, None
        return () if name is None else (name,)
