# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures how much a TCP connection from one host to another carries, where it arrives."""

from __future__ import annotations

import socket
import time

_WINDOWS = 5
_WINDOW_S = 0.1
_SILENT_S = 5.0
_CHUNK_BYTES = 1 << 18


def listen(address: str) -> socket.socket:
    """Listen on a free port at `address`; raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.bind((address, 0))
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    listener.settimeout(_SILENT_S)
    return listener


def receive(listener: socket.socket) -> float:
    """Bytes per second that arrive, the median over windows without the first; raises OSError if nothing arrives."""
    with listener:
        connection, _ = listener.accept()
    rates: list[float] = []
    with connection:
        connection.settimeout(_SILENT_S)
        buffer = bytearray(_CHUNK_BYTES)
        since_s, count = time.monotonic(), 0
        while len(rates) <= _WINDOWS:
            received = connection.recv_into(buffer)
            if not received:
                raise ConnectionResetError("the sender has gone")
            count += received
            now_s = time.monotonic()
            if now_s > since_s + _WINDOW_S:
                rates.append(count / (now_s - since_s))
                since_s, count = now_s, 0
    return sorted(rates[1:])[_WINDOWS // 2]


def send(address: str, port: int) -> None:
    """Send there until the other end has enough; raises OSError if it cannot be reached."""
    chunk = bytes(_CHUNK_BYTES)
    with socket.create_connection((address, port), _SILENT_S) as connection:
        try:
            while True:
                connection.sendall(chunk)
        except (ConnectionResetError, BrokenPipeError):
            return
