# SPDX-License-Identifier: GPL-2.0-or-later
"""Records the CPU time that both QEMUs use during a migration."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from ..qemu.pair import Pair, Side
from ..record.own_migration import OwnMigrationSampler
from ..trace.events import CPU
from .looking import looking

_LOOK_S = 0.25


@asynccontextmanager
async def cpu_recorded(pair: Pair, sampler: OwnMigrationSampler) -> AsyncIterator[None]:
    """Note the CPU time that each QEMU has used, four times a second and at both ends of the block.

    Raises HarnessError if another host does not answer.
    """
    vcpus: dict[str, Sequence[int]] = {}
    for side in pair.sides:
        vcpus[side.qemu.name] = sorted({cpu["thread-id"] for cpu in await side.qemu.execute("query-cpus-fast")})

    async def look(sides: Sequence[Side]) -> None:
        seconds = {side.qemu.name: await side.place.cpu_seconds(side.qemu, vcpus[side.qemu.name]) for side in sides}
        sampler.note(CPU, seconds)

    async with AsyncExitStack() as stack:
        for place in dict.fromkeys(side.place for side in pair.sides):
            # Each host separately: a distant one answers late.
            there = [side for side in pair.sides if side.place is place]
            await stack.enter_async_context(looking(partial(look, there), _LOOK_S))
        yield
