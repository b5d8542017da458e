# SPDX-License-Identifier: GPL-2.0-or-later
"""A host where QEMUs run, and what it offers: this host or another."""

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
from .process import START_S, QemuProcess
from .remembered import probed


class Place(Protocol):
    """A host. What it lends is returned when its block is left. Methods raise HostRequirementError or HarnessError."""

    name: str
    """The name of another host, for messages; empty for this one."""
    identity: str
    """An identifier that all users of this host see, and no other host has; empty if unknown."""
    suffix: str
    """Suffix of process names there, where they could clash with those of processes of another host."""
    launcher: Launcher
    machine: str
    """The architecture as `uname -m` prints it."""
    page_bytes: int
    """The base page size of the host (not of its hugepages)."""
    may_use_kvm: bool

    async def take_turn(self) -> str:
        """Ask for this run's turn, held until the run is over; return an empty string, or who has the turn now."""

    async def binary(self, qemu: str | None, arch: str) -> str:
        """The path of a QEMU there; raises UsageError if `qemu` names none."""

    async def probed(self, binary: str, directory: Path, sockets: Path, within_s: float = START_S) -> QemuInfo:
        """What the binary can do; raises UsageError if it is no QEMU, or does not start or answer `within_s`."""

    async def hugetlbfs(self, page_size_bytes: int) -> Path:
        """A directory whose files consist of hugepages of this size."""

    async def lend_hugepages(self, page_size_bytes: int, count: int, allowed: bool) -> None:
        """Reserve `count` free hugepages for the QEMUs that are launched within `handing_over`."""

    def handing_over(self) -> AbstractAsyncContextManager[None]:
        """Release the reserved hugepages to the QEMUs that are launched in this block."""

    async def arguments(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """QEMU's arguments; the files that they name are made available there."""

    async def keep_private(self, name: str, files: Mapping[str, bytes]) -> str:
        """Store files that only this user can read in a directory of that name; return its path on that host."""

    async def fill(self, qemu: QemuProcess, backing: Backing, ram_bytes: int, over: threading.Event) -> None:
        """Allocate all hugepages of a QEMU, until the event `over` is set."""

    def ram(self, qemu: QemuProcess, guest: Guest) -> AbstractAsyncContextManager[GuestRam]:
        """The RAM of a QEMU's guest."""

    async def listen(self, address: str) -> int:
        """Listen at an address there for the measurement of the link; return the port. Also raises OSError."""

    async def receive(self) -> float:
        """Bytes per second that arrive there; also raises OSError."""

    async def send(self, address: str, port: int) -> None:
        """Send to the listening place until enough has arrived; also raises OSError."""

    async def cpu_seconds(self, qemu: QemuProcess, vcpus: Sequence[int]) -> Mapping[str, float]:
        """CPU seconds of a QEMU and of these of its threads, and how long it waited for a CPU; see agent/look.py."""

    def clock(self, since_s: float) -> Mapping[str, Any] | None:
        """How far the host's real-time clock is ahead of ours, from `since_s` (on that clock) on; None for this host.

        `ahead_s` is the interval [low, high] in seconds, or null if a clock was set meanwhile; `readings` is the number
        of comparisons.
        """

    def heart(self, ram: GuestRam, address: int, byte_order: str) -> AbstractAsyncContextManager[Heart]:
        """The heart of the guest whose RAM, which must be shared, is `ram`; `address` is that of the telemetry page."""


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
        """Take this run's turn on this host until the run is over, as every run that also uses another host does."""
        lock, holder = turn.take()
        if lock is not None:
            self._stack.enter_context(lock)
        return holder

    async def binary(self, qemu: str | None, arch: str) -> str:
        """The path of a QEMU here: see `find_binary`."""
        return find_binary(qemu, arch)

    async def probed(self, binary: str, directory: Path, sockets: Path, within_s: float = START_S) -> QemuInfo:
        """What the binary can do: see `remembered.probed`."""
        return await probed(binary, directory, sockets, within_s)

    async def hugetlbfs(self, page_size_bytes: int) -> Path:
        """A directory whose files consist of hugepages of this size."""
        return self._stack.enter_context(hugetlbfs_directory(self._resources, page_size_bytes))

    async def lend_hugepages(self, page_size_bytes: int, count: int, allowed: bool) -> None:
        """Reserve `count` free hugepages for the QEMUs that are launched within `handing_over`."""
        lease = lease_hugepages(self._resources, page_size_bytes, count, allowed=allowed)
        self._pages = self._stack.enter_context(lease)

    @asynccontextmanager
    async def handing_over(self) -> AsyncIterator[None]:
        """Release the reserved hugepages to the QEMUs that are launched in this block."""
        if self._pages is None:
            yield
            return
        with self._pages.hand_over():
            yield

    async def arguments(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """The arguments unchanged."""
        return tuple(arguments)

    async def keep_private(self, name: str, files: Mapping[str, bytes]) -> str:
        """Store files that only this user can read in a directory of the run."""
        directory = self._sockets / name
        directory.mkdir(mode=0o700)
        for each, data in files.items():
            with open(os.open(directory / each, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
        return str(directory)

    async def fill(self, qemu: QemuProcess, backing: Backing, ram_bytes: int, over: threading.Event) -> None:
        """Allocate all hugepages of a QEMU, until the event `over` is set."""
        await fill_here(qemu, backing, ram_bytes, over)

    @asynccontextmanager
    async def ram(self, qemu: QemuProcess, guest: Guest) -> AsyncIterator[GuestRam]:
        """The RAM of a QEMU's guest."""
        if not guest.backing.in_one_file:
            yield PrivateRam(qemu, self._sockets)
            return
        with shared_ram(qemu, guest) as ram:
            yield ram

    async def listen(self, address: str) -> int:
        """Listen for the measurement of the link; return the port. Raises OSError."""
        self._listener = rate.listen(address)
        port: int = self._listener.getsockname()[1]
        return port

    async def receive(self) -> float:
        """Bytes per second that arrive; raises OSError."""
        return await asyncio.to_thread(rate.receive, self._listener)

    async def send(self, address: str, port: int) -> None:
        """Send to another place; raises OSError."""
        await asyncio.to_thread(rate.send, address, port)

    async def cpu_seconds(self, qemu: QemuProcess, vcpus: Sequence[int]) -> Mapping[str, float]:
        """CPU seconds of a QEMU and its threads."""
        return look.cpu_seconds(qemu.pid, vcpus)

    def clock(self, since_s: float) -> Mapping[str, Any] | None:
        """None: there is only one clock here."""
        return None

    @asynccontextmanager
    async def heart(self, ram: GuestRam, address: int, byte_order: str) -> AsyncIterator[Heart]:
        """The heart of the guest whose RAM is `ram`."""
        assert isinstance(ram, SharedRam)
        async with heart_here(ram, address, byte_order) as heart:
            yield heart
