# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU with a fault was judged: what was expected of that, and what came."""

from dataclasses import dataclass

from .catalogue import NamedFault


@dataclass(frozen=True)
class FaultRun:
    """A fault, the outcome that it must have and the one that it had, and whether the fault was `found` by that.

    `seconds` is how long all `attempts` took together.
    """

    fault: NamedFault
    expected: str
    outcome: str
    found: bool
    attempts: int
    seconds: float
