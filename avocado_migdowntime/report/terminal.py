# SPDX-License-Identifier: GPL-2.0-or-later
"""Fits lines to a terminal."""

import re
import shutil
import sys
import textwrap

_LEAST_COLUMNS = 40


def terminal_columns() -> int | None:
    """The terminal's width; None if standard output is no terminal, so that programs get whole lines."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def fitted(text: str, columns: int | None = None) -> str:
    """`text`, with every line that is too long wrapped below its own column. Columns are two or more spaces apart.

    Without `columns`, the terminal's width counts; if standard output is no terminal, lines are not wrapped.
    """
    columns = columns or terminal_columns()
    if columns is None:
        return text
    return "\n".join(_fitted_line(line, max(columns, _LEAST_COLUMNS)) for line in text.splitlines())


def _fitted_line(line: str, columns: int) -> str:
    if len(line) <= columns:
        return line
    gaps = [gap.end() for gap in re.finditer(r"\S {2,}|^ +", line)]
    start = max((gap for gap in gaps if gap <= columns // 2), default=0)
    rest = textwrap.wrap(line[start:], columns - start, break_on_hyphens=False)
    return line[:start] + f"\n{' ' * start}".join(rest)
