# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads files that somebody else made: never waits forever, and never reads beyond a limit."""

import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ..errors import UsageError

CHUNK_BYTES = 1 << 18
WRITER_S = 10.0
"""How long to wait until somebody opens a named pipe for writing."""
_LOOK_S = 0.05


def chunks(name: str) -> Iterator[bytes]:
    """The content of the file `name` (`-`: standard input), chunk by chunk.

    Raises OSError if it cannot be read, and UsageError if it is closed, a device, or a pipe that nobody opens for
    writing within WRITER_S.
    """
    if name == "-":
        if sys.stdin is None:
            raise UsageError("is closed; give a file, or pipe something into it")
        yield from iter(lambda: sys.stdin.buffer.read(CHUNK_BYTES), b"")
        return
    # Otherwise a pipe would block forever, and a terminal would become this process's controlling terminal.
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISBLK(kind) or (stat.S_ISCHR(kind) and not file.isatty()):
            raise UsageError("is a device where a file was expected")
        if stat.S_ISFIFO(kind) and (first := _first_of_pipe(descriptor)):
            yield first
        # What is called a regular file may still wait for more without end, such as /proc/kmsg.
        os.set_blocking(descriptor, not stat.S_ISREG(kind))
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def may_never_end(name: str) -> bool:
    """Whether `name` (`-`: standard input) is no regular file, so that its end is not known.

    False if that cannot be found out: to read it fails as well.
    """
    try:
        status = os.fstat(sys.stdin.fileno()) if name == "-" else os.stat(name)
    except (OSError, ValueError, AttributeError):
        return False
    return not stat.S_ISREG(status.st_mode)


def leads_out(path: Path, of: Path) -> bool:
    """Whether `path` leads out of the directory `of` by a link: what it leads to does not come from whoever supplied
    `of`. Raises FileNotFoundError for a relative path if the current directory is gone.
    """
    try:
        return not path.resolve().is_relative_to(of.resolve())
    except FileNotFoundError:  # The current directory is gone.
        raise
    except (OSError, RuntimeError):  # The links form a loop.
        return True


def whole(name: str, most_bytes: int) -> bytes:
    """All of the file `name`; raises as `chunks` does, and UsageError if it has more than `most_bytes`."""
    read: list[bytes] = []
    size_bytes = 0
    for chunk in chunks(name):
        read.append(chunk)
        size_bytes += len(chunk)
        if size_bytes > most_bytes:
            raise UsageError(f"holds more than {most_bytes / 1e6:.0f} MB, the most that such a file may hold")
    return b"".join(read)


def _first_of_pipe(descriptor: int) -> bytes:
    """The first data read; b"" if a writer has opened the pipe and not written yet."""
    deadline_s = time.monotonic() + WRITER_S
    while True:
        with suppress(BlockingIOError):  # A writer has.
            if data := os.read(descriptor, CHUNK_BYTES):
                return data
            if time.monotonic() > deadline_s:
                raise UsageError(
                    f"is a pipe that no process opened for writing within {WRITER_S:g} s; start the writer"
                )
            time.sleep(_LOOK_S)
            continue
        return b""
