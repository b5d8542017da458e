# SPDX-License-Identifier: GPL-2.0-or-later
"""Between which bounds a figure of QEMU's is off, where it is not known more closely."""

from ..basics.interval import Interval

NARROW = Interval(-0.25, 0.25)
"""Where the error may be larger, half of what should be told might not be told from all of it."""


def between(error: Interval | None) -> str:
    """What the error may be, in words; empty where that is not known."""
    return f"between {error.low:+.2%} and {error.high:+.2%}" if error is not None else ""
