# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection with a delay in each direction, as a ProxyCommand of SSH: python long_way.py HOST PORT SECONDS."""

import asyncio
import os
import socket
import sys

_CHUNK_BYTES = 1 << 16


def main() -> None:
    """Relay between standard input and output and that port."""
    host, port, late_s = sys.argv[1:]
    with socket.create_connection((host, int(port))) as there:
        there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asyncio.run(_both_ways(there.fileno(), float(late_s)))


async def _both_ways(there: int, late_s: float) -> None:
    await asyncio.wait(
        [asyncio.create_task(_pass_on(*ends, late_s)) for ends in ((0, there), (there, 1))],
        return_when=asyncio.FIRST_COMPLETED,
    )
    os._exit(0)  # Do not wait for a thread that reads.


async def _pass_on(source: int, destination: int, late_s: float) -> None:
    """Delay everything that is read by that much, in order, however much is in transit."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    leaving = asyncio.create_task(_leave(under_way, destination))
    while data := await asyncio.to_thread(os.read, source, _CHUNK_BYTES):
        under_way.put_nowait((loop.time() + late_s, data))
    leaving.cancel()


async def _leave(under_way: "asyncio.Queue[tuple[float, bytes]]", destination: int) -> None:
    while True:
        due_s, data = await under_way.get()
        await asyncio.sleep(due_s - asyncio.get_running_loop().time())
        while data:
            data = data[await asyncio.to_thread(os.write, destination, data) :]


if __name__ == "__main__":
    main()
