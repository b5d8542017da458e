# SPDX-License-Identifier: GPL-2.0-or-later
"""What guest RAM is made of, as QEMU's arguments."""

import os
from dataclasses import dataclass
from pathlib import Path

from ..basics.units import format_size
from ..errors import HostRequirementError, UsageError

_ID = "ram"


@dataclass(frozen=True)
class Backing:
    """The RAM of one QEMU: `-machine` wants `memory-backend` set to `memory_backend_id`."""

    kind: str
    page_size_bytes: int
    hugepages_needed: int
    """Of this QEMU alone; 0 where the host's own pages back it."""
    object_arguments: tuple[str, ...]
    memory_backend_id: str = _ID


def plan(
    kind: str,
    page_size_bytes: int,
    ram_bytes: int,
    hugetlbfs_directory: Path | None = None,
    base_bytes: int | None = None,
) -> Backing:
    """The backing of `kind` (anonymous, hugetlbfs or memfd) by pages of this size.

    `base_bytes` are the size of the host's own pages, where that is not this host.

    `hugetlbfs_directory` is needed for hugetlbfs, and has to be of this page size. Raises UsageError where
    kind, page size and RAM do not go together, HostRequirementError for pages smaller than the host's. Source:
    qapi/qom.json of QEMU, MemoryBackendProperties.
    """
    base_bytes = base_bytes or os.sysconf("SC_PAGE_SIZE")
    size, base = format_size(page_size_bytes), format_size(base_bytes)
    if page_size_bytes < base_bytes:
        raise HostRequirementError(
            f"this host's base page size is {base}, so it has no pages of {size}; use page_size={base}"
        )
    if ram_bytes % page_size_bytes:
        above = format_size(ram_bytes - ram_bytes % page_size_bytes + page_size_bytes)
        raise UsageError(f"{format_size(ram_bytes)} of RAM is not a multiple of the page size {size}; try ram={above}")
    huge = page_size_bytes > base_bytes
    # Shared hugepages are promised as QEMU maps them, and where there are too few it refuses to start: see filling.py.
    common = f"id={_ID},size={ram_bytes}"
    match kind, huge:
        case "anonymous", False:
            backend = f"memory-backend-ram,{common}"
        case "memfd", False:
            backend = f"memory-backend-memfd,{common},share=on"
        case "memfd", True:
            backend = f"memory-backend-memfd,{common},share=on,hugetlb=on,hugetlbsize={size}"
        case "hugetlbfs", True:
            path = str(hugetlbfs_directory).replace(",", ",,")
            backend = f"memory-backend-file,{common},share=on,mem-path={path}"
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
    return Backing(kind, page_size_bytes, ram_bytes // page_size_bytes if huge else 0, ("-object", backend))
