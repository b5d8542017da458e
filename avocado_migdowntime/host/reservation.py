# SPDX-License-Identifier: GPL-2.0-or-later
"""Reserves hugepages that nobody else is counting on.

If two runs saw the same free pages, both would take them. So a run *holds* its pages from the moment it finds them: a
mapping of that many pages makes the kernel reserve them, without touching any, against everybody on the host. So runs
need no ledger among themselves, other software is kept off as well, existing pages are used, and the pages of a dead
run are free at once.

The hold is dropped when QEMU is about to map the pages. Until QEMU has done so, a shared lock of the pool keeps other
runs, which need it exclusively, from getting in between.
"""

import mmap
import os
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from ..basics.units import MIB, format_size
from ..errors import HostRequirementError
from .pool import Pool, memory_bytes

KEPT_FREE_BYTES = 512 * MIB
"""Memory that a reservation must leave to the rest of the host."""


class Hold:
    """Makes the kernel reserve ``count`` free hugepages, until ``release`` or the end of the process.

    Raises OSError (ENOMEM) if there are not as many.
    """

    idempotent: ClassVar[bool] = True

    def __init__(self, pool: Pool, count: int) -> None:
        self._text = f"the hold of {count} hugepages of {format_size(pool.page_size_bytes)}"
        length = pool.page_size_bytes * count
        size_flag = (pool.page_size_bytes.bit_length() - 1) << os.MFD_HUGE_SHIFT
        file = os.memfd_create("migdowntime-hold", os.MFD_CLOEXEC | os.MFD_HUGETLB | size_flag)
        try:
            os.ftruncate(file, length)
            self._mapping = mmap.mmap(file, length)
        finally:
            os.close(file)

    def __str__(self) -> str:
        return self._text

    def release(self) -> None:
        """Give up the pages."""
        self._mapping.close()


def reserve(pool: Pool, count: int, allowed: bool) -> tuple[int, Hold]:
    """Hold ``count`` pages, growing the pool by what is missing; the caller holds the pool's exclusive lock.

    Returns the number of pages that the pool was grown by, and the hold. Raises HostRequirementError and leaves the
    pool as it was.
    """
    try:
        return 0, Hold(pool, count)
    except OSError:
        counters = pool.counters()
    size = format_size(pool.page_size_bytes)
    # Others give up pages without the lock, so more may be free by now than are wanted.
    missing = max(0, count - counters.available)
    command = pool.grow_command(missing)
    if not (allowed and pool.resizable):
        remedy = "as root" if allowed else "allow to reserve them (reserve_hugepages=yes) as root, or"
        raise HostRequirementError(
            f"{count} free hugepages of {size} are needed, {counters.available} are available; use 4 KiB pages "
            f"(-p page_size=4K; avocado run: --migdowntime-page-size 4K), or {remedy} run `{command}`"
        )
    _leave_memory(pool, missing)
    # Surplus pages are in use by a run that is about to end. A pool that grows first takes these in. The total counts
    # them, so the pool grows by them as well.
    before, wanted = pool.size_pages, counters.total + missing
    try:
        if (now := pool.resize(wanted)) < wanted:
            _compact_memory()
            now = pool.resize(wanted)
        if now < wanted:
            raise HostRequirementError(
                f"the kernel gave {max(0, now - counters.total)} of {missing} more hugepages of "
                f"{size}, as its free memory is fragmented; soon after boot run `{command}`"
            )
        return now - before, Hold(pool, count)
    except OSError as error:
        pool.resize(before)
        raise HostRequirementError(
            f"{count} hugepages of {size} were reserved but cannot be used ({error.strerror}); check whether other "
            "software takes them or a cgroup limits them"
        ) from None
    except HostRequirementError:
        pool.resize(before)
        raise


def _leave_memory(pool: Pool, missing: int) -> None:
    there, wanted = memory_bytes("MemAvailable"), missing * pool.page_size_bytes
    if there - wanted < KEPT_FREE_BYTES:
        raise HostRequirementError(
            f"{missing} more hugepages of {format_size(pool.page_size_bytes)} would take "
            f"{wanted // MIB} MiB of the {there // MIB} MiB of memory available, and {KEPT_FREE_BYTES // MIB} MiB "
            "have to stay free; give the guest less ram"
        )


def _compact_memory() -> None:
    with suppress(OSError):  # The kernel may lack compaction; the next attempt shows whether it helped.
        Path("/proc/sys/vm/compact_memory").write_text("1")


def shrink(pool: Pool, added: int) -> None:
    """Shrink the pool by the ``added`` pages; the caller holds the pool's exclusive lock."""
    pool.resize(max(0, pool.size_pages - added))
