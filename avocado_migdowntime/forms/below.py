# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures that stand on the line below their names, as cells of a table do once they are copied."""

import re
from collections.abc import Iterator

from .domjobinfo import KNOWN
from .form import Line
from .monitor_names import LINES
from .monitor_text import STATUSES
from .rounding import SEPARATED

_NAMES = frozenset(f"{name}:" for name in (*LINES, *KNOWN, "Migration status"))
_FIGURE = re.compile(
    rf"-?{SEPARATED}(?:\s*[a-zA-Z]{{1,12}}(?:/s)?)?|{'|'.join(STATUSES)}|[A-Z][a-z]{{3,12}}(?: migration)?"
)


class Below:
    """Takes lines as they come, and gives those to be read: one of a name, and its figure below."""

    def __init__(self) -> None:
        self._name: Line | None = None

    def take(self, line: Line) -> Iterator[Line]:
        """What is to be read now; a name is kept until it is known what follows."""
        name, self._name = self._name, None
        if line.text in _NAMES:
            yield from () if name is None else (name,)
            self._name = line
        elif name is None:
            yield line
        elif not line.text:
            self._name = name
        elif _FIGURE.fullmatch(line.text):
            yield name.containing(f"{name.text} {line.text}")
        else:
            yield name
            yield line

    def settle(self) -> Iterator[Line]:
        """What is kept, as nothing follows."""
        name, self._name = self._name, None
        yield from () if name is None else (name,)
