# SPDX-License-Identifier: GPL-2.0-or-later
"""The keeper: a process that takes resources of the host, and returns them when the process that asked is gone.

It does both itself, so it knows exactly what to return. If the keeper is killed, the process that asked returns what it
was granted: whichever of the two ends first, the other is there.
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
    """The host does not provide what was asked for."""


class Leases:
    """What there is to return, the latest first."""

    def __init__(self) -> None:
        self._leases: list[tuple[str, Any]] = []

    def take(self, kind: str, what: Any) -> Any:
        """Take a resource of the host; raises OSError."""
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
        """Record what the other process has taken."""
        self._leases.append((kind, what))

    def release(self) -> list[str]:
        """Return everything; list what could not be returned."""
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
    """Grow a pool, whose lock the asking process holds; return the growth in pages."""
    before, there = _size(path), _number(path)
    _resize(path, there + pages)
    return max(0, _size(path) - before)


def _shrink(what: Any) -> None:
    with open(what["path"]) as lock:
        _lock(lock)
        _resize(what["path"], max(0, _size(what["path"]) - what["added"]))


def _lock(pool: IO[str]) -> None:
    """Keep others from resizing the pool. Give up after a while: the holder may be waiting for this process."""
    for _ in range(_LOCK_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(pool, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_LOCK_TRY_S)


def _size(path: str) -> int:
    """The size that the pool was set to, without the surplus pages, which leave when they are freed."""
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
    """The asking process's side."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._reader = channel.makefile("r")
        self._granted = Leases()
        self._one = threading.Lock()

    def take(self, kind: str, what: Any = None) -> Any:
        """Return what the host has given; raises KeeperError if it refuses, ConnectionError if the keeper is gone."""
        with self._one:
            granted = self._ask("take", kind, what)
            self._granted.remember(kind, granted)
        return granted

    def drop(self, kind: str, what: Any) -> None:
        """Forget a resource that has ended by itself."""
        with self._one:
            self._granted.drop(kind, what)
            self._ask("drop", kind, what)

    def is_gone(self) -> bool:
        """Whether the keeper has ended; it never sends anything unasked."""
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
        """Return everything; list what could not be returned."""
        try:
            self._channel.shutdown(socket.SHUT_WR)
            line = self._reader.readline()
        except OSError:
            line = ""
        failures: list[str] = json.loads(line) if line else self._granted.release()
        return failures


def keep(channel: socket.socket) -> None:
    """Take what is asked for until the other end is closed or its process dies; then return everything."""
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
    except (OSError, ValueError):  # The other process was killed within a line.
        pass
    failures = leases.release()
    with suppress(OSError):
        channel.sendall(json.dumps(failures).encode() + b"\n")
