# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes files completely or not at all, and never overwrites what it should not."""

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
"""The number of links that Linux follows (path_resolution(7))."""


def ending(file: str, known_endings: Sequence[str]) -> str:
    """The one of `known_endings` that the name of `file` has; raises UsageError if it has none of them."""
    suffix = Path(file).suffix.lower().removeprefix(".")
    if suffix not in known_endings:
        endings = ", ".join(f".{known_ending}" for known_ending in known_endings)
        raise UsageError(f"{file}: unsupported file type; use one of {endings}")
    return suffix


@contextmanager
def for_this_user_alone() -> Iterator[None]:
    """Within the block, this process and its children create files and directories for this user only."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def refuse_as_output(file: str, inputs: Iterable[str]) -> None:
    """Raise UsageError if `file`, which is to be written, is one of the inputs."""
    for name in inputs:
        with suppress(OSError):
            if os.path.samefile(file, name):
                raise UsageError(f"{file} is the input and would be overwritten; name another output file")


def write(file: str, data: bytes, mode: int = 0o666) -> None:
    """Replace the content of `file` by `data`: the old content stays until all is written, and the mode is kept.

    A new file gets `mode`, less the umask. A special file, such as a pipe, is written to directly. Raises UsageError if
    it cannot be written.
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
    """Write `data` into a new `file`, which is removed after an error; raises OSError, also if it exists."""
    descriptor = _new(file, mode)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
    except OSError:
        file.unlink(missing_ok=True)
        raise


def open_new(path: Path) -> tuple[TextIO, bool]:
    """Open a file for writing lines, and return whether it is new; an existing one may be a pipe or a device.

    A new file is for this user only. Raises OSError, also if there is something else (even since a moment ago), or a
    dangling link.
    """
    try:
        return _lines(_new(path, 0o600)), True
    except FileExistsError:
        # Opening does no harm. Without O_NONBLOCK, a pipe that nobody reads would block forever.
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise
        os.set_blocking(descriptor, True)
        return _lines(descriptor), False


def _lines(descriptor: int) -> TextIO:
    return open(descriptor, "w", encoding="utf-8", buffering=1)


def _new(path: Path, mode: int) -> int:
    """A descriptor of a newly created file, which is not behind somebody's link."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)


def _give_to_the_same(descriptor: int, before: os.stat_result) -> None:
    with suppress(PermissionError):
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode) & 0o777)


def _behind_links(file: str) -> Path:
    """The target of `file` if it is a link; links of other users in world-writable directories are not followed.

    See protected_symlinks in Linux's Documentation/admin-guide/sysctl/fs.rst, which covers files that are opened, but
    not files that are replaced.
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
