# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the RAM of a guest from outside: from its backing file if the RAM is shared, by QMP if it is private.

The file is read, not mapped: a mapping that outlived QEMU would keep its hugepages from the host.
"""

import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from ..errors import HarnessError
from ..guest_memory.inspection import PAGE_WORDS, Inspection
from ..guest_memory.telemetry import PAGE_BYTES, Telemetry
from ..guest_memory.write_order import Words
from ..host.process_group import processes
from ..verdict.downtime import Integrity
from .guest import Guest
from .process import QemuProcess

_CHUNK_BYTES = 16 << 20


class GuestRam(Protocol):
    """RAM by guest-physical addresses. Every method raises HarnessError if there is no RAM at an address."""

    async def read(self, address: int, size: int) -> bytes:
        """The bytes at an address."""

    async def show(self, address: int, size: int, inspection: Inspection) -> None:
        """Pass the pages from `address` on to `inspection`, as the region's pages in order from the first."""

    async def show_anywhere(self, address: int, size: int, inspection: Inspection) -> None:
        """Pass the pages there to `inspection`, which finds the region's pages among them."""


class _ReadRam:
    """RAM of which every page is read in order to inspect it."""

    async def read(self, address: int, size: int) -> bytes:
        """The bytes at an address; raises HarnessError if there is no such RAM."""
        raise NotImplementedError

    async def show(self, address: int, size: int, inspection: Inspection) -> None:
        """Pass the pages from `address` on to `inspection`, as the region's pages in order from the first."""
        async for start, rows in self._rows(address, size):
            inspection.see(np.arange(start, start + len(rows)), rows)

    async def show_anywhere(self, address: int, size: int, inspection: Inspection) -> None:
        """Pass the pages there to `inspection`, which finds the region's pages among them."""
        async for _, rows in self._rows(address, size):
            inspection.see_anywhere(rows)

    async def _rows(self, address: int, size: int) -> AsyncIterator[tuple[int, Words]]:
        for offset in range(0, size, _CHUNK_BYTES):
            data = await self.read(address + offset, min(_CHUNK_BYTES, size - offset))
            yield offset // PAGE_BYTES, np.frombuffer(data, dtype=np.uint64).reshape(-1, PAGE_WORDS)


class SharedRam(_ReadRam):
    """RAM in a file that QEMU has open. It can be read at any time, while the guest runs."""

    def __init__(self, file: int, guest: Guest) -> None:
        self._file = file
        self._start = guest.profile.ram_start

    async def read(self, address: int, size: int) -> bytes:
        """The bytes at an address; raises HarnessError if there is no such RAM."""
        return self.now(address, size)

    def now(self, address: int, size: int) -> bytes:
        """The same, without awaiting; usable from any thread."""
        data = b""
        with suppress(OSError, OverflowError):  # Before the start of the file, or beyond the range of file offsets.
            data = os.pread(self._file, size, address - self._start)
        if len(data) < size:
            raise HarnessError(f"the guest has no RAM from {address:#x} to {address + size:#x}")
        return data


class PrivateRam(_ReadRam):
    """RAM that only QEMU can read. For each request, QEMU writes that part into a file in `directory`."""

    def __init__(self, qemu: QemuProcess, directory: Path) -> None:
        self._qemu = qemu
        self._file = directory / f"{qemu.name}.ram"

    async def read(self, address: int, size: int) -> bytes:
        """The bytes at an address; raises HarnessError if there is no such RAM."""
        where = {"val": address, "size": size, "filename": str(self._file)}
        try:
            await self._qemu.execute("pmemsave", where)
            return self._file.read_bytes()
        finally:
            self._file.unlink(missing_ok=True)


@contextmanager
def shared_ram(qemu: QemuProcess, guest: Guest) -> Iterator[SharedRam]:
    """The RAM of a guest with shared backing; raises HarnessError if QEMU has no file for it."""
    file = backing_file(qemu, guest.ram_bytes, os.O_RDONLY)
    try:
        yield SharedRam(file, guest)
    finally:
        os.close(file)


def backing_file(qemu: QemuProcess, ram_bytes: int, access: int) -> int:
    """Open QEMU's open file whose size is that of the RAM, with this access; raises HarnessError if it has none."""
    for link in _descriptors(qemu.pid):
        try:
            status = link.stat()
            if stat.S_ISREG(status.st_mode) and status.st_size == ram_bytes:
                return os.open(link, access | os.O_CLOEXEC)
        except OSError:
            continue  # Closed since it was listed.
    raise HarnessError(f"{qemu.name} QEMU holds no file of the size of its guest's RAM; use backing=anonymous")


def _descriptors(group: int) -> Iterator[Path]:
    """Open files of all processes of a group: the binary may be a script that started the real QEMU."""
    for process in processes(group):
        with suppress(OSError):  # The process may have just ended.
            yield from Path(f"/proc/{process.pid}/fd").iterdir()


async def telemetry(ram: GuestRam, address: int) -> Telemetry:
    """Read the telemetry page; raises HarnessError if there is none."""
    return Telemetry.parse(await ram.read(address, PAGE_BYTES))


async def inspect(source: GuestRam, ram: GuestRam, address: int, guest: Guest) -> Integrity:
    """Compare the region that arrived in `ram` with what the guest reports at the `source` to have written.

    The guest must be stopped on both sides. `address` is that of the telemetry page. Raises HarnessError.
    """
    source_page, arrived_page = [await side.read(address, PAGE_BYTES) for side in (source, ram)]
    at_source = Telemetry.parse(source_page).held_to(guest.orders.telemetry_fields())
    inspection = Inspection(at_source)
    if at_source.region_start:
        await ram.show(at_source.region_start, at_source.region_bytes, inspection)
    else:
        await ram.show_anywhere(guest.profile.ram_start, guest.ram_bytes, inspection)
    finding = inspection.finding()
    pages = finding.pages + 1
    if arrived_page == source_page:
        return replace(finding, pages=pages)
    fault = f"the telemetry page (at {address:#x}) is not what it was at the source"
    return replace(finding, pages=pages, damaged_pages=finding.damaged_pages + 1, faults=(fault, *finding.faults))
