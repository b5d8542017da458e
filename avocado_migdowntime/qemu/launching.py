# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts a program on this host; the protocols are shared with the launcher for other hosts."""

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
    """A started program, in its own process group."""

    @property
    def pid(self) -> int:
        """Its process id on its host."""

    @property
    def returncode(self) -> int | None:
        """Its exit status as in subprocess.Popen; None while it runs, or if the status can no longer be known."""

    @property
    def loss(self) -> str:
        """Why the program cannot be reached any more; empty if it can."""

    async def wait(self) -> int | None:
        """Wait for the exit status."""

    def kill(self) -> None:
        """Kill it and everything that it started."""

    def processes(self) -> tuple[Process, ...]:
        """The state of its processes; there are several if the binary is a script that started the real one."""


class Launcher(Protocol):
    """Where programs are started."""

    @property
    def name(self) -> str:
        """The name of another host; empty for this one."""

    @property
    def has_filters(self) -> bool:
        """Whether that kernel has the system call filters that QEMU's -sandbox needs."""

    def path(self, socket: Path) -> str:
        """The path that a program there must connect to in order to reach the socket here."""

    async def launch(
        self, name: str, command: Sequence[str], socket: Path, stdout: int, stderr: int, network: Network | None
    ) -> Running:
        """Start a program. Its output goes to these descriptors; its connections to `path(socket)` go to `socket`.

        Raises OSError, HarnessError or HostRequirementError if it cannot be started.
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
    """Starts programs on this host; each ends with the process that started it."""

    name = ""

    @property
    def has_filters(self) -> bool:
        """Whether this kernel has them."""
        return has_filters()

    def path(self, socket: Path) -> str:
        """The socket's own path."""
        return str(socket)

    async def launch(
        self, name: str, command: Sequence[str], socket: Path, stdout: int, stderr: int, network: Network | None
    ) -> Running:
        """Start a program; raises OSError."""
        # In its own group, the process is not ended by the terminal's Ctrl-C before the test is; that would look like a
        # fault of QEMU. No pipes of asyncio: it would wait until they are closed before it reports the end, and a
        # process left behind in another session may never close them.
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
    # Without this, a SIGKILL of the harness would leave a QEMU that holds gigabytes. The signal follows the thread that
    # forks, so that thread must be the test's own. Hence the child enters the namespace, instead of a thread that
    # starts the child there. `ip netns exec` would also give it its own mounts, and so keep a hugetlbfs that is
    # unmounted meanwhile.
    end_with_parent()
    if network is not None:
        network.enter()
