# SPDX-License-Identifier: GPL-2.0-or-later
"""What the reaper holds for a process, and how to release each of it.

A lease that would outlive the reaper is a record, so that the journal can keep it. The hold of hugepages is not a
record (reservation.py): the kernel ends it with the reaper.
"""

import errno
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..basics.units import format_size
from .lock import exclusive
from .mounts import unmount
from .pool import pool
from .records import by_kind
from .reservation import shrink

_LAST_WRITES_S = 10.0
_TRY_AGAIN_S = 0.1


class Lease(Protocol):
    """Something to release. Its text names it to a person who has to release it by hand."""

    idempotent: ClassVar[bool]
    """Whether a second release is harmless. It is not if it could take what belongs to somebody else by then."""

    def release(self) -> None:
        """Return it to the host; raises OSError or MigDowntimeError if that fails."""


@dataclass(frozen=True)
class DirectoryLease:
    """A private directory at `path`."""

    kind: ClassVar[str] = "directory"
    idempotent: ClassVar[bool] = True
    path: str

    def __str__(self) -> str:
        return f"the directory {self.path}"

    def release(self) -> None:
        """Delete it with everything in it; raises OSError."""
        deadline_s = time.monotonic() + _LAST_WRITES_S
        while True:
            try:
                return shutil.rmtree(self.path)
            except OSError as error:
                # Children of a killed process, such as tar, go on writing for a moment.
                moving = error.errno in (errno.ENOTEMPTY, errno.ENOENT) and os.path.isdir(self.path)
                if not moving or time.monotonic() > deadline_s:
                    raise
            time.sleep(_TRY_AGAIN_S)


@dataclass(frozen=True)
class MountLease:
    """A private mount of an in-memory file system at `path`."""

    kind: ClassVar[str] = "mount"
    idempotent: ClassVar[bool] = True
    path: str

    def __str__(self) -> str:
        return f"the mount of {self.path}"

    def release(self) -> None:
        """Unmount it, even if it is in use; raises HostRequirementError."""
        unmount(self.path)


@dataclass(frozen=True)
class HugepagesLease:
    """The number of pages (`added`) that the pool of this page size was grown by."""

    kind: ClassVar[str] = "hugepages"
    idempotent: ClassVar[bool] = False
    page_size_bytes: int
    added: int

    def __str__(self) -> str:
        return f"the growth of the pool by {self.added} hugepages of {format_size(self.page_size_bytes)}"

    def release(self) -> None:
        """Shrink the pool again; raises OSError, and HostRequirementError if there is no such pool."""
        its_pool = pool(self.page_size_bytes)
        with exclusive(its_pool.path):
            shrink(its_pool, self.added)


DurableLease = DirectoryLease | MountLease | HugepagesLease
"""Leases that outlive the reaper, so they must be written down."""

DURABLE: Mapping[str, type[DurableLease]] = by_kind((DirectoryLease, MountLease, HugepagesLease))
"""Their classes by kind."""
