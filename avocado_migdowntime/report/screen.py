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
    """Shows the progress of a migration within a `with` block."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""

    def show(self, now: Now) -> None:
        """Show the state."""

    def say(self, text: str) -> None:
        """Say what is being waited for, until there is a state to show."""


def display(tell: Callable[[str], None]) -> Display:
    """A screen if standard output is a capable terminal, else lines; `tell` gets other messages."""
    console = Console(highlight=False, markup=False, emoji=False)
    if console.is_terminal and not console.is_dumb_terminal:
        return Screen(console)
    return Lines(tell)


class Lines:
    """Prints a line for each state, but none twice in a row."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.say = tell
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, now: Now) -> None:
        """Print the state, flushed at once for the reader of a pipe."""
        if (text := line(now)) != self._last:
            print(text, flush=True)
        self._last = text


class Screen:
    """The terminal's alternate screen; each state is drawn anew, in the terminal's current size."""

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
        """Draw the state."""
        self._rows = rows(now, self._console.width, self._signs)
        self._draw(self._rows)

    def say(self, text: str) -> None:
        """Draw the text below the last state."""
        self._draw([*self._rows, ("", text)])

    def _draw(self, rows: Sequence[tuple[str, str]]) -> None:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=LABEL_COLUMNS - 1, style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for label, text in rows:
            grid.add_row(Text(label), Text(text))
        self._live.update(grid, refresh=True)


def summary(now: Now) -> str:
    """The state as a table of plain text, for one sample, and for the last state after the screen is gone."""
    signs = BARS if (sys.stdout.encoding or "").lower().startswith("utf") else PLAIN
    return table(rows(now, _COLUMNS, signs))


_COLUMNS = 80
