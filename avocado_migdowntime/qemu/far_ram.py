# SPDX-License-Identifier: GPL-2.0-or-later
"""The RAM of a guest on another host: pages are checksummed there, and only a few of them are sent here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from ..agent.page_sums import SUM_BYTES
from ..guest_memory.inspection import PAGE_WORDS, Inspection
from ..guest_memory.telemetry import HEARTBEAT_COUNT_OFFSET, PAGE_BYTES
from ..remote.conversation import Conversation
from .guest import Guest
from .heartbeat import Beat
from .process import QemuProcess

_CHUNK_BYTES = 64 << 20


class FarRam:
    """RAM in a file that QEMU has open there, addressed by the file's number. Every method raises HarnessError."""

    def __init__(self, conversation: Conversation, file: int, ram_start: int) -> None:
        self.file = file
        self._conversation = conversation
        self._ram_start = ram_start

    def offset(self, address: int) -> int:
        """Where in the file a guest-physical address is."""
        return address - self._ram_start

    async def read(self, address: int, size: int) -> bytes:
        """The bytes at a guest-physical address."""
        return await self._ask("read", address, size)

    async def show(self, address: int, size: int, inspection: Inspection) -> None:
        """Pass the pages from `address` on to `inspection`, as the region's pages in order from the first."""
        for begin in range(0, size, _CHUNK_BYTES):
            its_sums = await self._ask("sums", address + begin, min(_CHUNK_BYTES, size - begin))
            first = begin // PAGE_BYTES
            wanted = inspection.see_sums(np.arange(first, first + len(its_sums) // SUM_BYTES), its_sums)
            for index in wanted:
                row = await self.read(address + index * PAGE_BYTES, PAGE_BYTES)
                inspection.see(np.array([index]), np.frombuffer(row, dtype=np.uint64).reshape(1, PAGE_WORDS))

    async def show_anywhere(self, address: int, size: int, inspection: Inspection) -> None:
        """Pass the pages there to `inspection`, which finds the region's pages among them."""
        for begin in range(0, size, _CHUNK_BYTES):
            where, some = address + begin, min(_CHUNK_BYTES, size - begin)
            for number in inspection.see_found(await self._ask("sums", where, some, seed=inspection.seed.hex())):
                row = await self.read(self._ram_start + number * PAGE_BYTES, PAGE_BYTES)
                inspection.see_anywhere(np.frombuffer(row, dtype=np.uint64).reshape(1, PAGE_WORDS))

    async def _ask(self, do: str, address: int, size: int, **more: Any) -> bytes:
        _, data = await self._conversation.ask(do, file=self.file, offset=self.offset(address), size=size, **more)
        return data


class FarPrivateRam(FarRam):
    """RAM that only QEMU there can read. For each request, QEMU writes that part into a file on its host."""

    def __init__(self, conversation: Conversation, qemu: QemuProcess, ram_start: int) -> None:
        super().__init__(conversation, -1, ram_start)
        self._qemu = qemu
        self._path = f"{conversation.facts['directory']}/{qemu.name}.ram"

    async def _ask(self, do: str, address: int, size: int, **more: Any) -> bytes:
        await self._qemu.execute("pmemsave", {"val": address, "size": size, "filename": self._path})
        file, _ = await self._conversation.ask("open", path=self._path)
        try:
            _, data = await self._conversation.ask(do, file=file, offset=0, size=size, **more)
        finally:
            await self._conversation.ask("close", file=file, path=self._path)
        return data


class FarHeart:
    """The heart of a guest there. Its beats are logged on that host; their times are converted to this host's clock."""

    def __init__(self, conversation: Conversation, file: int) -> None:
        self._conversation = conversation
        self._file = file

    async def last(self) -> Beat | None:
        """The last beat so far."""
        return self._on_this_clock((await self._conversation.ask("last_beat", file=self._file))[0])

    async def first_above(self, number: int) -> Beat | None:
        """The first beat after that number."""
        return self._on_this_clock((await self._conversation.ask("first_beat", file=self._file, count=number))[0])

    def _on_this_clock(self, change: tuple[int, float, float] | None) -> Beat | None:
        if change is None:
            return None
        number, after_s, by_s = change
        roughly = self._conversation.ahead_s(0.0)
        ahead = self._conversation.ahead_s(by_s - roughly.middle) if roughly else None
        # The uncertainty between the two clocks widens the interval of the beat.
        return Beat(number, after_s - ahead.high, by_s - ahead.low) if ahead else None


@asynccontextmanager
async def far_ram(conversation: Conversation, qemu: QemuProcess, guest: Guest) -> AsyncIterator[FarRam]:
    """The RAM of a guest there."""
    ram_start = guest.profile.ram_start
    if not guest.backing.in_one_file:
        yield FarPrivateRam(conversation, qemu, ram_start)
        return
    file, _ = await conversation.ask("ram", name=qemu.name, ram_bytes=guest.ram_bytes)
    yield FarRam(conversation, file, ram_start)


@asynccontextmanager
async def far_heart(conversation: Conversation, ram: FarRam, address: int, byte_order: str) -> AsyncIterator[FarHeart]:
    """The heart of that guest, watched on its host from now on."""
    offset = ram.offset(address + HEARTBEAT_COUNT_OFFSET)
    await conversation.ask("watch", file=ram.file, offset=offset, byte_order=byte_order)
    yield FarHeart(conversation, ram.file)
