# SPDX-License-Identifier: GPL-2.0-or-later
"""Sizes as QEMU and people write them: in 4K, 2M, 1G the units are powers of 1024."""

import re

from ..errors import UsageError
from .printable import quoted

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
_FACTORS = {"": 1, "K": KIB, "M": MIB, "G": GIB}


def parse_size(text: str) -> int:
    """The bytes in ``text``: a whole number, alone or followed by K, M or G.

    Raises UsageError for anything else.
    """
    match = re.fullmatch(r"([0-9]{1,19})\s*([KMG]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        raise UsageError(f"{quoted(text)} is not a size; write a whole number followed by K, M or G, such as 64M")
    return int(match[1]) * _FACTORS[match[2].upper()]


def parse_rate(text: str) -> int:
    """The bytes per second in ``text``: a number, alone or followed by K, M or G.

    Raises UsageError for anything else.
    """
    match = re.fullmatch(r"([0-9]{1,19}(?:\.[0-9]{1,19})?)\s*([KMG]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        raise UsageError(f"{quoted(text)} is not a rate; write bytes per second, such as 12500000 or 47.7M")
    return round(float(match[1]) * _FACTORS[match[2].upper()])


def parse_number(text: str, *, whole: bool = False) -> float:
    """The number, perhaps a whole one, in ``text`` in ASCII digits; raises ValueError for anything else.

    Python's own reading takes 0_1 for 1 as well.
    """
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return int(text) if whole else float(text)


def format_size(size_bytes: int) -> str:
    """``size_bytes`` in the largest unit that divides it: 2097152 is ``2M``."""
    for suffix, factor in (("G", GIB), ("M", MIB), ("K", KIB)):
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor}{suffix}"
    return str(size_bytes)


def rate_in_words(bytes_per_ms: float) -> str:
    """A bandwidth in words, in decimal units."""
    is_small = 0 < bytes_per_ms < 100
    return f"{bytes_per_ms:.1f} kB/s" if is_small else f"{bytes_per_ms / 1000:.1f} MB/s"
