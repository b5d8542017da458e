# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures how much a TCP connection from one network namespace to another carries."""

import select
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..errors import HarnessError
from .netns import Namespace

_WINDOWS = 5
_WINDOW_S = 0.1
_SILENT_S = 5.0
_CHUNK_BYTES = 1 << 20


def payload_bytes_per_s(source: Namespace, destination: Namespace, address: str) -> float:
    """Payload that arrives at the destination's `address`, in bytes per second, measured over half a second.

    It is the median over windows that each last from one arrival to another. So a host that stalls for a moment does
    not count, and neither does the first window, which has what a shaper lets through at once. Raises HarnessError if
    nothing arrives.
    """
    try:
        with _connect(source, destination, address) as (sender, receiver):
            _, *rates = _windows(sender, receiver)
    except OSError as error:
        raise HarnessError(
            f"the link between the network namespaces carries nothing ({error}); use link=tcp or link=unix"
        ) from None
    return statistics.median(rates)


@contextmanager
def _connect(source: Namespace, destination: Namespace, address: str) -> Iterator[tuple[socket.socket, socket.socket]]:
    with destination.run(lambda: socket.create_server((address, 0))) as listener:
        listener.settimeout(_SILENT_S)
        sender = source.run(lambda: socket.create_connection(listener.getsockname(), _SILENT_S))
        with sender:
            receiver, _ = listener.accept()
            with receiver:
                yield sender, receiver


def _windows(sender: socket.socket, receiver: socket.socket) -> list[float]:
    rates: list[float] = []
    sender.setblocking(False)
    chunk, buffer = bytes(_CHUNK_BYTES), bytearray(_CHUNK_BYTES)
    window_start_s, last_arrival_s, window_bytes = time.monotonic(), time.monotonic(), 0
    while len(rates) <= _WINDOWS:
        readable, writable, _ = select.select([receiver], [sender], [], _SILENT_S)
        if writable:
            with suppress(BlockingIOError):
                sender.send(chunk)
        now_s = time.monotonic()
        if readable:
            window_bytes += receiver.recv_into(buffer)
            last_arrival_s = now_s
            if now_s > window_start_s + _WINDOW_S:
                rates.append(window_bytes / (now_s - window_start_s))
                window_start_s, window_bytes = now_s, 0
        elif now_s > last_arrival_s + _SILENT_S:
            raise TimeoutError("timed out")
    return rates
