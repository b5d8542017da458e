# SPDX-License-Identifier: GPL-2.0-or-later
"""How a program is started: on this host, or on another that does the same for its own."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol

from ..agent.look import has_filters
from ..host.netns import Network
from ..host.parent import end_with_parent
from ..host.process_group import Process, processes


class Running(Protocol):
    """A program that was started, in a process group of its own."""

    @property
    def pid(self) -> int:
        """Its process id, where it runs."""

    @property
    def returncode(self) -> int | None:
        """How it ended, as subprocess.Popen has it; None while it runs, and where that cannot be known any more."""

    @property
    def loss(self) -> str:
        """Why it cannot be reached any more, where that is so."""

    async def wait(self) -> int | None:
        """How it ended, as soon as that is known."""

    def kill(self) -> None:
        """End it, and what it started, at once."""

    def processes(self) -> tuple[Process, ...]:
        """What its processes do; there are several where the binary is a script that started the real one."""


class Launcher(Protocol):
    """Where programs are started."""

    @property
    def name(self) -> str:
        """Of another host; empty for this one."""

    @property
    def has_filters(self) -> bool:
        """Whether the kernel there has the filters of system calls that QEMU's -sandbox takes."""

    def path(self, socket: Path) -> str:
        """What a program there has to connect to, for that to arrive at a socket here."""

    async def launch(
        self, name: str, command: Sequence[str], socket: Path, stdout: int, stderr: int, network: Network | None
    ) -> Running:
        """Start a program whose output goes into these descriptors, and what it connects to `path` to `socket`.

        Raises OSError, HarnessError or HostRequirementError where it cannot be started.
        """


class _RunningHere:
    """A process of this host."""

    loss = ""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    async def wait(self) -> int | None:
        return await self._process.wait()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            # The whole group: the binary may be a script that started the real one.
            os.killpg(self._process.pid, signal.SIGKILL)

    def processes(self) -> tuple[Process, ...]:
        return processes(self._process.pid)


class LaunchHere:
    """Starts programs on this host, each of which ends with whoever started it."""

    name = ""

    @property
    def has_filters(self) -> bool:
        """Whether this kernel has them."""
        return has_filters()

    def path(self, socket: Path) -> str:
        """The socket itself."""
        return str(socket)

    async def launch(
        self, name: str, command: Sequence[str], socket: Path, stdout: int, stderr: int, network: Network | None
    ) -> Running:
        """Start a program; raises OSError."""
        # In a group of its own it is not ended by the terminal's Ctrl-C before the test is, which would look like a
        # fault of QEMU. With pipes of asyncio's its end would be waited for until these are closed, which a process
        # that it left in another session may never do.
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            preexec_fn=partial(_prepare, network),
            process_group=0,
        )
        return _RunningHere(process)


HERE = LaunchHere()


def _prepare(network: Network | None) -> None:
    # Without this a SIGKILL of the harness would leave a QEMU that holds gigabytes. The signal follows the thread
    # that forks, which must be the test's own: so the child enters the namespace, not a thread that starts it there.
    # `ip netns exec` would give it mounts of its own besides, and keep a hugetlbfs that is unmounted meanwhile.
    end_with_parent()
    if network is not None:
        network.enter()
