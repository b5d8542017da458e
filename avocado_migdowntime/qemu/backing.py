# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's arguments for the memory behind guest RAM."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..basics.units import format_size
from ..errors import HostRequirementError, UsageError

_ID = "ram"


@dataclass(frozen=True)
class Backing:
    """The RAM of one QEMU. A single entry of `memory_backends` goes to `-machine`; with several, each backs a NUMA
    node.
    """

    kind: str
    page_size_bytes: int
    hugepages_needed: int
    """Hugepages for this QEMU alone; 0 if the host's base pages back it."""
    object_arguments: tuple[str, ...]
    memory_backends: tuple[str, ...] = (_ID,)

    @property
    def in_one_file(self) -> bool:
        """Whether all of the RAM can be read from one file that QEMU has open."""
        return self.kind != "anonymous" and len(self.memory_backends) == 1

    @property
    def machine_options(self) -> Mapping[str, str]:
        """Options for `-machine`."""
        return {"memory-backend": self.memory_backends[0]} if len(self.memory_backends) == 1 else {}

    @property
    def numa_arguments(self) -> tuple[str, ...]:
        """QEMU's arguments for the NUMA nodes, if there are several."""
        if len(self.memory_backends) == 1:
            return ()
        return tuple(word for name in self.memory_backends for word in ("-numa", f"node,memdev={name}"))


def plan(
    kind: str,
    page_size_bytes: int,
    ram_bytes: int,
    hugetlbfs_directory: Path | None = None,
    base_bytes: int | None = None,
    nodes: int = 1,
) -> Backing:
    """The backing of `kind` (anonymous, hugetlbfs or memfd) in pages of `page_size_bytes`, split over `nodes` NUMA
    nodes.

    `base_bytes` is the base page size of the host; give it if the QEMU runs on another host. kind hugetlbfs needs a
    `hugetlbfs_directory` of this page size. Raises UsageError if kind, page size and RAM do not fit together, and
    HostRequirementError if the page size is below the host's. Source: qapi/qom.json of QEMU, MemoryBackendProperties.
    """
    base_bytes = base_bytes or os.sysconf("SC_PAGE_SIZE")
    size, base = format_size(page_size_bytes), format_size(base_bytes)
    if page_size_bytes < base_bytes:
        raise HostRequirementError(
            f"the host's base page size is {base}, so it has no pages of {size}; use page_size={base}"
        )
    if ram_bytes % (page_size_bytes * nodes):
        above = format_size(ram_bytes - ram_bytes % (page_size_bytes * nodes) + page_size_bytes * nodes)
        each = f" for each of {nodes} NUMA nodes" if nodes > 1 else ""
        raise UsageError(
            f"{format_size(ram_bytes)} of RAM is not a multiple of the page size {size}{each}; try ram={above}"
        )
    huge = page_size_bytes > base_bytes
    # The kernel reserves shared hugepages when QEMU maps them; QEMU refuses to start if there are too few (see
    # filling.py).
    names = (_ID,) if nodes == 1 else tuple(f"{_ID}{node}" for node in range(nodes))
    # With several backends QEMU must allocate the pages itself: from outside, their files cannot be told apart.
    preallocated = ",prealloc=on" if huge and nodes > 1 else ""
    match kind, huge:
        case "anonymous", False:
            backend, more = "memory-backend-ram", ""
        case "memfd", False:
            backend, more = "memory-backend-memfd", ",share=on"
        case "memfd", True:
            backend, more = "memory-backend-memfd", f",share=on,hugetlb=on,hugetlbsize={size}"
        case "hugetlbfs", True:
            path = str(hugetlbfs_directory).replace(",", ",,")
            backend, more = "memory-backend-file", f",share=on,mem-path={path}"
        case "anonymous", True:
            raise UsageError(
                f"anonymous memory has the host's pages of {base}, not {size}; use backing=memfd "
                f"or backing=hugetlbfs, or page_size={base}"
            )
        case "hugetlbfs", False:
            raise UsageError(
                f"hugetlbfs has hugepages only, not the host's pages of {size}; use backing=memfd "
                "or backing=anonymous, or a larger page_size"
            )
        case _:
            raise UsageError(f"{kind!r} is not a backing for guest RAM; use anonymous, hugetlbfs or memfd")
    objects = (f"{backend},id={name},size={ram_bytes // nodes}{more}{preallocated}" for name in names)
    arguments = tuple(word for each in objects for word in ("-object", each))
    return Backing(kind, page_size_bytes, ram_bytes // page_size_bytes if huge else 0, arguments, names)
