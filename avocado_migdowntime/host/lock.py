# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks between processes; a lock ends with its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold ``path``, an existing file or directory, alone; wait until all other holders have left."""
    yield from _lock(path, fcntl.LOCK_EX)


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold ``path`` together with other sharing holders; wait until an exclusive holder has left."""
    yield from _lock(path, fcntl.LOCK_SH)


def _lock(path: Path, mode: int) -> Iterator[None]:
    file = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(file, mode)
        yield
    finally:
        # Unlock explicitly: a child forked meanwhile has a copy of the descriptor, which would keep the lock after
        # close().
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)
