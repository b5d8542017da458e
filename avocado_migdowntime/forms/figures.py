# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures as logs print them, rounded, and what they may have been."""

import re
from collections.abc import Mapping
from typing import Any

from ..basics.interval import Interval
from ..trace.reading import Reading, Stamp

MIB = 1 << 20
BITS, MEGABIT = 8, 1_000_000
SIZE = r"\d+(?:\.\d+)?(?: ?(?:[KMGTP]i?)?B)?"
"""A size with its unit, as a regular expression without groups; without a unit it is in bytes."""
_BROKEN = ("mbps", "total-time")
"""The figures that may have digits after the point; all others are whole numbers with QEMU."""
_SIZE = re.compile(r"(?P<number>\d+(?:\.(?P<digits>\d+))?)(?: ?(?P<unit>[KMGTP]?)i?B)?")


def size_of(text: str) -> float | Interval:
    """The bytes that `text` tells, which matches `SIZE`: exactly where it is a whole number of them, else rounded.

    KB is as much as KiB: so do those write it that are read here.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no size")
    number, digits, unit = float(match["number"]), match["digits"] or "", match["unit"] or ""
    factor = 1 << 10 * (" KMGTP".index(unit) if unit else 0)
    if factor == 1 and not digits.strip("0"):
        return number
    half = 0.5 * 10.0 ** -len(digits)
    return Interval(max(0.0, number - half) * factor, (number + half) * factor)


def cut_off(shown: float, unit: float = 1) -> Interval:
    """What a figure may have been of which whole `unit`s are `shown`, and the rest is not."""
    return Interval(shown * unit, (shown + 1) * unit)


def scaled(figure: float | Interval, factor: float) -> float | Interval:
    """The figure in another unit."""
    return figure.scaled(factor) if isinstance(figure, Interval) else figure * factor


def reading(
    status: str,
    figures: Mapping[str, float | Interval | None],
    stamp: Stamp | None,
    of: str = "",
    derived: Mapping[str, str] | None = None,
    estimated: Mapping[str, str] | None = None,
) -> Reading:
    """What the `figures` of one line make, by QMP's names, with a part's name and a point before those of a part.

    Where one is an interval, the reading's `rounding` has it and the answer its middle, or 0 where that is what was
    shown. None is left out.
    """
    answer: dict[str, Any] = {"status": status}
    rounding: dict[str, Interval] = {}
    for name, figure in figures.items():
        if figure is None:
            continue
        part, _, field = name.rpartition(".")
        place = answer.setdefault(part, {}) if part else answer
        if isinstance(figure, Interval):
            rounding[name] = figure
            figure = figure.middle if figure.low else 0
        place[field] = figure if field in _BROKEN and figure != int(figure) else round(figure)
    return Reading(answer, stamp, rounding, derived or {}, estimated or {}, of)
