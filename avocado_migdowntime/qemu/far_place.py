# SPDX-License-Identifier: GPL-2.0-or-later
"""Another host as the place for one side's QEMU. Imported only if a host is named, since it imports the SSH code."""

import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ..errors import HarnessError, HostRequirementError, UnusableBuildError
from ..host.netns import Network
from ..parameters.table import ANY_ARCHITECTURE, ARCHITECTURES
from ..remote.conversation import Conversation
from ..remote.program import FarProgram
from ..remote.ssh import Connected
from .backing import Backing
from .far_ram import FarRam, far_heart, far_ram
from .guest import Guest
from .guest_ram import GuestRam
from .heartbeat import Heart
from .launching import Launcher, Running
from .probe import QemuInfo, probe
from .process import START_S, QemuProcess
from .profiles import PROFILES

_NAMES_A_FILE = ("-kernel", "-initrd", "-bios")


class FarPlace:
    """A host that answers, and the programs launched there. `named_by` is the parameter that names its QEMU."""

    def __init__(self, connection: Connected, side: str, named_by: str) -> None:
        conversation = connection.conversation
        self.suffix = f"-{side}"
        self.connection = connection
        self.conversation = conversation
        self.name = conversation.name
        self.launcher: Launcher = _LaunchThere(conversation)
        self.identity: str = conversation.facts["identity"]
        self.machine: str = conversation.facts["machine"]
        self.page_bytes: int = conversation.facts["page_bytes"]
        self.may_use_kvm: bool = conversation.facts["kvm"]
        self._named_by = named_by
        self._files: dict[str, str] = {}

    async def take_turn(self) -> str:
        """Ask for this run's turn on that host, held until the run is over; return who has it now, if somebody else
        does.
        """
        return str((await self.conversation.ask("turn"))[0])

    async def binary(self, qemu: str | None, arch: str) -> str:
        """The path of a QEMU there: `qemu`, one in the directory `qemu`, or `qemu-system-ARCH` on that host's PATH.

        Raises UnusableBuildError if `qemu` names none, HostRequirementError if none is installed.
        """
        archs = ARCHITECTURES if arch == ANY_ARCHITECTURE else (arch,)
        programs = [f"qemu-system-{each}" for each in archs]
        names = [qemu or "", *(f"{qemu}{below}/{name}" for below in ("", "/bin", "/build") for name in programs)]
        path, _ = await self.conversation.ask("find", names=names if qemu else programs)
        if path is not None:
            return str(path)
        if qemu:
            raise UnusableBuildError(
                f"{self.name} has no QEMU {qemu}; give with `{self._named_by}` the path of a qemu-system-* there, or "
                "of a directory that has one"
            )
        raise HostRequirementError(
            f"on {self.name}: no {' or '.join(programs)} is on the PATH that a command over SSH has; install one there "
            f"with: {PROFILES[archs[0]].package.install}, or give its path with `{self._named_by}`"
        )

    async def probed(self, binary: str, directory: Path, sockets: Path, within_s: float = START_S) -> QemuInfo:
        """What the binary can do; raises UnusableBuildError if it is no QEMU, or does not answer `within_s`."""
        return await probe(binary, directory, sockets, self.launcher, self.suffix, within_s)

    async def hugetlbfs(self, page_size_bytes: int) -> Path:
        """A directory there whose files consist of hugepages of this size."""
        path, _ = await self.conversation.ask("hugetlbfs", page_bytes=page_size_bytes)
        return Path(path)

    async def lend_hugepages(self, page_size_bytes: int, count: int, allowed: bool) -> None:
        """Reserve `count` free hugepages for the QEMU that is launched within `handing_over`."""
        if count:
            await self.conversation.ask("reserve", page_bytes=page_size_bytes, count=count, allowed=allowed)

    @asynccontextmanager
    async def handing_over(self) -> AsyncIterator[None]:
        """Release the reserved hugepages to the QEMU that is launched in this block."""
        await self.conversation.ask("hand_over")
        yield
        await self.conversation.ask("handed_over")

    async def arguments(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """Send the files that QEMU's arguments name; return the arguments with the paths there."""
        carried = []
        for before, argument in zip(("", *arguments), arguments, strict=False):
            carried.append(await self._path_there(argument) if before in _NAMES_A_FILE else argument)
        return tuple(carried)

    async def keep_private(self, name: str, files: Mapping[str, bytes]) -> str:
        """Store files that only this user can read, in the directory `name` below the run's directory there; return its
        path.
        """
        paths = [(await self.conversation.ask("put", data, name=each, below=name))[0] for each, data in files.items()]
        return str(Path(paths[0]).parent)

    async def fill(self, qemu: QemuProcess, backing: Backing, ram_bytes: int, over: threading.Event) -> None:
        """Allocate all hugepages of a QEMU now."""
        if backing.hugepages_needed and backing.in_one_file:
            step = backing.page_size_bytes
            try:
                await self.conversation.ask("fill", name=qemu.name, ram_bytes=ram_bytes, step=step)
            except HarnessError as error:
                raise HostRequirementError(
                    f"hugepages reserved for the {qemu.name} QEMU cannot be used there: {error}; check whether a "
                    "cgroup limits them"
                ) from None

    @asynccontextmanager
    async def ram(self, qemu: QemuProcess, guest: Guest) -> AsyncIterator[GuestRam]:
        """The RAM of a QEMU's guest."""
        async with far_ram(self.conversation, qemu, guest) as ram:
            yield ram

    def clock(self, since_s: float) -> Mapping[str, Any]:
        """How far the host's real-time clock is ahead of ours since `since_s` on that clock: see `Place.clock`."""
        ahead = self.conversation.wall_ahead_s(since_s)
        ends = [round(ahead.low, 6), round(ahead.high, 6)] if ahead else None
        return {"ahead_s": ends, "readings": self.conversation.clock_readings}

    @asynccontextmanager
    async def heart(self, ram: GuestRam, address: int, byte_order: str) -> AsyncIterator[Heart]:
        """The heart of the guest whose RAM is `ram`."""
        assert isinstance(ram, FarRam)
        async with far_heart(self.conversation, ram, address, byte_order) as heart:
            yield heart

    async def cpu_seconds(self, qemu: QemuProcess, vcpus: Sequence[int]) -> Mapping[str, float]:
        """CPU seconds of a QEMU and its threads, as that host reports them."""
        seconds, _ = await self.conversation.ask("cpu", pid=qemu.pid, threads=list(vcpus))
        return dict(seconds)

    async def listen(self, address: str) -> int:
        """Listen there for the measurement of the link; return the port."""
        return int((await self.conversation.ask("listen", address=address))[0])

    async def receive(self) -> float:
        """Bytes per second that arrive there."""
        return float((await self.conversation.ask("receive"))[0])

    async def send(self, address: str, port: int) -> None:
        """Make the host send to another place, to measure the link."""
        await self.conversation.ask("send", address=address, port=port)

    async def _path_there(self, file: str) -> str:
        if file not in self._files:
            name = f"{len(self._files)}-{Path(file).name}"
            self._files[file], _ = await self.conversation.ask("put", Path(file).read_bytes(), name=name)
        return self._files[file]


class _LaunchThere:
    """Starts programs on the other host."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.name = conversation.name
        self.has_filters: bool = conversation.facts["filters"]

    def path(self, socket: Path) -> str:
        """The path of the same socket on that host."""
        return f"{self._conversation.facts['directory']}/{socket.name}"

    async def launch(
        self, name: str, command: Sequence[str], socket: Path, stdout: int, stderr: int, network: Network | None
    ) -> Running:
        """Start a program in that host's network; raises HarnessError or HostRequirementError if that fails."""
        program = FarProgram(self._conversation, name, socket)
        await program.start(list(command), stdout, stderr)
        return program
