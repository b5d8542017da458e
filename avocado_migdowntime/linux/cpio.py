# SPDX-License-Identifier: GPL-2.0-or-later
"""An initramfs, as Linux unpacks it (Documentation/driver-api/early-userspace/buffer-format.rst)."""

import gzip
from collections.abc import Mapping

_DIRECTORY, _PROGRAM = 0o040755, 0o100755
_TRAILER = "TRAILER!!!"


def initramfs(programs: Mapping[str, bytes]) -> bytes:
    """A compressed archive of executable files by their paths, without the leading slash, and their directories."""
    directories = sorted(
        {"/".join(path.split("/")[:depth]) for path in programs for depth in range(1, path.count("/") + 1)}
    )
    entries = [(path, _DIRECTORY, b"") for path in directories]
    entries += [(path, _PROGRAM, content) for path, content in programs.items()]
    entries.append((_TRAILER, 0, b""))
    archive = b"".join(_entry(number, *entry) for number, entry in enumerate(entries, 1))
    return gzip.compress(archive, compresslevel=1, mtime=0)


def _entry(number: int, path: str, mode: int, content: bytes) -> bytes:
    name = path.encode() + b"\0"
    # Of the fields inode, mode, owner, group, links, time, size, four device numbers, name's size and checksum.
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
