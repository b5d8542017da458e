# SPDX-License-Identifier: GPL-2.0-or-later
"""The interval of a figure that was printed rounded."""

import re

from ..basics.interval import Interval
from .log_numbers import between, from_0

UNITS = {"": 1, **{letter: 1 << 10 * power for power, letter in enumerate("KMGTPE", 1)}}
"""Binary units, by first letter."""

SEPARATED = r"\d+(?:[.,' ]\d{3})*(?:[.,]\d+)?"
"""A regular expression for a number as people write it: with thousands separators, and a point or comma before a
fraction.
"""
_WHOLE = re.compile(r"\d{1,3}(?:([.,' ])\d{3})(?:\1\d{3}){0,7}")
_FRACTIONAL = re.compile(r"(?P<whole>\d+|\d{1,3}(?:(?P<mark>[.,' ])\d{3}){1,8})(?P<point>[.,])(?P<digits>\d+)")


def whole_number(text: str) -> str | None:
    """The digits of a number without a fraction, whatever its thousands separator; None if it is no such number."""
    if text.isdecimal():
        return text
    return re.sub(r"\D", "", text) if _WHOLE.fullmatch(text) else None


def broken_number(text: str) -> str | None:
    """A number with a point before its fraction, even if written with a comma; None if it may mean several numbers."""
    if text.isdecimal():
        return text
    match = _FRACTIONAL.fullmatch(text)
    if match is None or match["mark"] == match["point"]:
        return None
    digits = re.sub(r"\D", "", match["whole"])
    return f"{digits}.{match['digits']}"


def cut(count: float, unit: int) -> Interval:
    """The interval of an amount that is shown truncated to `count` whole `unit`s."""
    return Interval(count * unit, (count + 1) * unit - 1)


def to_digits(number: float, digits: int, unit: float = 1) -> Interval:
    """The interval of an amount rounded to that many decimals of this unit."""
    half = 0.5 * 10.0**-digits
    return between(from_0(number - half) * unit, (number + half) * unit)


def to_three_digits(text: str, unit: int) -> Interval:
    """The interval of an amount printed with three significant digits, without trailing zeros (C's `%.3g`)."""
    value = float(text)
    if unit == 1 and value < 1000:
        return Interval(value, value)
    exponent = int(f"{value:e}".partition("e")[2])
    half = 0.5 * 10.0 ** (exponent - 2)
    return Interval((value - half) * unit, (value + half) * unit)


def whole(size: float) -> float:
    """The same number, as an integer if it is one."""
    return int(size) if float(size).is_integer() else size
