# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's precopy, predicted: which passes follow, and whether a downtime-limit ends them.

QEMU sends until what is left fits downtime-limit × bandwidth, looks then what the guest has dirtied (the sync), and
stops the guest if all that is pending still fits; else the next pass begins (migration/migration.c:
migration_iteration_run; up to 7.2 the sync is in migration/ram.c: ram_save_pending). It looks between two bursts of
sending, so a pass lasts one window of its rate limit at least. A larger limit ends the passes earlier, they are
shorter, and the guest dirties less in them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import fsum

from ..basics.qemu_constants import BUFFER_DELAY_MS

Pending = Callable[[float, float], float]
"""What a sync finds, bytes: of the ms since the sync before, and of the bytes still unsent."""

MAX_PASSES = 1000
SETTLED_BYTES = 4096
"""Passes that shrink by less than this each, a page, have settled."""


@dataclass(frozen=True)
class PredictedPass:
    """One pass: what was pending at the sync that began it, how long it lasts, what it leaves unsent."""

    at_sync_bytes: float
    duration_ms: float
    unsent_bytes: float


@dataclass(frozen=True)
class Course:
    """The passes until the migration converges or is seen never to.

    `left_bytes` is what the last sync finds: what is sent while the guest is stopped, if `converges`.
    """

    passes: tuple[PredictedPass, ...]
    converges: bool
    left_bytes: float

    @property
    def duration_ms(self) -> float:
        """The time of all passes together."""
        return fsum(pass_.duration_ms for pass_ in self.passes)


def predict(
    pending: Pending, bytes_per_ms: float, begin_bytes: float, limit_ms: float, threshold_bytes_per_ms: float = 0.0
) -> Course:
    """The course that a precopy takes from a sync that found `begin_bytes`, under a downtime-limit.

    `bytes_per_ms` is what is sent; QEMU multiplies the limit by `threshold_bytes_per_ms` where that differs. For a
    `pending` that does not fall with time the passes grow or shrink steadily, so one that does not shrink tells that
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
