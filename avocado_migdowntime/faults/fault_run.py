# SPDX-License-Identifier: GPL-2.0-or-later
"""The result of judging a QEMU with a fault."""

from dataclasses import dataclass

from .catalogue import NamedFault


@dataclass(frozen=True)
class FaultRun:
    """A fault, its expected outcome, its actual outcome, and whether that `found` the fault.

    `seconds` is the time of all `attempts` together.
    """

    fault: NamedFault
    expected: str
    outcome: str
    found: bool
    attempts: int
    seconds: float
