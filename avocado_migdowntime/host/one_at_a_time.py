# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs only one timing-sensitive test at a time on a host."""

import errno
import os
import pwd
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from math import inf
from pathlib import Path

from ..errors import HostRequirementError

NAME = "\0avocado-migdowntime"
"""The lock: a name in the abstract namespace of UNIX sockets (unix(7)).

All users of a network namespace compete for it, and one can hold it. It leaves no file behind and ends with its holder.
"""
NEXT = f"{NAME}-next"
"""A second lock, held by the run of this host that goes next, or runs. The holder of NAME never waits for this one."""

_LOOK_AGAIN_S = 0.2
_SAY_AGAIN_S = 10.0
_PROC = Path("/proc")
_CREDENTIALS = struct.Struct("3i")


@contextmanager
def alone_on_host(
    say: Callable[[str], None],
    within_s: float = inf,
    waits: Callable[[], None] = lambda: None,
    *,
    on_others: bool = False,
) -> Iterator[None]:
    """Wait until no other process is in this block; at once, and then every 10 s, `say` gets a line with who is.

    A run that also uses other hosts (`on_others`) takes only NEXT here, and then the turns of all its hosts in one
    fixed order (qemu/places.py): if it took this host's turn first, two runs could wait for each other. `waits` is
    called five times a second, and may raise. Raises HostRequirementError if the same holder stays for longer than
    `within_s`: any user can hold the lock.
    """
    start_s = since_s = time.monotonic()
    last_said_s = start_s - _SAY_AGAIN_S
    who, inodes = "", ("", "")
    with ExitStack() as locks:
        for name in (NEXT,) if on_others else (NEXT, NAME):
            lock = locks.enter_context(socket.socket(socket.AF_UNIX))
            while not _try_bind(lock, name):
                now_s = time.monotonic()
                if (inodes_now := (_inode(NAME), _inode(NEXT))) != inodes:
                    inodes, since_s = inodes_now, now_s
                    who = _holder(inodes[0], NAME) if inodes[0] else _holder(inodes[1], NEXT)
                if now_s > since_s + within_s:
                    raise HostRequirementError(
                        f"one test runs at a time on a host, and {who} has kept others waiting for {within_s:g} s; "
                        "end it, or raise `time_limit`"
                    )
                if now_s >= last_said_s + _SAY_AGAIN_S:
                    last_said_s = now_s
                    say(f"waiting for another test on this host to end, {now_s - start_s:.0f} s so far: {who}")
                time.sleep(_LOOK_AGAIN_S)
                waits()
            # A process that waits asks the kernel who listens.
            lock.listen(socket.SOMAXCONN)
        yield


def _try_bind(lock: socket.socket, name: str) -> bool:
    try:
        lock.bind(name)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def holder(name: str) -> str:
    """Who has the turn; a sentence saying so if this process may not know."""
    return _holder(_inode(name), name)


def _inode(socket_name: str) -> str:
    """The inode number of the socket that has the name; empty if there is none."""
    kernel_name = f"@{socket_name[1:]}"
    with suppress(OSError):
        for line in (_PROC / "net" / "unix").read_text(errors="replace").splitlines():
            *_, inode, name = line.split(maxsplit=7)
            if name == kernel_name:
                return inode
    return ""


def _holder(inode: str, socket_name: str) -> str:
    """Who has the socket with this inode; a sentence saying so if this process may not know."""
    pid, uid = _listener(socket_name)
    if not pid:
        pid, uid = _owner(inode)
    if not pid:
        return "a process that cannot be seen from here; as root, `ss -xp` shows it"
    name = "unknown"
    with suppress(OSError):
        name = (_PROC / str(pid) / "comm").read_text(errors="replace").strip()
    user = str(uid)
    with suppress(KeyError):
        user = pwd.getpwuid(uid).pw_name
    return f"process {pid} ({name}) of user {user}"


def _listener(socket_name: str) -> tuple[int, int]:
    """PID and UID of the listener at the name; zeros if nobody listens, or for a listener in another container."""
    with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
        client.setblocking(False)
        client.connect(socket_name)
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _ = _CREDENTIALS.unpack(credentials)
        return pid, uid
    return 0, 0


def _owner(inode: str) -> tuple[int, int]:
    """PID and UID of a process that has the socket open, among those that this process may inspect; else zeros."""
    for directory in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            if any(os.readlink(each) == f"socket:[{inode}]" for each in (directory / "fd").iterdir()):
                return int(directory.name), directory.stat().st_uid
    return 0, 0
