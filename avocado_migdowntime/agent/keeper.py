# SPDX-License-Identifier: GPL-2.0-or-later
"""A process that takes things of the host, and gives them back when whoever asked for them is gone.

It does both itself, so that it knows exactly what there is to give back. Should it be killed, the one that asked gives
back what it was granted: whichever of the two ends first, the other is there.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

_LIBC = ctypes.CDLL(None, use_errno=True)
_MNT_DETACH = 2
_LOCK_TRIES, _LOCK_TRY_S = 50, 0.1
_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGPIPE)


class KeeperError(Exception):
    """The host does not give what it was asked for."""


class Leases:
    """What there is to give back, the latest first."""

    def __init__(self) -> None:
        self._leases: list[tuple[str, Any]] = []

    def take(self, kind: str, what: Any) -> Any:
        """Take something of the host; raises OSError."""
        if kind == "directory":
            what = tempfile.mkdtemp(prefix="migdowntime-", dir="/tmp")
        elif kind == "mount":
            _mount(what["path"], what["page_bytes"])
        elif kind == "pages":
            what = {"path": what["path"], "added": _grow(what["path"], what["pages"])}
        self._leases.append((kind, what))
        return what

    def drop(self, kind: str, what: Any) -> None:
        """Forget what has ended by itself."""
        self._leases.remove((kind, what))

    def remember(self, kind: str, what: Any) -> None:
        """Know of what the other has taken."""
        self._leases.append((kind, what))

    def release(self) -> list[str]:
        """Give all of it back; tells what could not be."""
        failures = []
        while self._leases:
            kind, what = self._leases.pop()
            try:
                _RELEASE[kind](what)
            except OSError as error:
                failures.append(f"the {kind} {what} could not be released: {error}")
        return failures


def _mount(path: str, page_bytes: int) -> None:
    options = f"pagesize={page_bytes}".encode()
    if _LIBC.mount(b"none", path.encode(), b"hugetlbfs", 0, options):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _unmount(what: Any) -> None:
    _LIBC.umount2(what["path"].encode(), _MNT_DETACH)


def _grow(path: str, pages: int) -> int:
    """Grow a pool, whose lock the one that asks has; gives by how many pages."""
    before, there = _size(path), _number(path)
    _resize(path, there + pages)
    return max(0, _size(path) - before)


def _shrink(what: Any) -> None:
    with open(what["path"]) as lock:
        _lock(lock)
        _resize(what["path"], max(0, _size(what["path"]) - what["added"]))


def _lock(pool: IO[str]) -> None:
    """Keep others from resizing it; one that holds it for longer than any launch takes may be the one that waits."""
    for _ in range(_LOCK_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(pool, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_LOCK_TRY_S)


def _size(path: str) -> int:
    """Pages that the pool was told to have: not the surplus ones, which leave when they are freed."""
    surplus_path = os.path.join(os.path.dirname(path), "surplus_hugepages")
    surplus = None
    while surplus != (surplus := _number(surplus_path)):
        total = _number(path)
    return total - surplus


def _resize(path: str, pages: int) -> None:
    with open(path, "w") as file:
        file.write(str(pages))


def _kill(group: Any) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _number(path: str) -> int:
    with open(path) as file:
        return int(file.read())


_RELEASE: dict[str, Callable[[Any], Any]] = {
    "directory": shutil.rmtree,
    "mount": _unmount,
    "pages": _shrink,
    "group": _kill,
}


class Keeper:
    """The side of the process that asks."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._reader = channel.makefile("r")
        self._granted = Leases()
        self._one = threading.Lock()

    def take(self, kind: str, what: Any = None) -> Any:
        """What the host has given; raises KeeperError where it does not, ConnectionError where the keeper is gone."""
        with self._one:
            granted = self._ask("take", kind, what)
            self._granted.remember(kind, granted)
        return granted

    def drop(self, kind: str, what: Any) -> None:
        """Have it forgotten, as it has ended by itself."""
        with self._one:
            self._granted.drop(kind, what)
            self._ask("drop", kind, what)

    def is_gone(self) -> bool:
        """Whether the other process has ended; it says nothing unless it is asked."""
        try:
            return not self._channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False

    def _ask(self, do: str, kind: str, what: Any) -> Any:
        self._channel.sendall(json.dumps([do, kind, what]).encode() + b"\n")
        line = self._reader.readline()
        if not line:
            raise ConnectionError("the process that releases what was taken from this host has ended")
        granted, refusal = json.loads(line)
        if refusal:
            raise KeeperError(refusal)
        return granted

    def release(self) -> list[str]:
        """Have all of it given back; tells what could not be."""
        try:
            self._channel.shutdown(socket.SHUT_WR)
            line = self._reader.readline()
        except OSError:
            line = ""
        failures: list[str] = json.loads(line) if line else self._granted.release()
        return failures


def keep(channel: socket.socket) -> None:
    """Take what is asked for until the other end is closed or its process dies; then give all of it back."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    leases = Leases()
    reader = channel.makefile("r")
    try:
        for line in reader:
            do, kind, what = json.loads(line)
            try:
                answer = [getattr(leases, do)(kind, what), ""]
            except OSError as error:
                answer = [None, str(error)]
            channel.sendall(json.dumps(answer).encode() + b"\n")
    except (OSError, ValueError):  # It was killed amidst of a line.
        pass
    failures = leases.release()
    with suppress(OSError):
        channel.sendall(json.dumps(failures).encode() + b"\n")
