# SPDX-License-Identifier: GPL-2.0-or-later
"""The bounds of the error of a QEMU figure that is not known more precisely."""

from ..basics.interval import Interval

NARROW = Interval(-0.25, 0.25)
"""With a wider interval, half of the right figure could not be told from all of it."""


def between(error: Interval | None) -> str:
    """The error's interval, in words; empty if not known."""
    return f"between {error.low:+z.2%} and {error.high:+z.2%}" if error is not None else ""
