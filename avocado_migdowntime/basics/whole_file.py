# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that are either whole or not there, and take the place of nothing that they were not to."""

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from ..errors import UsageError

_MOST_LINKS = 40
"""As many as Linux follows (path_resolution(7))."""


def ending(file: str, known_endings: Sequence[str]) -> str:
    """By which of `known_endings` the name of `file` says what it is to be; raises UsageError where by none."""
    suffix = Path(file).suffix.lower().removeprefix(".")
    if suffix not in known_endings:
        endings = ", ".join(f".{known_ending}" for known_ending in known_endings)
        raise UsageError(f"{file}: unsupported file type; use one of {endings}")
    return suffix


@contextmanager
def for_this_user_alone() -> Iterator[None]:
    """All files and directories that this process makes within the block, and what it starts there, are so."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def refuse_as_output(file: str, inputs: Iterable[str]) -> None:
    """Raises UsageError where `file`, which is to be written, is one of those that are read."""
    for name in inputs:
        with suppress(OSError):
            if os.path.samefile(file, name):
                raise UsageError(f"{file} is the input and would be overwritten; name another output file")


def write(file: str, data: bytes, mode: int = 0o666) -> None:
    """Put `data` into `file` at one go: what was there before stays until all is written, and its mode after that.

    A new one gets `mode`, less the umask. What is no ordinary file, such as a pipe, is written to directly. Raises
    UsageError where it cannot be written.
    """
    try:
        target = _behind_links(file)
        before = target.stat() if target.exists() else None
        if before is not None and not stat.S_ISREG(before.st_mode):
            target.write_bytes(data)
            return
        partly = target.with_name(f".migdowntime-{secrets.token_hex(8)}.part")
        try:
            with os.fdopen(_new(partly, mode), "wb") as opened:
                if before is not None:
                    _give_to_the_same(opened.fileno(), before)
                opened.write(data)
            partly.replace(target)
        finally:
            with suppress(FileNotFoundError):
                partly.unlink()
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be written: {error.strerror}; name a file in a directory that you can write to"
        ) from None


def write_new(file: Path, data: bytes, mode: int = 0o666) -> None:
    """Put `data` into `file`, which is not there yet, nor after an error; raises OSError, so where it is."""
    descriptor = _new(file, mode)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
    except OSError:
        file.unlink(missing_ok=True)
        raise


def open_new(path: Path) -> tuple[TextIO, bool]:
    """A file of lines to write to, and whether it is made by this; what was there already may be a pipe or a device.

    A new one is for this user alone.
    Raises OSError, so where something else is there, be it since a moment, or a link to nowhere.
    """
    try:
        return _lines(_new(path, 0o600)), True
    except FileExistsError:
        # Nothing is harmed by opening it. A pipe that nobody reads would be waited for without end.
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise
        os.set_blocking(descriptor, True)
        return _lines(descriptor), False


def _lines(descriptor: int) -> TextIO:
    return open(descriptor, "w", encoding="utf-8", buffering=1)


def _new(path: Path, mode: int) -> int:
    """A descriptor of a file that is made by this, and not behind somebody's link."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)


def _give_to_the_same(descriptor: int, before: os.stat_result) -> None:
    with suppress(PermissionError):
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode) & 0o777)


def _behind_links(file: str) -> Path:
    """Where the links that `file` may be lead; those that others left where all may write are not followed.

    See protected_symlinks in Linux's Documentation/admin-guide/sysctl/fs.rst, which holds for files that are opened and
    not for those that are replaced.
    """
    path = Path(file)
    for _ in range(_MOST_LINKS):
        if not path.is_symlink():
            return path
        link, parent = path.lstat(), path.parent.stat()
        shared = parent.st_mode & stat.S_ISVTX and parent.st_mode & stat.S_IWOTH
        if shared and link.st_uid not in (os.geteuid(), parent.st_uid):
            raise OSError(errno.EACCES, f"it is a link that another user ({link.st_uid}) left there")
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
