# SPDX-License-Identifier: GPL-2.0-or-later
"""A directory on hugetlbfs, where files consist of hugepages of one size."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..basics.units import format_size, parse_size
from ..errors import HostRequirementError
from .pool import pool
from .protocol import AcquireHugetlbfs, DirectoryGrant
from .resources import HostResources

_MOUNTS = Path("/proc/mounts")


@contextmanager
def hugetlbfs_directory(resources: HostResources, page_size_bytes: int) -> Iterator[Path]:
    """A directory whose files consist of pages of this size: a private mount for root, else an existing mount.

    Raises HostRequirementError, with the command that fixes it, if there is neither.
    """
    if os.geteuid() == 0:
        with resources.lease(AcquireHugetlbfs(page_size_bytes), DirectoryGrant) as grant:
            yield Path(grant.path)
    else:
        yield _writable_mount(pool(page_size_bytes).page_size_bytes)


def _writable_mount(page_size_bytes: int) -> Path:
    for line in _MOUNTS.read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "hugetlbfs" and _page_size_bytes(options) == page_size_bytes:
            path = Path(_unescaped(where))
            if os.access(path, os.W_OK | os.X_OK):
                return path
    size = format_size(page_size_bytes)
    directory = f"/mnt/huge-{size}"
    raise HostRequirementError(
        f"no hugetlbfs with pages of {size} is mounted for you to write to; as root run "
        f"`mkdir -p {directory} && "
        f"mount -t hugetlbfs -o pagesize={size},mode=1777 none {directory}`"
    )


def _page_size_bytes(options: str) -> int | None:
    match = re.search(r"\bpagesize=(\w+)", options)
    return parse_size(match[1]) if match else None


def _unescaped(path: str) -> str:
    # /proc/mounts writes blanks and backslashes as three octal digits, see fstab(5) and getmntent(3).
    return re.sub(r"\\([0-7]{3})", lambda digits: chr(int(digits[1], 8)), path)
