# SPDX-License-Identifier: GPL-2.0-or-later
"""Caches what a QEMU binary can do from one run to the next: asking takes a process and some 0.2 s."""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import msgspec

from ..basics.cache import cache_directory, make_private, trusted
from ..basics.whole_file import write
from ..errors import HostRequirementError, UsageError
from .probe import QemuInfo, probe

_ELF = b"\x7fELF"
"""Only an ELF file is cached: a script may start another program the next time, so it is asked each time."""


@dataclass(frozen=True)
class _Fingerprint:
    """Tells a file from an earlier one of the same path."""

    device: int
    inode: int
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True)
class _Memory:
    """The answers of a file with this fingerprint."""

    fingerprint: _Fingerprint
    qemu_info: QemuInfo


async def probed(binary: str, directory: Path, sockets: Path, within_s: float) -> QemuInfo:
    """What `binary` can do: the cached answers of the very same file, or else those of `probe`. Raises UsageError as
    that does.

    The cache is in the user's cache directory. If it cannot be read or written, or a name or an answer is no UTF-8, the
    binary is asked again.
    """
    fingerprint, place = _fingerprint(binary), _place(binary)
    if fingerprint is None or place is None:
        return await probe(binary, directory, sockets, within_s=within_s)
    with suppress(OSError, msgspec.DecodeError):
        memory = msgspec.json.decode(place.read_bytes(), type=_Memory)
        if memory.fingerprint == fingerprint:
            return replace(memory.qemu_info, binary=binary)
    qemu_info = await probe(binary, directory, sockets, within_s=within_s)
    with suppress(OSError, UsageError, UnicodeEncodeError):
        make_private(place.parent)
        write(str(place), msgspec.json.encode(_Memory(fingerprint, qemu_info)))
    return qemu_info


def _fingerprint(binary: str) -> _Fingerprint | None:
    """The fingerprint of an ELF file, else None."""
    try:
        # Otherwise a named pipe would block forever.
        with open(os.open(binary, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or file.read(len(_ELF)) != _ELF:
                return None
    except OSError:
        return None
    return _Fingerprint(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _place(binary: str) -> Path | None:
    """The file of the cache for this binary; None if no directory is safe from other users' writes."""
    with suppress(HostRequirementError):
        name = sha256(os.fsencode(os.path.abspath(binary))).hexdigest()[:32]
        return trusted(cache_directory() / "probed") / f"{name}.json"
    return None
