# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be borrowed from the host: for each kind how it is taken, what is owed then, how that is undone.

Everything here runs in the reaper process. It takes things itself, rather than being told of them, so that
what is owed is known exactly: a borrower killed while it grew a pool would leave no trace of how far the
kernel had got.
"""

import errno
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ..basics.units import format_size
from ..errors import HostRequirementError
from .lock import exclusive
from .pool import pool
from .reservation import give_back, reserve

_LAST_WRITES_S = 10.0
_TRY_AGAIN_S = 0.1


class Lease(Protocol):
    """Something to be undone, once."""

    def release(self) -> None:
        """Give it back; raises OSError or MigDowntimeError if that fails."""


Register = Callable[[Lease], int]
"""Remembers a lease, returns the number by which to ask for its end."""


@dataclass(frozen=True)
class Directory:
    """A private directory."""

    path: str

    def release(self) -> None:
        deadline_s = time.monotonic() + _LAST_WRITES_S
        while True:
            try:
                return shutil.rmtree(self.path)
            except OSError as error:
                # What a borrower had started that was killed, such as tar, goes on writing for a moment.
                moving = error.errno in (errno.ENOTEMPTY, errno.ENOENT) and os.path.isdir(self.path)
                if not moving or time.monotonic() > deadline_s:
                    raise
            time.sleep(_TRY_AGAIN_S)


@dataclass(frozen=True)
class Mount:
    """A private mount of a file system in memory."""

    path: str

    def release(self) -> None:
        # Lazily: the name goes at once, the file system when the last QEMU has closed its files.
        _run("umount", "--lazy", self.path)


@dataclass(frozen=True)
class Hugepages:
    """Pages that a pool was grown by."""

    page_size_bytes: int
    added: int

    def release(self) -> None:
        its_pool = pool(self.page_size_bytes)
        with exclusive(its_pool.path):
            give_back(its_pool, self.added)


def take_directory(register: Register, within: str = "/tmp") -> dict[str, Any]:
    """A fresh directory, by default for sockets: their paths may have 107 bytes, and $TMPDIR can be long."""
    made = tempfile.mkdtemp(prefix="migdowntime-", dir=within)
    return {"owed": [register(Directory(made))], "path": made}


def take_hugetlbfs(register: Register, page_size_bytes: int) -> dict[str, Any]:
    """A fresh mount of hugetlbfs."""
    size = format_size(pool(page_size_bytes).page_size_bytes)
    made = take_directory(register)
    _run("mount", "-t", "hugetlbfs", "-o", f"pagesize={size},mode=0700", "none", made["path"])
    return {"owed": [register(Mount(made["path"])), *made["owed"]], "path": made["path"]}


def take_hugepages(register: Register, page_size_bytes: int, count: int, allowed: bool) -> dict[str, Any]:
    """Hugepages for nobody else: ``hold`` is the number of the hold, to be undone when QEMU takes them."""
    its_pool = pool(page_size_bytes)
    with exclusive(its_pool.path):
        added, hold = reserve(its_pool, count, allowed)
        owed = [register(Hugepages(page_size_bytes, added))] if added else []
        held = register(hold)
    return {"owed": [held, *owed], "hold": held, "added": added}


TAKE: dict[str, Callable[..., dict[str, Any]]] = {
    "directory": take_directory,
    "hugetlbfs": take_hugetlbfs,
    "hugepages": take_hugepages,
}

LASTING: dict[str, Callable[..., Lease]] = {kind.__name__: kind for kind in (Directory, Mount, Hugepages)}
"""Leases that outlive the reaper, and so have to be written down."""


def _run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HostRequirementError(
            f"`{' '.join(command)}` failed with {done.stderr.strip()!r}; "
            "it needs root and the right to mount file systems"
        )
