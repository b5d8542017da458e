# SPDX-License-Identifier: GPL-2.0-or-later
"""The first pass of a migration: it sends all of RAM, and is not judged.

QEMU up to 11.0 computes no expected-downtime before it knows a dirty rate. It computes the rate at a sync more than a
second after the first one (migration/ram.c: migration_bitmap_sync). If passes are shorter, the first is held back, so
that no further pass is lost for judging.
"""

import asyncio

from ..parameters.table import Parameters
from ..trace.events import FIRST_PASS
from .migration import Migration

_HELD_BYTES_PER_MS = 1.0
"""At this bandwidth a page is sent in each of QEMU's windows."""
_LEAST_S = 1.05
"""The least length of a first pass; QEMU ends it at the next window of 100 ms."""


async def hold_first_pass(migration: Migration, ready: asyncio.Task[None]) -> None:
    """Start the migration, and hold back its first pass as long as necessary.

    That is until the pass will last long enough, and until the guest is `ready`. A guest that dirties its whole region
    in each pass need not be waited for earlier. Raises what `ready` does.
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
    """Until when to hold it back, in seconds from its start; 0 or less means not at all."""
    bytes_per_s = min(parameters.bytes_per_s, link_bytes_per_s)
    unsent_bytes = min(parameters.region, bytes_per_s * parameters.downtime_limit / 1000)
    return _LEAST_S - (parameters.region - unsent_bytes) / bytes_per_s
