# SPDX-License-Identifier: GPL-2.0-or-later
"""The first pass of a migration: all of RAM is sent, and nobody judges it.

QEMU up to 11.0 computes no expected-downtime before it knows a dirty rate, and it makes that of what was dirtied until
a sync that comes more than a second after the first one (migration/ram.c: migration_bitmap_sync). Where passes are
shorter, the first is held back, lest another one goes by that cannot be judged.
"""

import asyncio

from ..parameters.table import Parameters
from ..trace.events import FIRST_PASS
from .migration import Migration

_HELD_BYTES_PER_MS = 1.0
"""At this bandwidth a page leaves in each of QEMU's windows."""
_LEAST_S = 1.05
"""So long a first pass has to last; QEMU ends it at the next of its windows of 100 ms."""


async def hold_first_pass(migration: Migration, ready: asyncio.Task[None]) -> None:
    """Begin the migration, and hold its first pass back as long as needs be.

    That is until it will last long enough, and until its guest is `ready`: one that dirties all its region again in
    each pass need not be waited for before. Raises what `ready` does.
    """
    until_s = _until_s(migration.parameters, migration.pair.link.bytes_per_s)
    if until_s <= 0 and ready.done():
        await ready
        return
    await migration.send_at(_HELD_BYTES_PER_MS, FIRST_PASS)
    if await migration.follow(lambda sample: ready.done() and (sample.t_s >= until_s or ready.exception() is not None)):
        await ready
        await migration.send_at(migration.parameters.bytes_per_s / 1000, FIRST_PASS)


def _until_s(parameters: Parameters, link_bytes_per_s: float) -> float:
    """Until when it is to be held back, in seconds from its begin; not at all where that is 0 or less."""
    bytes_per_s = min(parameters.bytes_per_s, link_bytes_per_s)
    unsent_bytes = min(parameters.region, bytes_per_s * parameters.downtime_limit / 1000)
    return _LEAST_S - (parameters.region - unsent_bytes) / bytes_per_s
