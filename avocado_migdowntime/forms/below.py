# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures that stand on the line below their names, as cells of a table do once they are copied."""

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
    """Takes lines as they come, and gives those to be read: one of a name, and its figure below."""

    def __init__(self) -> None:
        self._name: Line | None = None

    def take(self, line: Line) -> tuple[Line, ...]:
        """What is to be read now; a name is kept until it is known what follows."""
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
        """What is kept, as nothing follows."""
        name, self._name = self._name, None
        return () if name is None else (name,)
