# SPDX-License-Identifier: GPL-2.0-or-later
"""Relays QMP between QEMU and its user, through a fault."""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..faults.catalogue import NamedFault
from ..faults.fault import Conversation
from .framing import Framing

_CHUNK = 1 << 16
_LAST_WORDS_S = 0.5


async def between(user: socket.socket, qemu: socket.socket, fault: NamedFault) -> None:
    """Relay in both directions until one side closes."""
    conversation = Conversation(fault.make())
    user_reader, user_writer = await asyncio.open_connection(sock=user)
    qemu_reader, qemu_writer = await asyncio.open_connection(sock=qemu)
    directions = [
        asyncio.create_task(_hand_on(user_reader, qemu_writer, lambda message: (conversation.to_qemu(message), 0.0))),
        asyncio.create_task(_hand_on(qemu_reader, user_writer, conversation.from_qemu)),
    ]
    try:
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in directions:
            task.cancel()
        for writer in (user_writer, qemu_writer):
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def serve(listener: socket.socket, qemu_address: bytes, until: int, fault: NamedFault) -> None:
    """Relay for each client, until the pipe `until` shows that QEMU has ended."""
    serving = asyncio.create_task(_serve(listener, qemu_address, fault))
    ended = asyncio.create_task(_closed(until))
    await asyncio.wait((serving, ended), return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait((serving,), timeout=_LAST_WORDS_S)
    Path(listener.getsockname()).unlink(missing_ok=True)
    for task in (serving, ended):
        task.cancel()


async def _serve(listener: socket.socket, qemu_address: bytes, fault: NamedFault) -> None:
    loop = asyncio.get_running_loop()
    listener.setblocking(False)
    with suppress(ConnectionError):  # QEMU has ended.
        while True:
            user, _ = await loop.sock_accept(listener)
            qemu = socket.socket(socket.AF_UNIX)
            qemu.connect(qemu_address)
            await between(user, qemu, fault)


async def _closed(pipe: int) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", 0))
    await reader.read()


async def _hand_on(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    through: Callable[[object], tuple[object, float] | None],
) -> None:
    framing = Framing()
    loop = asyncio.get_running_loop()
    late_ms = 0.0
    with suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            for raw, message in framing.feed(data):
                handed = through(message)
                if handed is None:
                    continue
                altered, late_ms = handed
                out = raw if altered is message else json.dumps(altered).encode() + b"\r\n"
                if late_ms:
                    loop.call_later(late_ms / 1000, writer.write, out)
                else:
                    writer.write(out)
            await writer.drain()
        await asyncio.sleep(late_ms / 1000)
