# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws figures as a line of characters of different heights."""

from collections.abc import Sequence

BARS, PLAIN = "▁▂▃▄▅▆▇█", "_.-=+*#@"
"""The eight heights, for a terminal that has these characters and for one limited to ASCII."""


def sparkline(figures: Sequence[float | None], columns: int, signs: str = BARS) -> str:
    """The last `columns` of `figures`, scaled from 0 to the greatest of them; a blank for None."""
    last_figures = figures[-columns:] if columns > 0 else ()
    greatest = max((figure for figure in last_figures if figure is not None), default=0)
    return "".join(" " if figure is None else signs[_height(figure, greatest, len(signs))] for figure in last_figures)


def _height(figure: float, greatest: float, heights: int) -> int:
    return min(int(figure / greatest * heights), heights - 1) if greatest > 0 else 0
