# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces without a name.

Such a namespace lasts as long as a descriptor or a process refers to it. So it needs no reaper: when this process and
its QEMUs have ended, however they ended, the kernel removes it with its devices. A name, as `ip netns add` creates one,
is a mount that would stay.
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
    """A network namespace, held by an open descriptor.

    `owner` is a descriptor of the user namespace that owns it, if that is not this process's own. Only a
    single-threaded process, such as a child between fork and exec, can enter a namespace with an owner; so `run`
    cannot.
    """

    descriptor: int
    owner: int | None = None

    @property
    def path(self) -> str:
        """A path by which other processes of this user can open the namespace, while this process has it open."""
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    def enter(self) -> None:
        """Move the calling thread into it, for good; raises OSError."""
        if self.owner is not None:
            _check(_LIBC.setns(self.owner, CLONE_NEWUSER))
        _check(_LIBC.setns(self.descriptor, _CLONE_NEWNET))

    def run(self, function: Callable[[], T]) -> T:
        """Call `function` inside, and return or raise what it does. Its sockets and child processes stay inside."""

        def inside() -> T:
            self.enter()
            return function()

        return _in_own_thread(inside)


class NoNetwork:
    """An empty network for one process, if this process may create one; else the host's network."""

    def enter(self) -> None:
        """Move the calling thread into it, for good."""
        with suppress(OSError):
            unshare(_CLONE_NEWNET)


class Network(Protocol):
    """A network that a process can be moved into between fork and exec."""

    def enter(self) -> None:
        """Move the calling thread into it, for good; raises OSError."""


@contextmanager
def new_namespace() -> Iterator[Namespace]:
    """An empty namespace; raises NotPermittedError if this process may not create one."""
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
    """Whether this process may create network namespaces; root usually may."""
    try:
        os.close(_in_own_thread(_unshared))
    except OSError:
        return False
    return True


def unshare(flag: int) -> None:
    """Move the calling thread into a new namespace of the kind that `flag` names; raises OSError."""
    _check(_LIBC.unshare(flag))


def _unshared() -> int:
    unshare(_CLONE_NEWNET)
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _in_own_thread(function: Callable[[], T]) -> T:
    # A thread that entered a network namespace stays in it, so no thread with other work may enter.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function).result()


def _check(status: int) -> None:
    if status:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
