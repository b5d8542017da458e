# SPDX-License-Identifier: GPL-2.0-or-later
"""Parses the text of a parameter, by kind of value; a UsageError says what was expected."""

import shlex
from collections.abc import Callable
from typing import Any

from ..basics.printable import quoted
from ..basics.units import GIB, format_size, parse_number, parse_rate, parse_size
from ..errors import UsageError
from .capabilities import check_together
from .host_address import parse_host

LINK_RATES = (1_250_000, 1_250_000_000)
"""Bytes per second: from 10 Mbit/s, below which a short measurement is too inaccurate, to 10 Gbit/s."""

GREATEST_SIZE = GIB << 20
"""Bytes: a PiB is more than any host or link has; a figure far above it would not fit QEMU's 64 bits."""


def text(value: str) -> str | None:
    """Any text; None if empty."""
    return value or None


def host(value: str) -> str | None:
    """[USER@]HOST[:PORT], or None if empty."""
    if value:
        parse_host(value)
    return value or None


def positive_size(value: str) -> int:
    """Bytes, from 1 to GREATEST_SIZE."""
    if 0 < (size := parse_size(value)) <= GREATEST_SIZE:
        return size
    raise UsageError(
        f"{quoted(value)} is not a usable size; give one above 0 and up to {format_size(GREATEST_SIZE)}, such as 64M"
    )


def size_if_any(value: str) -> int | None:
    """The same, or None if empty."""
    return positive_size(value) if value else None


def link_rate(value: str) -> int:
    """Bytes per second allowed for a shaped link."""
    low, high = LINK_RATES
    if low <= (rate := parse_rate(value)) <= high:
        return rate
    raise UsageError(f"{quoted(value)} is not a rate from {low} to {high} bytes per second")


def number(low: float, high: float, whole: bool) -> Callable[[str], Any]:
    """A parser of numbers from `low` to `high`."""
    kind = "a whole number" if whole else "a number"

    def parse(value: str) -> float:
        try:
            figure = parse_number(value, whole=whole)
        except ValueError:
            figure = None
        if figure is None or not low <= figure <= high:
            raise UsageError(f"{quoted(value)} is not {kind} from {low} to {high}")
        return figure

    return parse


def choice(*allowed: str) -> Callable[[str], str]:
    """A parser that accepts one of `allowed`."""

    def parse(value: str) -> str:
        if value not in allowed:
            raise UsageError(f"{quoted(value)} is not one of {', '.join(allowed)}")
        return value

    return parse


def flag(value: str) -> bool:
    """Yes or no, as YAML and people write it."""
    meanings = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}
    if value.lower() not in meanings:
        raise UsageError(f"{quoted(value)} is neither yes nor no")
    return meanings[value.lower()]


def burst(value: str) -> tuple[int, int] | None:
    """WRITE/REST in ms, or None if empty."""
    if not value:
        return None
    write_ms, slash, rest_ms = value.partition("/")
    if not (slash and _is_phase(write_ms) and _is_phase(rest_ms) and int(write_ms)):
        raise UsageError(f"{quoted(value)} is not WRITE/REST in ms with WRITE above 0, such as 200/800")
    return int(write_ms), int(rest_ms)


def _is_phase(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= 3_600_000


def words(value: str) -> tuple[str, ...]:
    """Words, split as a shell splits a line."""
    try:
        return tuple(shlex.split(value))
    except ValueError as error:
        raise UsageError(f"{quoted(value)} cannot be split into words ({error}); quote it as for a shell") from None


def capabilities(value: str) -> tuple[str, ...]:
    """Names of capabilities that can be combined."""
    names = tuple(value.replace(",", " ").split())
    check_together(names)
    return names
