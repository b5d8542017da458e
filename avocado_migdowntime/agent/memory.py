# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the RAM of a guest on its host: checksums of pages, a few whole pages, and the guest's heartbeats."""

from __future__ import annotations

import os
import stat
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from . import page_sums
from .page_sums import PAGE_BYTES

_BLOCK_BYTES = 1 << 20
_LOOK_S = 0.004
_MOST_BEATS = 100_000
"""The most heartbeats that are remembered: those of some minutes."""


def sums(file: int, offset: int, size: int) -> bytes:
    """The checksums of the pages from an offset on, concatenated; raises ValueError if the file ends before."""
    return b"".join(each for _, block in _blocks(file, offset, size) for each in page_sums.sums(block))


def seeded(file: int, offset: int, size: int, seed: bytes) -> bytes:
    """A record of `page_sums.PAGE_RECORD` for each page whose third word is `seed`, concatenated."""
    blocks = (page_sums.seeded(block, start // PAGE_BYTES, seed) for start, block in _blocks(file, offset, size))
    return b"".join(each for records in blocks for each in records)


def _blocks(file: int, offset: int, size: int) -> Iterator[tuple[int, memoryview]]:
    for start in range(offset, offset + size, _BLOCK_BYTES):
        yield start, memoryview(read(file, start, min(_BLOCK_BYTES, offset + size - start)))


def read(file: int, offset: int, size: int) -> bytes:
    """Bytes of a file; raises ValueError if it has fewer."""
    parts = []
    while size:
        data = os.pread(file, size, offset)
        if not data:
            raise ValueError(f"its file ends before {offset:#x}")
        parts.append(data)
        offset, size = offset + len(data), size - len(data)
    return b"".join(parts)


def backing_file(pids: list[int], ram_bytes: int, access: int) -> int:
    """Open the file of the RAM's size that one of these processes has open; raises LookupError if there is none."""
    for pid in pids:
        directory = f"/proc/{pid}/fd"
        try:
            names = os.listdir(directory)
        except OSError:  # It may have just ended.
            continue
        for name in names:
            try:
                status = os.stat(f"{directory}/{name}")
                if stat.S_ISREG(status.st_mode) and status.st_size == ram_bytes:
                    return os.open(f"{directory}/{name}", access | os.O_CLOEXEC)
            except OSError:
                continue
    raise LookupError("no file of the size of its guest's RAM; use backing=anonymous")


def word(byte_order: str, read: Callable[[], bytes]) -> Callable[[], int]:
    """A function that reads a number in the byte order `<` or `>`."""
    return lambda: int(struct.unpack(f"{byte_order}Q", read())[0])


class BeatLog:
    """Watches a count from its own thread, and remembers its last changes.

    A change is (count, after, by): the count changed to that after one time and by the other, in seconds of
    `time.monotonic`.
    """

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._changes: deque[tuple[int, float, float]] = deque(maxlen=_MOST_BEATS)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="heartbeats", daemon=True)

    def begin(self) -> None:
        """Start to watch."""
        self._thread.start()

    def end(self) -> None:
        """Stop watching."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def last(self) -> tuple[int, float, float] | None:
        """The last change so far."""
        return self._changes[-1] if self._changes else None

    def first_above(self, count: int) -> tuple[int, float, float] | None:
        """The first change to more than `count`, if it was seen and is remembered.

        A count that decreases, as it may until all of the guest has arrived, is no beat.
        """
        first = None
        for change in reversed(list(self._changes)):
            if change[0] <= count:
                return first
            first = change
        return first if len(self._changes) < _MOST_BEATS else None

    def _look(self) -> None:
        before_s, count = time.monotonic(), None
        while not self._over.wait(_LOOK_S):
            asked_s = time.monotonic()
            try:
                now = self._count()
            except Exception:
                return  # QEMU's file is gone; whoever waits for QEMU reports that.
            if now != count:
                count = now
                self._changes.append((now, before_s, time.monotonic()))
            before_s = asked_s
