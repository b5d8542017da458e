# SPDX-License-Identifier: GPL-2.0-or-later
"""The turn for a timing-sensitive test on this host, held by one run at a time: see `host/one_at_a_time.py`."""

from __future__ import annotations

import os
import socket
import struct

_NAME = "\0avocado-migdowntime"
"""The name of the lock, the same as in `host/one_at_a_time.py`."""
_CREDENTIALS = struct.Struct("3i")


def identity() -> str:
    """An identifier of the running kernel and network, which the turn belongs to; empty if unknown."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/net')}"
    except OSError:
        return ""


def take() -> tuple[socket.socket | None, str]:
    """Take the turn, which ends when the socket is closed; or return None and who has it."""
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(_NAME)
    except OSError:
        lock.close()
        return None, _holder()
    lock.listen(16)
    return lock, ""


def holder() -> str:
    """Who has the turn; empty if nobody has."""
    with open("/proc/net/unix", errors="replace") as file:
        names = [line.split()[7:] for line in file]
    return _holder() if [f"@{_NAME[1:]}"] in names else ""


def _holder() -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)
        try:
            client.connect(_NAME)
            pid, uid, _ = _CREDENTIALS.unpack(
                client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            )
        except OSError:
            return "a process that cannot be seen"
    # A process in another PID namespace, such as another container's, has no number here.
    return f"process {pid} of user {uid}" if pid else f"a process of user {uid} that cannot be seen"
