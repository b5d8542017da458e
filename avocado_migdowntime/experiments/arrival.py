# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks when the guest arrives: its memory page by page, whether it continues, and when."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict

from ..basics.qemu_constants import GREATEST_DOWNTIME_LIMIT_MS
from ..qemu.guest import telemetry_address
from ..qemu.guest_ram import GuestRam, inspect, telemetry
from ..qemu.heartbeat import Beat, Heart, beats
from ..qemu.pair import Pair
from ..record.own_migration import OwnMigrationSampler
from ..trace.events import BROKEN, CLOCK, FINISH, HEARTBEAT, INTEGRITY, POSTCOPY, RECOVERED, STOP_NOW
from ..trace.sample import Sample
from .guest_progress import progress_recorded

_ANY_LIMIT = {"max-bandwidth": 10**12, "downtime-limit": GREATEST_DOWNTIME_LIMIT_MS}
"""With these parameters any migration completes at once: a TB per second, and the largest limit."""
_HEARTBEAT_PATIENCE_S = 10.0
_LOOK_S = 0.005
_BROKEN_S = 0.5
"""Long enough to see a guest wait for pages."""
_HELD_BYTES_PER_S = 1_000_000
"""Postcopy is slowed to this until its channel breaks; otherwise it would be over before."""


class Arrival:
    """The guest's way to the destination, recorded into the trace; created by `watch_arrival`."""

    def __init__(
        self,
        pair: Pair,
        sampler: OwnMigrationSampler,
        address: int,
        sides: tuple[GuestRam, GuestRam],
        hearts: tuple[Heart, Heart] | None,
    ) -> None:
        self._pair = pair
        self._sampler = sampler
        self._address = address
        self._source, self._destination = sides
        self._hearts = hearts
        self._stopped = False
        self._ending_s = time.time()
        """When the migration was told to finish, on the real-time clock."""

    async def let_complete(self, samples: AsyncGenerator[Sample, None]) -> None:
        """Set a limit that the migration meets, and take its samples to the end."""
        self._ending_s = time.time()
        self._sampler.note(FINISH, _ANY_LIMIT)
        source = self._pair.source
        await source.execute("migrate-set-parameters", _ANY_LIMIT)
        async for _ in samples:
            pass

    async def let_complete_by_postcopy(self, samples: AsyncGenerator[Sample, None], breaks: bool) -> None:
        """Move the guest first and its RAM later, and take the migration's samples to the end.

        If it `breaks`, the channel breaks in the middle, and after half a second the migration continues over another
        one.
        """
        self._ending_s = time.time()
        self._sampler.note(POSTCOPY, {})
        source = self._pair.source
        if breaks:
            await source.execute("migrate-set-parameters", {"max-postcopy-bandwidth": _HELD_BYTES_PER_S})
        await source.execute("migrate-start-postcopy")
        async for sample in samples:
            if breaks and sample.status == "postcopy-active":
                await self._break_and_recover()
                breaks = False

    async def _break_and_recover(self) -> None:
        source, destination = self._pair.source, self._pair.destination
        uri = f"unix:{self._pair.sockets}/recovery"
        # A destination that has not loaded the guest's devices yet cannot wait for another channel: it would exit.
        await self._loaded()
        await source.execute("migrate-pause")
        self._sampler.note(BROKEN, {})
        for qemu in (source, destination):
            while (await qemu.execute("query-migrate"))["status"] != "postcopy-paused":
                await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(_BROKEN_S)
        await destination.execute("migrate-recover", {"uri": uri})
        await source.execute("migrate-set-parameters", {"max-postcopy-bandwidth": 0})
        await source.execute("migrate", {"uri": uri, "resume": True})
        self._sampler.note(RECOVERED, {})

    async def stop_now(self) -> None:
        """Stop the guest at the source. It arrives stopped, and is continued after the inspection."""
        self._ending_s = time.time()
        self._sampler.note(STOP_NOW, {})
        await self._pair.source.execute("stop")
        self._stopped = True

    async def inspect(self, integrity: bool, say: Callable[[str], None]) -> None:
        """After a completed migration: compare the guest's pages if `integrity`, continue the guest, wait for its
        heartbeat.

        `say` is told what is being waited for.
        """
        destination = self._pair.destination
        await self._pair.link.deliver(destination)
        say("waiting for the destination to load the whole guest")
        await self._loaded()
        arrived_with = await self._beats()
        if integrity:
            say("comparing the guest's memory at the destination")
            inspection = await inspect(self._source, self._destination, self._address, self._pair.guest)
            self._sampler.note(INTEGRITY, asdict(inspection))
        if integrity or self._stopped:
            await destination.execute("cont")
        say("waiting for the guest to continue at the destination")
        await self._heartbeat(arrived_with)
        for name, side in zip(("source", "destination"), self._pair.sides, strict=True):
            if clock := side.place.clock(self._ending_s):
                self._sampler.note(CLOCK, {"side": name, **clock})

    async def _loaded(self) -> None:
        """Wait until the destination could run the guest."""
        while (await self._pair.destination.execute("query-status"))["status"] == "inmigrate":
            await asyncio.sleep(_LOOK_S)

    async def _heartbeat(self, arrived_with: int) -> None:
        until_s = self._sampler.now_s() + _HEARTBEAT_PATIENCE_S
        while await self._beats() == arrived_with:
            if self._sampler.now_s() > until_s:
                await self._pair.destination.execute("query-status")  # A hanging QEMU is not a hanging guest.
                self._sampler.note(HEARTBEAT, {"side": "destination", "silent_s": _HEARTBEAT_PATIENCE_S})
                return
            await asyncio.sleep(_LOOK_S)
        if self._hearts is not None and (both_beats := await beats(*self._hearts)):
            for side, beat in zip(("source", "destination"), both_beats, strict=True):
                self._sampler.note(HEARTBEAT, {"side": side, **self._times(beat)})

    def _times(self, beat: Beat) -> dict[str, float]:
        return {"after_s": self._sampler.at_s(beat.after_s), "by_s": self._sampler.at_s(beat.by_s)}

    async def _beats(self) -> int:
        return (await telemetry(self._destination, self._address)).heartbeat_count


@asynccontextmanager
async def watch_arrival(pair: Pair, sampler: OwnMigrationSampler) -> AsyncIterator[Arrival]:
    """Watch a guest that has started to run, from before its migration; raises HarnessError."""
    address = await telemetry_address(pair.source)
    async with AsyncExitStack() as stack:
        rams = [await stack.enter_async_context(side.place.ram(side.qemu, pair.guest)) for side in pair.sides]
        hearts = None
        if pair.guest.backing.in_one_file:
            byte_order = (await telemetry(rams[0], address)).byte_order
            looks = [side.place.heart(ram, address, byte_order) for side, ram in zip(pair.sides, rams, strict=True)]
            hearts = [await stack.enter_async_context(look) for look in looks]
            await stack.enter_async_context(progress_recorded(pair, rams, address, sampler))
        yield Arrival(pair, sampler, address, (rams[0], rams[1]), (hearts[0], hearts[1]) if hearts else None)
