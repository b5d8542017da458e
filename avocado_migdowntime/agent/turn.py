# SPDX-License-Identifier: GPL-2.0-or-later
"""The turn of a timing-sensitive test on this host, which one has at a time, as `host/one_at_a_time.py` says."""

from __future__ import annotations

import os
import socket
import struct

_NAME = "\0avocado-migdowntime"
"""As there."""
_CREDENTIALS = struct.Struct("3i")


def identity() -> str:
    """What is the same where the turn is: of the kernel that runs, the network. Empty where that cannot be told."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/net')}"
    except OSError:
        return ""


def take() -> tuple[socket.socket | None, str]:
    """The turn, which ends when this is closed; or nothing, and who has it."""
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(_NAME)
    except OSError:
        lock.close()
        return None, _holder()
    lock.listen(16)
    return lock, ""


def holder() -> str:
    """Who has the turn; empty where nobody has."""
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
    # One in another namespace of processes, such as another container's, has no number here.
    return f"process {pid} of user {uid}" if pid else f"a process of user {uid} that cannot be seen"
