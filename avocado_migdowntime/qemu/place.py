# SPDX-License-Identifier: GPL-2.0-or-later
"""Where QEMUs run, and what is available there: on this host, or on another."""

import asyncio
import os
import platform
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from ..agent import look, rate, turn
from ..host.hugepages import Hugepages, lease_hugepages
from ..host.hugetlbfs import hugetlbfs_directory
from ..host.resources import HostResources
from .backing import Backing
from .filling import fill_here
from .guest import Guest
from .guest_ram import GuestRam, PrivateRam, SharedRam, shared_ram
from .heartbeat import Heart, heart_here
from .launching import HERE, Launcher
from .probe import QemuInfo, find_binary
from .process import QemuProcess
from .remembered import probed


class Place(Protocol):
    """A host; what it lends is given back when its block is left. Each raises HostRequirementError or HarnessError."""

    name: str
    """Of another host, for sentences; empty for this one."""
    identity: str
    """What is the same for all who are on it, and of no other host; empty where it does not tell."""
    suffix: str
    """What names of processes there end with, where they would have those of processes of another host."""
    launcher: Launcher
    machine: str
    """As `uname -m` has it."""
    page_bytes: int
    """Of its own pages, which are no hugepages."""
    may_use_kvm: bool

    async def take_turn(self) -> str:
        """Have its turn until the run is over: nothing is said, or who has it now."""

    async def binary(self, qemu: str | None, arch: str) -> str:
        """The path of a QEMU there; raises UsageError where what is given is none."""

    async def probed(self, binary: str, directory: Path, sockets: Path) -> QemuInfo:
        """What it can do; raises UsageError where it is no QEMU."""

    async def hugetlbfs(self, page_size_bytes: int) -> Path:
        """A directory whose files are of these pages."""

    async def lend_hugepages(self, page_size_bytes: int, count: int, allowed: bool) -> None:
        """Have so many free pages for the QEMUs that are launched while `handing_over`."""

    def handing_over(self) -> AbstractAsyncContextManager[None]:
        """Let the QEMUs that are launched in this block have the pages."""

    async def arguments(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """Arguments of QEMU's with the files that they name where they are there."""

    async def keep_private(self, name: str, files: Mapping[str, bytes]) -> str:
        """Have files that nobody else can read in a directory of that name; gives its path, where it is."""

    async def fill(self, qemu: QemuProcess, backing: Backing, ram_bytes: int, over: threading.Event) -> None:
        """Have all hugepages of a QEMU made, until it is `over`."""

    def ram(self, qemu: QemuProcess, guest: Guest) -> AbstractAsyncContextManager[GuestRam]:
        """The RAM of its guest."""

    async def listen(self, address: str) -> int:
        """Have what measures the link listened for at an address there; gives the port. Raises OSError as well."""

    async def receive(self) -> float:
        """How many bytes arrive there in a second; raises OSError as well."""

    async def send(self, address: str, port: int) -> None:
        """Send to where it is listened, until enough has arrived; raises OSError as well."""

    async def cpu_seconds(self, qemu: QemuProcess, vcpus: Sequence[int]) -> Mapping[str, float]:
        """CPU seconds that a QEMU has had (`qemu_s`), and these of its threads (`vcpus_s`), as far as they are told."""

    def clock(self, since_s: float) -> Mapping[str, Any] | None:
        """How far its real-time clock is ahead of the one here, from a time of that on (`ahead_s`), or None.

        It is None here, where there is but one. `ahead_s` is null where one of them was set meanwhile; `readings` tells
        how often they were compared.
        """

    def heart(self, ram: GuestRam, address: int, byte_order: str) -> AbstractAsyncContextManager[Heart]:
        """The heart of its guest, whose RAM this is and is shared; `address` is that of the telemetry page."""


class Here:
    """This host."""

    name = suffix = ""
    launcher: Launcher = HERE

    def __init__(self, resources: HostResources, stack: ExitStack, sockets: Path) -> None:
        self.identity = turn.identity()
        self.machine = platform.machine()
        self.page_bytes = os.sysconf("SC_PAGE_SIZE")
        self.may_use_kvm = os.access("/dev/kvm", os.R_OK | os.W_OK)
        self._resources = resources
        self._stack = stack
        self._sockets = sockets
        self._pages: Hugepages | None = None

    async def take_turn(self) -> str:
        """Have its turn until the run is over, as every run that is on another host as well."""
        lock, holder = turn.take()
        if lock is not None:
            self._stack.enter_context(lock)
        return holder

    async def binary(self, qemu: str | None, arch: str) -> str:
        """The path of a QEMU here, as `find_binary` says."""
        return find_binary(qemu, arch)

    async def probed(self, binary: str, directory: Path, sockets: Path) -> QemuInfo:
        """What it can do, as `remembered.probed` says."""
        return await probed(binary, directory, sockets)

    async def hugetlbfs(self, page_size_bytes: int) -> Path:
        """A directory whose files are of these pages."""
        return self._stack.enter_context(hugetlbfs_directory(self._resources, page_size_bytes))

    async def lend_hugepages(self, page_size_bytes: int, count: int, allowed: bool) -> None:
        """Have so many free pages for the QEMUs that are launched while `handing_over`."""
        lease = lease_hugepages(self._resources, page_size_bytes, count, allowed=allowed)
        self._pages = self._stack.enter_context(lease)

    @asynccontextmanager
    async def handing_over(self) -> AsyncIterator[None]:
        """Let the QEMUs that are launched in this block have the pages."""
        if self._pages is None:
            yield
            return
        with self._pages.hand_over():
            yield

    async def arguments(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """As they are."""
        return tuple(arguments)

    async def keep_private(self, name: str, files: Mapping[str, bytes]) -> str:
        """Have files that nobody else can read in a directory of the run's."""
        directory = self._sockets / name
        directory.mkdir(mode=0o700)
        for each, data in files.items():
            with open(os.open(directory / each, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
        return str(directory)

    async def fill(self, qemu: QemuProcess, backing: Backing, ram_bytes: int, over: threading.Event) -> None:
        """Have all hugepages of a QEMU made, until it is `over`."""
        await fill_here(qemu, backing, ram_bytes, over)

    @asynccontextmanager
    async def ram(self, qemu: QemuProcess, guest: Guest) -> AsyncIterator[GuestRam]:
        """The RAM of its guest."""
        if not guest.backing.in_one_file:
            yield PrivateRam(qemu, self._sockets)
            return
        with shared_ram(qemu, guest) as ram:
            yield ram

    async def listen(self, address: str) -> int:
        """Have what measures the link listened for; raises OSError."""
        self._listener = rate.listen(address)
        port: int = self._listener.getsockname()[1]
        return port

    async def receive(self) -> float:
        """How many bytes arrive in a second; raises OSError."""
        return await asyncio.to_thread(rate.receive, self._listener)

    async def send(self, address: str, port: int) -> None:
        """Send to another place; raises OSError."""
        await asyncio.to_thread(rate.send, address, port)

    async def cpu_seconds(self, qemu: QemuProcess, vcpus: Sequence[int]) -> Mapping[str, float]:
        """What this host tells of a QEMU here."""
        return look.cpu_seconds(qemu.pid, vcpus)

    def clock(self, since_s: float) -> Mapping[str, Any] | None:
        """There is but one clock here."""
        return None

    @asynccontextmanager
    async def heart(self, ram: GuestRam, address: int, byte_order: str) -> AsyncIterator[Heart]:
        """The heart of its guest, whose RAM this is."""
        assert isinstance(ram, SharedRam)
        async with heart_here(ram, address, byte_order) as heart:
            yield heart
