# SPDX-License-Identifier: GPL-2.0-or-later
"""A model of QEMU's precopy: which passes follow, and whether a downtime-limit ends them.

QEMU sends until what is left fits downtime-limit × bandwidth. Then it checks what the guest has dirtied (the dirty
sync), and stops the guest if all that is pending still fits; otherwise the next pass begins (migration/migration.c:
migration_iteration_run; up to 7.2 the sync is in migration/ram.c: ram_save_pending). It checks between two bursts of
sending, so a pass lasts at least one window of its rate limit. A larger limit ends passes earlier, so they are shorter,
and the guest dirties less in them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import fsum

from ..basics.qemu_constants import BUFFER_DELAY_MS

Pending = Callable[[float, float], float]
"""What a sync finds in bytes, given the ms since the previous sync and the bytes still unsent."""

MAX_PASSES = 1000
SETTLED_BYTES = 4096
"""Passes that each shrink by less than this (a page) have settled."""


@dataclass(frozen=True)
class PredictedPass:
    """One pass: the bytes pending at the sync that began it, its duration, and the bytes it leaves unsent."""

    at_sync_bytes: float
    duration_ms: float
    unsent_bytes: float


@dataclass(frozen=True)
class Course:
    """The passes until the migration converges, or is seen never to.

    `left_bytes` is what the last sync finds; if `converges`, it is sent while the guest is stopped.
    """

    passes: tuple[PredictedPass, ...]
    converges: bool
    left_bytes: float

    @property
    def duration_ms(self) -> float:
        """The total duration of all passes."""
        return fsum(pass_.duration_ms for pass_ in self.passes)


def predict(
    pending: Pending, bytes_per_ms: float, begin_bytes: float, limit_ms: float, threshold_bytes_per_ms: float = 0.0
) -> Course:
    """The course of a precopy under a downtime-limit, from a sync that found `begin_bytes`.

    `bytes_per_ms` is the sending rate; QEMU multiplies the limit by `threshold_bytes_per_ms` if that differs. If
    `pending` does not fall with time, passes grow or shrink monotonically; so one pass that does not shrink shows that
    the migration never converges.
    """
    threshold = limit_ms * (threshold_bytes_per_ms or bytes_per_ms)
    passes: list[PredictedPass] = []
    at_sync = begin_bytes
    while at_sync and at_sync >= threshold:
        duration_ms = max((at_sync - threshold) / bytes_per_ms, BUFFER_DELAY_MS)
        unsent = max(0.0, at_sync - duration_ms * bytes_per_ms)
        passes.append(PredictedPass(at_sync, duration_ms, unsent))
        next_bytes = pending(duration_ms, unsent)
        settled = next_bytes > at_sync - SETTLED_BYTES or len(passes) == MAX_PASSES
        if next_bytes and next_bytes >= threshold and settled:
            return Course(tuple(passes), False, next_bytes)
        at_sync = next_bytes
    return Course(tuple(passes), True, at_sync)
