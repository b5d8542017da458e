# SPDX-License-Identifier: GPL-2.0-or-later
"""Which faults were found, for people and programs."""

from collections.abc import Sequence
from typing import Any

from ..experiments.selftest import Tried


def line(one: Tried) -> str:
    """One fault and what came of it, in a line."""
    word = "found" if one.found else "MISSED"
    again = f", at attempt {one.attempts}" if one.attempts > 1 else ""
    due = "" if one.found else f"; expected: {one.expected}"
    return f"{word:<6}  {one.fault!s:<25} {one.seconds:4.1f} s  {one.came}{again}{due}"


def summary(done: Sequence[Tried]) -> str:
    """How many of the faults were found, in a line."""
    seconds = sum(one.seconds for one in done)
    return f"{sum(one.found for one in done)} of {len(done)} came out as they should, in {seconds:.0f} s"


def fields(done: Sequence[Tried]) -> dict[str, Any]:
    """All of it as plain JSON values."""
    return {
        "found": sum(one.found for one in done),
        "tried": [
            {
                "fault": str(one.fault),
                "what": one.fault.kind.sentence,
                "expected": one.expected,
                "came": one.came,
                "found": one.found,
                "attempts": one.attempts,
                "seconds": round(one.seconds, 1),
            }
            for one in done
        ],
    }
