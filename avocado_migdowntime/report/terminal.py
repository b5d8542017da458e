# SPDX-License-Identifier: GPL-2.0-or-later
"""Fitting lines to a terminal."""

import re
import shutil
import sys
import textwrap

_LEAST_COLUMNS = 40


def terminal_columns() -> int | None:
    """How wide the terminal is; None where the standard output is none, so that programs get whole lines."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def fitted(text: str, columns: int | None = None) -> str:
    """`text`, whose lines are columns two or more spaces apart, with what is too long going on below its own column.

    Without `columns` they are those of the terminal; where the standard output is none, a line stays a line.
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
