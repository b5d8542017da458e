# SPDX-License-Identifier: GPL-2.0-or-later
"""A private directory for sockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .keeper import Keeper


@contextmanager
def work_directory(keeper: Keeper) -> Iterator[Path]:
    """A fresh directory with a path so short that UNIX sockets in it can have names of 80 bytes (unix(7))."""
    with keeper.borrowed("directory") as loan:
        yield Path(loan["path"])
