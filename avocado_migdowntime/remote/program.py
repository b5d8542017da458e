# SPDX-License-Identifier: GPL-2.0-or-later
"""A program on another host that appears to run here: it prints into pipes, and connects to a socket."""

import asyncio
import os
from pathlib import Path
from typing import Any

from ..host.process_group import Process
from .conversation import Conversation

_CHUNK_BYTES = 1 << 16


class FarProgram:
    """A program there, by name: it prints into the pipes `stdout` and `stderr`, and connects to the socket `qmp`."""

    def __init__(self, conversation: Conversation, name: str, qmp: Path) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self._conversation = conversation
        self._name = name
        self._qmp = qmp
        self._over = asyncio.Event()
        self._output: asyncio.Queue[bytes] = asyncio.Queue()
        self._pipes: dict[str, asyncio.WriteTransport] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, command: list[str], stdout: int, stderr: int) -> None:
        """Start it; raises HarnessError if that fails, HostRequirementError if that host lacks something."""
        loop = asyncio.get_running_loop()
        for part, pipe in (("stdout", stdout), ("stderr", stderr)):
            file = os.fdopen(os.dup(pipe), "wb", 0)
            transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, file)
            self._pipes[part] = transport
        self._conversation.hear(self._name, self._hear)
        try:
            self.pid, _ = await self._conversation.ask("launch", name=self._name, command=command)
        except BaseException:
            self._close()
            raise
        self._tasks.append(asyncio.create_task(self._speak()))

    @property
    def loss(self) -> str:
        """Why it cannot be reached; empty if it can."""
        return self._conversation.loss

    async def wait(self) -> int | None:
        """Wait for its exit status; None if that cannot be known."""
        await self._over.wait()
        return self.returncode

    def kill(self) -> None:
        """Kill it and everything that it started."""
        self._tasks.append(asyncio.create_task(self._kill()))

    def processes(self) -> tuple[Process, ...]:
        """The last known states of its processes."""
        return tuple(Process(*state) for state in self._conversation.states.get(self._name, []))

    async def _kill(self) -> None:
        if not self._over.is_set() and not self._conversation.loss:
            try:
                await self._conversation.ask("kill", name=self._name)
            except Exception:  # It is gone, as intended.
                self._over.set()

    def _hear(self, part: str, message: dict[str, Any], data: bytes) -> None:
        if part == "qmp":
            self._output.put_nowait(data)
        elif part in self._pipes and data:
            self._pipes[part].write(data)
        elif part in ("end", "lost"):
            self.returncode = message.get("status")
            self._close()

    def _close(self) -> None:
        self._output.put_nowait(b"")
        for pipe in self._pipes.values():
            pipe.close()
        self._over.set()

    async def _speak(self) -> None:
        """Connect to the socket here once the program connects there, and relay in both directions."""
        if not (data := await self._output.get()):
            return
        reader, writer = await asyncio.open_unix_connection(str(self._qmp))
        listening = asyncio.create_task(self._listen(reader))
        try:
            while data:
                writer.write(data)
                await writer.drain()
                data = await self._output.get()
        except OSError:
            pass  # The other end is closed: nobody listens any more.
        finally:
            writer.close()
            listening.cancel()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        data = b"?"
        while data:
            try:
                data = await reader.read(_CHUNK_BYTES)
            except OSError:
                data = b""
            await self._conversation.say(self._name, data)
