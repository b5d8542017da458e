# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's pools of hugepages: one for each page size, over all NUMA nodes.

Source: Documentation/admin-guide/mm/hugetlbpage.rst and mm/hugetlb.c of Linux.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from ..basics.units import KIB, format_size
from ..errors import HostRequirementError

_SYSFS = Path("/sys/kernel/mm/hugepages")


@dataclass(frozen=True)
class Counters:
    """Pages of one pool: total; free; free but reserved for a mapping; surplus, those beyond the pool's set size."""

    total: int
    free: int
    reserved: int
    surplus: int

    @property
    def available(self) -> int:
        """Pages that a new user can have."""
        return self.free - self.reserved


@dataclass(frozen=True)
class Pool:
    """The hugepages of one size."""

    page_size_bytes: int

    @property
    def path(self) -> Path:
        """The file that sets the pool's size; it is also the file to lock while changing the size.

        Everybody can open it for reading, which is all that a lock needs, and it needs no creation and no cleanup.
        """
        return _SYSFS / f"hugepages-{self.page_size_bytes // KIB}kB" / "nr_hugepages"

    def counters(self) -> Counters:
        """The kernel's current counts."""
        return Counters(*(self._read(name) for name in ("nr", "free", "resv", "surplus")))

    @property
    def size_pages(self) -> int:
        """The size that the pool was set to, in pages.

        ``nr_hugepages`` reads as this plus the surplus pages, which leave when they are freed.
        """
        surplus = None
        while surplus != (surplus := self._read("surplus")):
            total = self._read("nr")
        return total - surplus

    @property
    def resizable(self) -> bool:
        """Whether this process may change the pool's size (also false if /sys is read-only)."""
        return os.access(self.path, os.W_OK)

    def resize(self, pages: int) -> int:
        """Set the pool's size to ``pages``, and return the size that it then has.

        When growing, the kernel gives what it can. When shrinking, pages in use or reserved become surplus and leave
        when they are freed, so shrinking does not harm a QEMU that is not quite gone yet (measured on 6.18, 2M and 1G).
        """
        self.path.write_text(str(pages))
        return self.size_pages

    def grow_command(self, missing_pages: int) -> str:
        """The command by which root adds ``missing_pages``."""
        wanted = self.counters().total + missing_pages
        if self.page_size_bytes == _default_page_size_bytes():
            return f"sysctl vm.nr_hugepages={wanted}"
        return f"echo {wanted} > {self.path}"

    def _read(self, name: str) -> int:
        return int(self.path.with_name(f"{name}_hugepages").read_text())


def pools() -> tuple[Pool, ...]:
    """The host's pools, smallest page size first; empty if the kernel has none."""
    names = [directory.name for directory in _SYSFS.glob("hugepages-*kB")]
    sizes_kib = [int(name.removeprefix("hugepages-").removesuffix("kB")) for name in names]
    return tuple(Pool(size * KIB) for size in sorted(sizes_kib))


def pool(page_size_bytes: int) -> Pool:
    """The pool of this page size; if there is none, raises HostRequirementError, which lists the sizes there are."""
    available = pools()
    if (wanted := Pool(page_size_bytes)) in available:
        return wanted
    sizes = ", ".join(format_size(each.page_size_bytes) for each in available) or "no other size"
    raise HostRequirementError(
        f"this host has no hugepages of {format_size(page_size_bytes)}, but {sizes}; choose a page_size that it has"
    )


def _default_page_size_bytes() -> int:
    return memory_bytes("Hugepagesize")


def memory_bytes(name: str) -> int:
    """A figure of /proc/meminfo, such as ``MemAvailable``, in bytes."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        key, value = line.split(":")
        if key == name:
            return int(value.split()[0]) * KIB
    raise HostRequirementError(f"/proc/meminfo has no line {name!r}; a Linux kernel with hugepages is needed")
