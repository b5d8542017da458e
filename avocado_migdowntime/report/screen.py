# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a migration on a terminal, or as lines if there is none."""

import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..watching.now import Now
from .now import LABEL_COLUMNS, line, rows
from .sparkline import BARS, PLAIN
from .verdict_text import table


class Display(Protocol):
    """Shows how a migration goes, within a `with` block."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""

    def show(self, now: Now) -> None:
        """Show this."""

    def say(self, text: str) -> None:
        """Tell what there is to wait for, until something can be shown."""


def display(tell: Callable[[str], None]) -> Display:
    """A screen where the standard output is a terminal that has one, else lines; `tell` gets what is said beside."""
    console = Console(highlight=False, markup=False, emoji=False)
    if console.is_terminal and not console.is_dumb_terminal:
        return Screen(console)
    return Lines(tell)


class Lines:
    """A line for each look."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.say = tell

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, now: Now) -> None:
        """Print it at once, for the reader of a pipe."""
        print(line(now), flush=True)


class Screen:
    """The terminal's other screen, which is drawn anew at each look, in the size that it has then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, screen=True, auto_refresh=False)
        self._signs = BARS if console.encoding.lower().startswith("utf") else PLAIN
        self._rows: Sequence[tuple[str, str]] = ()

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, now: Now) -> None:
        """Draw it."""
        self._rows = rows(now, self._console.width, self._signs)
        self._draw(self._rows)

    def say(self, text: str) -> None:
        """Draw it below what was shown last."""
        self._draw([*self._rows, ("", text)])

    def _draw(self, rows: Sequence[tuple[str, str]]) -> None:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=LABEL_COLUMNS - 1, style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for label, text in rows:
            grid.add_row(Text(label), Text(text))
        self._live.update(grid, refresh=True)


def summary(now: Now) -> str:
    """All of it as a table of plain text, for one sample, and for the last state after the screen has gone."""
    signs = BARS if (sys.stdout.encoding or "").lower().startswith("utf") else PLAIN
    return table(rows(now, _COLUMNS, signs))


_COLUMNS = 80
