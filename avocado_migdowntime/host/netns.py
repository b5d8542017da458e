# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces without a name.

One lasts as long as something refers to it: a descriptor, or a process in it. So it needs no reaper: the kernel
gives it back, with the devices in it, when the process and its QEMUs have ended, whatever way that was. A name, as
`ip netns add` makes it, is a mount that would stay.
"""

import ctypes
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..errors import NotPermittedError

T = TypeVar("T")

_LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
"""linux/sched.h; from Python 3.12 on `os` has these, setns and unshare."""


@dataclass(frozen=True)
class Namespace:
    """A network namespace, by an open descriptor of it.

    `owner` is a descriptor of the user namespace that it belongs to, where that is another than this process's own.
    Only a process with a single thread can go there, such as a child between fork and exec: `run` cannot.
    """

    descriptor: int
    owner: int | None = None

    @property
    def path(self) -> str:
        """A file by which other processes of this user can open it, while this one has it open."""
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    def enter(self) -> None:
        """Bring the calling thread inside, for good; raises OSError."""
        if self.owner is not None:
            _check(_LIBC.setns(self.owner, CLONE_NEWUSER))
        _check(_LIBC.setns(self.descriptor, _CLONE_NEWNET))

    def run(self, function: Callable[[], T]) -> T:
        """What `function` returns or raises; sockets that it makes and processes that it starts stay inside."""

        def inside() -> T:
            self.enter()
            return function()

        return _in_own_thread(inside)


class NoNetwork:
    """A network of a process's own with nothing in it, where that may be made; else the host's."""

    def enter(self) -> None:
        """Bring the calling thread inside, for good."""
        with suppress(OSError):
            unshare(_CLONE_NEWNET)


class Network(Protocol):
    """Where a process can be brought between fork and exec."""

    def enter(self) -> None:
        """Bring the calling thread inside, for good; raises OSError."""


@contextmanager
def new_namespace() -> Iterator[Namespace]:
    """A namespace with nothing in it; raises NotPermittedError where this process may not make one."""
    try:
        descriptor = _in_own_thread(_unshared)
    except OSError as error:
        raise NotPermittedError(
            f"link=shaped needs a network namespace, which cannot be created ({error.strerror}); "
            "run as root, or use link=tcp or link=unix"
        ) from None
    try:
        yield Namespace(descriptor)
    finally:
        os.close(descriptor)


def may_make_networks() -> bool:
    """Whether this process may make network namespaces; root may, as a rule."""
    try:
        os.close(_in_own_thread(_unshared))
    except OSError:
        return False
    return True


def unshare(flag: int) -> None:
    """Take the calling thread into a new namespace of the kind that `flag` names; raises OSError."""
    _check(_LIBC.unshare(flag))


def _unshared() -> int:
    unshare(_CLONE_NEWNET)
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _in_own_thread(function: Callable[[], T]) -> T:
    # A thread has its own network namespace, and keeps it: none that is used for anything else may go in.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function).result()


def _check(status: int) -> None:
    if status:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
