# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks between processes that end with their holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold ``path``, an existing file or directory, alone; waits for those who hold it now."""
    yield from _lock(path, fcntl.LOCK_EX)


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold ``path`` together with others who share it; waits for one who holds it alone."""
    yield from _lock(path, fcntl.LOCK_SH)


def _lock(path: Path, mode: int) -> Iterator[None]:
    file = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(file, mode)
        yield
    finally:
        # Not left to close(): a child forked in the meantime holds a copy of the descriptor, and with it the
        # lock.
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)
