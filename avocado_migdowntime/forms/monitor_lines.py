# SPDX-License-Identifier: GPL-2.0-or-later
"""A line of `info migrate` with one figure, as the monitor prints it or as people retype it."""

import re
from collections.abc import Mapping
from typing import Any

from ..basics.interval import Interval
from .heads import REMARK
from .monitor_names import KBYTES, LINES, MBPS, MS, PAGES
from .rounding import SEPARATED, broken_number, cut, to_digits, whole, whole_number

Figures = Mapping[str, tuple[Any, Interval | None]]
"""A line's figures in QMP's spelling, each with the interval that rounding allows."""
_NAMED = re.compile(rf"([A-Za-z][\w -]*?)\s*:\s*(-?{SEPARATED}|-?nan)\s*([a-zA-Z]*(?:/s)?)\s*(?:$|{REMARK})")
_MISREAD = re.compile(r"([A-Za-z][\w -]*?)\s*:\s*((?=\S*\d)(?=\S*[OoIl|SB])[\dOoIl|SB.,]{2,20})(?:\s+[a-zA-Z]+)?")
"""Where an image was read, letters may stand for digits."""
_FRACTIONS = frozenset(
    (
        *("ram.mbps", "xbzrle-cache.cache-miss-rate", "xbzrle-cache.encoding-rate"),
        *("compression.busy-rate", "compression.compression-rate"),
    )
)
"""The figures that QEMU prints with a fraction."""
OF_JOBS = frozenset(("expected downtime", "downtime", "page size"))
"""Names that libvirt also uses for figures of a job, except for capitals."""
_AS_PRINTED = {**dict.fromkeys(("kbytes", "KB", "kB", "KiB", "kb"), KBYTES), **dict.fromkeys(("ms", "msec"), MS)}
_SIZES = {"MiB": (1 << 20,) * 2, "GiB": (1 << 30,) * 2, "TiB": (1 << 40,) * 2}
_SIZES |= {"MB": (10**6, 1 << 20), "GB": (10**9, 1 << 30), "TB": (10**12, 1 << 40)}
"""The least and the most bytes of a unit: some people use decimal units for binary ones."""
_TIMES = dict.fromkeys(("s", "sec", "secs", "seconds"), 1000.0)
_RATES = {**dict.fromkeys(("Mbit/s", "Mb/s"), 1.0), **dict.fromkeys(("Gbps", "gbps", "Gbit/s", "Gb/s"), 1000.0)}


def figure_in(text: str, within: bool) -> Figures | None:
    """The figure of a line that names one; None if it names none, empty if its value cannot be used.

    `within` an output of the monitor, a name may be capitalised even if that makes it one of libvirt's.
    """
    match = _NAMED.match(text)
    if match is None:
        return None
    name = match[1].lower().replace("_", " ")
    entry = LINES.get(match[1]) or (LINES.get(name) if within or name not in OF_JOBS else None)
    if entry is None:
        return None
    figure = _figure(*entry, match[2], match[3])
    return {} if figure is None else {entry[0]: figure}


def misread_in(text: str) -> str:
    """What a line names a figure of which a digit was taken for a letter, and that; nothing where it is no such."""
    match = _MISREAD.fullmatch(text)
    return f"{match[1]} {match[2]}" if match and match[1].lower() in LINES else ""


def with_fraction(number: str) -> tuple[float, Interval | None]:
    """A number rounded to its last digit, and its interval."""
    return float(number), to_digits(float(number), len(number.partition(".")[2]))


def _figure(name: str, units: tuple[str, ...], text: str, unit: str) -> tuple[Any, Interval | None] | None:
    if text.endswith("nan") or (text.startswith("-") and name != "ram.remaining"):
        return None
    sign, text = text[: text.startswith("-")], text.removeprefix("-")
    is_printed = unit in units or unit.lower() in units or _AS_PRINTED.get(unit) == units
    if not is_printed:
        return _otherwise(name, units, text, unit) if not sign else None
    if name in _FRACTIONS:
        fraction = broken_number(text)
        return None if fraction is None else with_fraction(fraction)
    digits = whole_number(text)
    if digits is None:
        return None
    number = int(f"{sign}{digits}")
    if units == KBYTES:
        size = number << 10
        return size, Interval(size, size) if name == "ram.page-size" else cut(number, 1 << 10)
    return number, None


def _otherwise(name: str, units: tuple[str, ...], text: str, unit: str) -> tuple[Any, Interval | None] | None:
    """A figure in another unit than the monitor's."""
    number = broken_number(text)
    least: float | None = None
    most: float | None = None
    if units == KBYTES and unit in _SIZES and name != "ram.page-size":
        least, most = _SIZES[unit]
    elif units == KBYTES and unit == "bytes":
        return (int(digits), None) if (digits := whole_number(text)) else None
    elif units == MS and unit in _TIMES:
        if name != "total-time" and len((number or "").partition(".")[2]) < 3:
            return None  # QEMU's report is compared to the millisecond.
        least = most = _TIMES[unit]
    elif units == MBPS and unit in _RATES:
        least = most = _RATES[unit]
    elif units == PAGES and unit == "pages/s" and (digits := whole_number(text)):
        return int(digits), None
    if number is None or least is None or most is None:
        return None
    value, rounded = with_fraction(number)
    assert rounded is not None
    interval = Interval(rounded.low * least, rounded.high * most)
    return whole(value * most if least == most else interval.middle), interval
