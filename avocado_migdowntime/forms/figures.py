# SPDX-License-Identifier: GPL-2.0-or-later
"""Rounded figures, as logs print them, and their intervals."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..basics.interval import Interval
from ..trace.reading import Reading, Stamp
from ..trace.samples import Floats
from .log_numbers import Numbers, Span, Statement, between
from .monitor_text import nested
from .pace import WHY
from .rounding import UNITS, to_digits, whole

BITS, MEGABIT = 8, 1_000_000
NUMBER = r"\d{1,20}"
"""A regular expression for a whole number: no counter of QEMU has more digits."""
SIZE = rf"{NUMBER}(?:\.\d{{1,9}})?(?: ?(?:[KMGTP]i?)?B)?"
"""A regular expression for a size with its unit, without groups; without a unit, the size is in bytes."""
_FRACTIONAL = ("mbps", "total-time")
"""Figures that may have a fraction; all others are whole numbers in QEMU."""
_SIZE = re.compile(r"(?P<number>\d+(?:\.(?P<digits>\d+))?)(?: ?(?P<unit>[KMGTP]?)i?B)?")


def size_of(text: str) -> float | Interval:
    """The bytes of `text`, which matches `SIZE`: exact if it is a whole number of bytes, else an interval.

    KB means KiB here: the programs whose texts are read write it that way.
    """
    size: float | Interval = size_in(Numbers(text), (0, len(text)))
    return size


def size_in(numbers: Numbers, span: Span) -> Any:
    """The same for the size at `span`, in one line or in many."""
    match = _SIZE.fullmatch(numbers.text, *span)
    if match is None:
        raise ValueError(f"{numbers.text[slice(*span)]!r} is no size")
    digits, factor = match["digits"] or "", UNITS[match["unit"] or ""]
    if factor == 1 and not digits:
        return numbers[match.span("number")]
    if factor == 1 and not numbers.words(match.span("digits")).strip("0"):
        return float(numbers.words(match.span("number")))
    return to_digits(numbers[match.span("number")], len(digits), factor)


def cut_off(count: float, unit: float = 1) -> Interval:
    """The interval of a figure, possibly fractional, of which `count` whole `unit`s are shown."""
    return between(count * unit, (count + 1) * unit)


def scaled(figure: float | Interval, factor: float) -> float | Interval:
    """The figure in another unit."""
    return figure.scaled(factor) if isinstance(figure, Interval) else figure * factor


def reading(
    status: str,
    figures: Mapping[str, float | Interval | str | None],
    stamp: Stamp | None,
    of: str = "",
    derived: Mapping[str, str] | None = None,
    estimated: Mapping[str, str] | None = None,
    arrived_s: float | None = None,
) -> Reading:
    """The reading of one line's `figures`, by QMP's names; those of a part have the part's name and a dot before them.

    For an interval, the reading's `rounding` has the interval, and the answer has its middle; for a time, or a figure
    shown as 0, it has the low end. Texts are kept, None is left out.
    """
    answer: dict[str, Any] = {"status": status}
    rounding: dict[str, Interval] = {}
    for name, figure in figures.items():
        if isinstance(figure, Interval):
            rounding[name] = figure
            figure = figure.low if name == "total-time" or not figure.low else figure.middle
        if isinstance(figure, str):
            answer[name] = figure
        elif figure is not None:
            answer[name] = whole(figure) if name.endswith(_FRACTIONAL) else round(figure)
    return Reading(nested(answer), stamp, rounding, derived or {}, estimated or {}, of, arrived_s)


def reading_of(
    statement: Statement, stamp: Stamp | None, mbps: Interval | None = None, arrived_s: float | None = None
) -> Reading:
    """The reading of a line; `mbps` is the computed bandwidth if the line shows none."""
    figures, estimated = statement.figures, statement.estimated
    if statement.pace is not None:
        figures = {**figures, "ram.mbps": mbps}
    if mbps is not None:
        estimated = {**estimated, "ram.mbps": WHY}
    return reading(statement.status, figures, stamp, statement.of, statement.derived, estimated, arrived_s)


def column(name: str, figure: Any) -> Floats | float:
    """A figure of many lines as a column of answers; computed as `reading` does for one line."""
    if isinstance(figure, Interval):
        figure = figure.low if name == "total-time" else np.where(figure.low == 0, figure.low, figure.middle)
    answers: Floats | float = figure if name.endswith(_FRACTIONAL) else np.rint(figure)
    return answers
