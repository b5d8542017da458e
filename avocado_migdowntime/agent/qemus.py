# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that runs on this host. Its output and its QMP connection are forwarded to the other end."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from .keeper import Keeper

_PR_SET_PDEATHSIG = 1
_CHUNK_BYTES = 1 << 16
_LAST_WORDS_S = 0.5
"""Time to forward its last output before its end is reported."""
_LIBC = ctypes.CDLL(None)

Tell = Callable[[Mapping[str, Any], bytes], Awaitable[None]]
"""Sends a message to the other end; waits while that accepts no more."""


class Program:
    """A process in its own group. Messages about it have `of`, its name, and `part`: qmp, stdout, stderr, end."""

    def __init__(self, name: str, tell: Tell) -> None:
        self.name = name
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._server: asyncio.AbstractServer | None = None
        self._qmp: asyncio.StreamWriter | None = None
        self._output: list[asyncio.Future[None]] = []
        self._end: asyncio.Future[None] | None = None

    async def start(self, command: list[str], socket: str, keeper: Keeper) -> int:
        """Start the program, which connects to `socket`; return its process id. Raises OSError."""
        self._server = await asyncio.start_unix_server(self._connected, socket)
        loop = asyncio.get_running_loop()
        # With asyncio's own pipes, its end would not be reported until all its children have closed them.
        pipes = {part: os.pipe() for part in ("stdout", "stderr")}
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=pipes["stdout"][1],
                stderr=pipes["stderr"][1],
                preexec_fn=_prepare,
            )
        finally:
            for _, write_end in pipes.values():
                os.close(write_end)
        keeper.take("group", self._process.pid)
        for part, (read_end, _) in pipes.items():
            reader = asyncio.StreamReader()
            # A closure would see only the reader of the last pipe.
            protocol = asyncio.StreamReaderProtocol(reader)
            await loop.connect_read_pipe(functools.partial(_itself, protocol), os.fdopen(read_end, "rb", 0))
            self._output.append(asyncio.ensure_future(self._pass_on(part, reader)))
        self._end = asyncio.ensure_future(self._tell_end(keeper))
        return self._process.pid

    def pids(self) -> list[int]:
        """Its process ids, including those it started: it may be a script that started the real QEMU."""
        return _tree(self._process.pid) if self._process is not None else []

    def states(self) -> list[tuple[int, str, str]]:
        """Id, name and the kernel's state letter of each of its processes."""
        return [state for state in map(_state, self.pids()) if state is not None]

    def hear(self, data: bytes) -> None:
        """Forward QMP data from the other end; empty data means that the other end closed the connection."""
        if self._qmp is not None:
            if data:
                self._qmp.write(data)
            else:
                self._qmp.close()

    def kill(self) -> None:
        """Kill it and everything that it started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        if self._server is not None:
            self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._qmp = writer
        await self._pass_on("qmp", reader)

    async def _pass_on(self, part: str, reader: asyncio.StreamReader) -> None:
        data = b"?"
        while data:
            try:
                data = await reader.read(_CHUNK_BYTES)
            except OSError:
                data = b""
            await self._tell({"of": self.name, "part": part}, data)

    async def _tell_end(self, keeper: Keeper) -> None:
        assert self._process is not None
        status = await self._process.wait()
        self.kill()  # What is left of its group, before that number can be reused.
        keeper.drop("group", self._process.pid)
        await asyncio.wait(self._output, timeout=_LAST_WORDS_S)
        await self._tell({"of": self.name, "part": "end", "status": status}, b"")


def _itself(protocol: asyncio.StreamReaderProtocol) -> asyncio.StreamReaderProtocol:
    return protocol


def _prepare() -> None:
    # The signal follows the thread that forks: only one thread does, and it lives as long as the process.
    os.setpgid(0, 0)
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _tree(pid: int) -> list[int]:
    pids = [pid]
    for each in pids:
        with suppress(OSError), open(f"/proc/{each}/task/{each}/children") as file:
            pids += map(int, file.read().split())
    return pids


def _state(pid: int) -> tuple[int, str, str] | None:
    try:
        with open(f"/proc/{pid}/stat", errors="replace") as file:
            before, _, after = file.read().rpartition(")")
    except OSError:
        return None
    return pid, before.partition(" (")[2], after.split()[0]
