# SPDX-License-Identifier: GPL-2.0-or-later
"""Records what is sent over a link that the migration has to itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from ..host.sent_counters import sent_counters
from ..qemu.pair import Pair
from ..record.own_migration import OwnMigrationSampler
from ..trace.events import CARRIED
from .looking import looking

_LOOK_S = 0.1


@asynccontextmanager
async def link_recorded(pair: Pair, sampler: OwnMigrationSampler) -> AsyncIterator[None]:
    """Note what has left the source's network, ten times a second and at both ends of the block.

    Only if nothing but the migration uses it.
    """
    if pair.link.header["link"] != "shaped":
        yield
        return

    async def look() -> None:
        if (counters := sent_counters(pair.source.pid)) is not None:
            sampler.note(CARRIED, asdict(counters))

    async with looking(look, _LOOK_S):
        yield
