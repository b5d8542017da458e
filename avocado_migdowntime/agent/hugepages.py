# SPDX-License-Identifier: GPL-2.0-or-later
"""Reserves hugepages of this host that nobody else counts on, as `host/reservation.py` does on its own host.

Both lock the pool's file, and both hold free pages by a mapping until a QEMU takes them.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from typing import IO

from . import look
from .keeper import Keeper, KeeperError

_KEPT_FREE_BYTES = 512 << 20
_MFD_HUGETLB, _MFD_HUGE_SHIFT = 4, 26
_SYSFS = "/sys/kernel/mm/hugepages"


class Hugepages:
    """The hugepages of one size for one run."""

    def __init__(self, keeper: Keeper, page_bytes: int) -> None:
        self._keeper = keeper
        self._page_bytes = page_bytes
        self._pool = f"{_SYSFS}/hugepages-{page_bytes >> 10}kB"
        if not os.path.isdir(self._pool):
            there = sorted(int(name[len("hugepages-") : -len("kB")]) for name in _listed(_SYSFS))
            sizes = ", ".join(f"{size} KiB" for size in there) or "no hugepages at all"
            raise KeeperError(f"it has no hugepages of {page_bytes >> 10} KiB but {sizes}; choose a page_size it has")
        self._hold: mmap.mmap | None = None
        self._lock: IO[str] | None = None

    def hugetlbfs(self, directory: str) -> str:
        """A directory whose files consist of these pages; raises KeeperError if there is none."""
        if os.geteuid() == 0:
            path = os.path.join(directory, "huge")
            os.mkdir(path)
            self._keeper.take("mount", {"path": path, "page_bytes": self._page_bytes})
            return path
        with open("/proc/mounts") as mounts:
            for line in mounts:
                _, where, kind, options, *_ = line.split()
                if kind == "hugetlbfs" and self._is_size(options) and os.access(where, os.W_OK | os.X_OK):
                    return where
        size = f"{self._page_bytes >> 20}M"
        raise KeeperError(
            f"no hugetlbfs with pages of {size} is mounted that this user can write to; as root run there "
            f"`mkdir -p /mnt/huge-{size} && mount -t hugetlbfs -o pagesize={size},mode=1777 none /mnt/huge-{size}`"
        )

    def reserve(self, count: int, allowed: bool) -> int:
        """Hold `count` pages, growing the pool by what is missing; return the growth. Raises KeeperError."""
        with open(f"{self._pool}/nr_hugepages") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._try(count):
                return 0
            missing = max(0, count - (self._number("free") - self._number("resv")))
            path = f"{self._pool}/nr_hugepages"
            command = f"echo {self._number('nr') + missing} > {path}"
            if not (allowed and os.access(path, os.W_OK)):
                raise KeeperError(
                    f"{count} free hugepages of {self._page_bytes >> 10} KiB are needed, {count - missing} are "
                    f"available; as root run there `{command}`"
                )
            if look.memory_available() - missing * self._page_bytes < _KEPT_FREE_BYTES:
                raise KeeperError(f"{missing} more hugepages would leave it too little memory; give the guest less ram")
            added: int = self._keeper.take("pages", {"path": path, "pages": missing})["added"]
            if not self._try(count):
                raise KeeperError(
                    f"its kernel could add only {added} of {missing} hugepages of {self._page_bytes >> 10} KiB; "
                    f"run there, soon after its boot, `{command}`"
                )
            return added

    def hand_over(self) -> None:
        """Until `handed_over`, let only the QEMU that is launched next take the pages."""
        self._lock = open(f"{self._pool}/nr_hugepages")  # noqa: SIM115 - until it is handed over
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        if self._hold is not None:
            self._hold.close()
            self._hold = None

    def handed_over(self) -> None:
        """Let others reserve again."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _try(self, count: int) -> bool:
        log2 = self._page_bytes.bit_length() - 1
        file = os.memfd_create("migdowntime-hold", os.MFD_CLOEXEC | _MFD_HUGETLB | log2 << _MFD_HUGE_SHIFT)
        try:
            os.ftruncate(file, count * self._page_bytes)
            self._hold = mmap.mmap(file, count * self._page_bytes)
        except OSError:
            return False
        finally:
            os.close(file)
        return True

    def _is_size(self, options: str) -> bool:
        for option in options.split(","):
            name, _, value = option.partition("=")
            if name == "pagesize" and value[:-1].isdecimal():
                return int(value[:-1]) << {"K": 10, "M": 20, "G": 30}.get(value[-1], 0) == self._page_bytes
        return False

    def _number(self, name: str) -> int:
        with open(f"{self._pool}/{name}_hugepages") as file:
            return int(file.read())


def _listed(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []
