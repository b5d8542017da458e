# SPDX-License-Identifier: GPL-2.0-or-later
"""Which faults were found, for people and programs."""

from collections.abc import Sequence
from typing import Any

from ..basics.printable import in_a_line
from ..faults.fault_run import FaultRun


def line(run: FaultRun) -> str:
    """One fault and its result, in a line."""
    word = "found" if run.found else "MISSED"
    again = f", at attempt {run.attempts}" if run.attempts > 1 else ""
    due = "" if run.found else f"; expected: {run.expected}"
    return in_a_line(f"{word:<6}  {run.fault!s:<25} {run.seconds:4.1f} s  {run.outcome}{again}{due}")


def summary(runs: Sequence[FaultRun]) -> str:
    """How many of the faults were found, in a line."""
    seconds = sum(run.seconds for run in runs)
    return f"{sum(run.found for run in runs)} of {len(runs)} came out as expected, in {seconds:.0f} s"


def fields(runs: Sequence[FaultRun]) -> dict[str, Any]:
    """All of it as plain JSON values."""
    return {
        "found": sum(run.found for run in runs),
        "tried": [
            {
                "fault": str(run.fault),
                "what": run.fault.kind.sentence,
                "expected": run.expected,
                "came": run.outcome,
                "found": run.found,
                "attempts": run.attempts,
                "seconds": round(run.seconds, 1),
            }
            for run in runs
        ],
    }
