# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts two processes on this host: one serves the other end, and one returns what that has taken.

The other end counts as gone when its connection is closed, or when it has been silent for some seconds: then everything
that runs here is ended. The other end sends something several times a second.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from typing import Any

from .frames import Frames, encode
from .keeper import Keeper, KeeperError, keep
from .service import Service

_LOOK_S, _LATE_S = 0.5, 1.0
_CHUNK_BYTES = 1 << 20


def main(silence_s: float) -> None:
    """Serve whoever is at standard input and output until that ends, or is silent for `silence_s`."""
    ours, keepers = socket.socketpair()
    if os.fork():
        # Its parent's end of the connection would stay open as long as this process has it.
        ours.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        keep(keepers)
        return
    keepers.close()
    status = 1
    try:
        asyncio.run(_serve(Keeper(ours), silence_s))
        status = 0
    finally:
        os._exit(status)  # Do not wait for threads that wait for a dead host.


async def _serve(keeper: Keeper, silence_s: float) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_CHUNK_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)

    async def tell(message: Mapping[str, Any], data: bytes = b"") -> None:
        writer.write(encode(message, data))
        await writer.drain()

    service = Service(keeper, tell)
    try:
        ending = await _listen(reader, service, tell, keeper, silence_s)
    finally:
        failures = service.end()
    if ending is not None:
        await tell({"id": ending, "value": failures})


async def _listen(reader: asyncio.StreamReader, service: Service, tell: Any, keeper: Keeper, silence_s: float) -> Any:
    """Serve until the other end is gone; return the number of its question if it asked to end everything."""
    frames, heard_s, tasks = Frames(), asyncio.get_running_loop().time(), set()
    pending = asyncio.ensure_future(reader.read(_CHUNK_BYTES))
    while True:
        begun_s = asyncio.get_running_loop().time()
        done, _ = await asyncio.wait({pending}, timeout=_LOOK_S)
        now_s = asyncio.get_running_loop().time()
        if now_s > begun_s + _LOOK_S + _LATE_S:
            heard_s = now_s  # This process itself was stopped, and did not listen.
        if not done:
            if now_s - heard_s > silence_s or keeper.is_gone():
                return None
            continue
        data = pending.result()
        if not data:
            return None
        heard_s = now_s
        pending = asyncio.ensure_future(reader.read(_CHUNK_BYTES))
        for message, content in frames.feed(data):
            if "to" in message:
                service.hear(message["to"], content)
            elif message["do"] == "end":
                return message["id"]
            else:
                task = asyncio.ensure_future(_answer(service, tell, message, content))
                tasks.add(task)
                task.add_done_callback(tasks.discard)


async def _answer(service: Service, tell: Any, question: Mapping[str, Any], content: bytes) -> None:
    number = question["id"]
    try:
        value, data = await service.answer(question, content)
        await tell({"id": number, "value": value}, data)
    except KeeperError as lacking:
        await tell({"id": number, "lacking": str(lacking)})
    except Exception as error:
        await tell({"id": number, "failed": str(error) or type(error).__name__})
