# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines made to fit a terminal."""

import re
import shutil
import sys
import textwrap

_LEAST_COLUMNS = 40


def fitted(text: str, columns: int | None = None) -> str:
    """`text`, whose lines are columns two or more spaces apart, with what is too long going on below its own column.

    Without `columns` they are those of the terminal; where the standard output is none, a line stays a line.
    """
    if columns is None:
        if not sys.stdout.isatty():
            return text
        columns = shutil.get_terminal_size().columns
    return "\n".join(_fitted_line(line, max(columns, _LEAST_COLUMNS)) for line in text.splitlines())


def _fitted_line(line: str, columns: int) -> str:
    if len(line) <= columns:
        return line
    gaps = [gap.end() for gap in re.finditer(r"\S {2,}|^ +", line)]
    start = max((gap for gap in gaps if gap <= columns // 2), default=0)
    rest = textwrap.wrap(line[start:], columns - start, break_on_hyphens=False)
    return line[:start] + f"\n{' ' * start}".join(rest)
