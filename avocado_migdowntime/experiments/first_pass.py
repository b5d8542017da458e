# SPDX-License-Identifier: GPL-2.0-or-later
"""The first pass of a migration: it sends all of RAM, and is not judged.

QEMU up to 11.0 computes no expected-downtime before it knows a dirty rate. It computes the rate at a sync more than a
second after the first one (migration/ram.c: migration_bitmap_sync). If passes are shorter, the first is held back, so
that no further pass is lost for judging.

On hugepages, the second pass shows what it left unsent only if it sends few other pages than the guest dirties (see
oracle/other_pages.py). So the first pass has the least limit, and leaves hardly a page for the second.
"""

import asyncio

from ..errors import HarnessError
from ..parameters.table import Parameters
from ..trace.events import FIRST_PASS
from ..trace.sample import Sample
from .aimed_limit import set_limit
from .migration import Migration

_HELD_BYTES_PER_MS = 1.0
"""At this bandwidth a page is sent in each of QEMU's windows."""
_LEAST_S = 1.05
"""The least length of a first pass; QEMU ends it at the next window of 100 ms."""
_LEAST_LIMIT_MS = 1
_SMALL_PAGE = 4096
_TOO_SLOW = (
    "the migration ended before the guest had dirtied its region once, so slow is this guest; make `region` smaller, "
    "or use another `accel`"
)


async def hold_first_pass(migration: Migration, ready: asyncio.Task[None]) -> None:
    """Start the migration, and hold back its first pass as long as necessary; then `end_first_pass`.

    That is until the pass will last long enough, and until the guest is `ready`. A guest that dirties its whole region
    in each pass need not be waited for earlier. Raises what `ready` does; HarnessError if the migration ends before it.
    """
    parameters = migration.parameters
    until_s = _until_s(parameters, migration.pair.link.bytes_per_s)
    is_held = until_s > 0 or not ready.done()
    if is_held:
        await migration.send_at(_HELD_BYTES_PER_MS, FIRST_PASS)
        if not await migration.follow(
            lambda sample: ready.done() and (sample.t_s >= until_s or ready.exception() is not None)
        ):
            if not ready.done():
                raise HarnessError(_TOO_SLOW)
            return
    await ready
    if _leaves_nothing(parameters) and (is_held or await migration.follow(lambda _: True)):
        await set_limit(migration, _LEAST_LIMIT_MS)
    if is_held:
        await migration.send_at(parameters.bytes_per_s / 1000, FIRST_PASS)


async def end_first_pass(migration: Migration) -> None:
    """Wait for the end of a first pass that has another limit than the others, and set theirs."""
    if _leaves_nothing(migration.parameters) and await migration.follow(_is_later):
        await set_limit(migration, migration.parameters.downtime_limit)


def _leaves_nothing(parameters: Parameters) -> bool:
    is_own_guest_on_hugepages = parameters.guest == "dirtier" and parameters.page_size > _SMALL_PAGE
    return is_own_guest_on_hugepages and parameters.downtime_limit > _LEAST_LIMIT_MS


def _is_later(sample: Sample) -> bool:
    return sample.ram is not None and sample.ram.dirty_sync_count > 1


def _until_s(parameters: Parameters, link_bytes_per_s: float) -> float:
    """Until when to hold it back, in seconds from its start; 0 or less means not at all."""
    bytes_per_s = min(parameters.bytes_per_s, link_bytes_per_s)
    unsent_bytes = min(parameters.region, bytes_per_s * parameters.downtime_limit / 1000)
    return _LEAST_S - (parameters.region - unsent_bytes) / bytes_per_s
