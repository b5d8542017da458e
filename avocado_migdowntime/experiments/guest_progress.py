# SPDX-License-Identifier: GPL-2.0-or-later
"""Records how far the guest gets with its writes during a migration."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from ..errors import HarnessError
from ..qemu.guest_ram import GuestRam, telemetry
from ..qemu.pair import Pair
from ..record.own_migration import OwnMigrationSampler
from ..trace.events import GUEST_PROGRESS
from .looking import looking

_LOOK_S = 0.25


@asynccontextmanager
async def progress_recorded(
    pair: Pair, rams: Sequence[GuestRam], address: int, sampler: OwnMigrationSampler
) -> AsyncIterator[None]:
    """Note how many pages the guest has written, four times a second and at both ends of the block.

    `rams` are those of both sides, readable while the guest runs; `address` is that of the telemetry page.
    """

    async def look(name: str, ram: GuestRam) -> None:
        with suppress(HarnessError):  # The page has not arrived yet. A host that is gone is reported by others.
            sampler.note(GUEST_PROGRESS, {"side": name, "pages": (await telemetry(ram, address)).all_written})

    async with AsyncExitStack() as stack:
        for side, ram in zip(pair.sides, rams, strict=True):
            # Each side separately: a distant one answers late.
            await stack.enter_async_context(looking(partial(look, side.qemu.name, ram), _LOOK_S))
        yield
