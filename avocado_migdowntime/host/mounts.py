# SPDX-License-Identifier: GPL-2.0-or-later
"""Mounts and unmounts a private hugetlbfs by the host's commands."""

import subprocess

from ..basics.units import format_size
from ..errors import HostRequirementError


def mount_hugetlbfs(path: str, page_size_bytes: int) -> None:
    """Mount a hugetlbfs with pages of this size, accessible to its owner only; raises HostRequirementError."""
    _run("mount", "-t", "hugetlbfs", "-o", f"pagesize={format_size(page_size_bytes)},mode=0700", "none", path)


def unmount(path: str) -> None:
    """Detach the mount at once; the kernel frees it when its last file is closed. Raises HostRequirementError."""
    _run("umount", "--lazy", path)


def _run(*command: str) -> None:
    process = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if process.returncode:
        raise HostRequirementError(
            f"`{' '.join(command)}` failed with {process.stderr.strip()!r}; "
            "it needs root and the right to mount file systems"
        )
