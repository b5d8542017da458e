# SPDX-License-Identifier: GPL-2.0-or-later
"""How the reaper acquires what a process asks for.

The reaper acquires resources itself instead of being told about them, so it knows exactly what to release: a process
killed while it grew a pool would leave no trace of how far the kernel had got. Each part is registered as soon as it
exists, so a request that fails half-way leaves nothing behind.
"""

import tempfile
from collections.abc import Callable

from .leases import DirectoryLease, HugepagesLease, Lease, MountLease
from .lock import exclusive
from .mounts import mount_hugetlbfs
from .pool import pool
from .protocol import (
    Acquire,
    AcquireDirectory,
    AcquireHugepages,
    AcquireHugetlbfs,
    DirectoryGrant,
    Grant,
    HugepagesGrant,
)
from .reservation import reserve

Register = Callable[[Lease], int]
"""Records a lease and returns its number."""


def acquire(request: Acquire, register: Register) -> Grant:
    """Acquire what a request names; register each lease as it comes into being.

    Raises HostRequirementError if the host lacks it, and OSError. The caller must then release what was registered
    before.
    """
    match request:
        case AcquireDirectory(within):
            return _directory(within, register)
        case AcquireHugetlbfs(page_size_bytes):
            return _hugetlbfs(page_size_bytes, register)
        case AcquireHugepages(page_size_bytes, count, allowed):
            return _hugepages(page_size_bytes, count, allowed, register)


def _directory(within: str, register: Register) -> DirectoryGrant:
    path = tempfile.mkdtemp(prefix="migdowntime-", dir=within)
    return DirectoryGrant(path, (register(DirectoryLease(path)),))


def _hugetlbfs(page_size_bytes: int, register: Register) -> DirectoryGrant:
    its_pool = pool(page_size_bytes)
    directory = _directory("/tmp", register)
    mount_hugetlbfs(directory.path, its_pool.page_size_bytes)
    return DirectoryGrant(directory.path, (register(MountLease(directory.path)), *directory.leases))


def _hugepages(page_size_bytes: int, count: int, allowed: bool, register: Register) -> HugepagesGrant:
    its_pool = pool(page_size_bytes)
    with exclusive(its_pool.path):
        added, hold = reserve(its_pool, count, allowed)
        growth = (register(HugepagesLease(page_size_bytes, added)),) if added else ()
        hold_number = register(hold)
    return HugepagesGrant(added, hold_number, (hold_number, *growth))
