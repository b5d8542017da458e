# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps what a process prints in a file: only the beginning and the end if it is too much."""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

_KEPT_BYTES = 1 << 20
"""Bytes kept of the beginning, and as many of the end."""
_CHUNK_BYTES = 1 << 16
_AT_A_TIME = 64
"""Chunks read before the event loop gets its turn: a program may print without end."""
_LAST_WORDS_BYTES = 4096


class Output:
    """A pipe that a process prints into, and the file that keeps its output. `hear` is called with each piece read.

    Another holder of the write end, such as a child that the process left behind, is not waited for. Raises OSError if
    the file cannot be created.
    """

    def __init__(self, path: Path, hear: Callable[[bytes], None] = lambda data: None) -> None:
        self.is_over = False
        """Whether nobody has the write end open any more."""
        self._hear = hear
        self._file = path.open("wb", buffering=0)
        self._read_end, self._write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._read_end, False)
        self._begin_bytes = self._left_out_bytes = 0
        self._end: deque[bytes] = deque()
        self._end_bytes = 0
        self._last = b""

    @property
    def write_end(self) -> int:
        """The descriptor to pass to the process."""
        return self._write_end

    def begin(self) -> None:
        """Start to read; call this once the process has the write end."""
        os.close(self._write_end)
        self._write_end = -1
        asyncio.get_running_loop().add_reader(self._read_end, self.read)

    def read(self) -> None:
        """Read what has been printed so far."""
        for _ in range(_AT_A_TIME):
            try:
                data = os.read(self._read_end, _CHUNK_BYTES)
            except BlockingIOError:
                return
            if not data:
                self.is_over = True
                asyncio.get_running_loop().remove_reader(self._read_end)
                self._hear(b"")
                return
            self._keep(data)
            self._hear(data)

    def close(self) -> None:
        """Read what has been printed so far, and finish the file."""
        if not self.is_over:
            if self._write_end >= 0:
                os.close(self._write_end)
            else:
                self.read()
                asyncio.get_running_loop().remove_reader(self._read_end)
        os.close(self._read_end)
        if self._left_out_bytes:
            self._write(f"\n[{self._left_out_bytes} bytes are left out]\n".encode())
        self._write(b"".join(self._end))
        self._file.close()

    def last_line(self) -> str:
        """The last line so far; empty if there is none."""
        lines = self._last.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _keep(self, data: bytes) -> None:
        self._last = (self._last + data)[-_LAST_WORDS_BYTES:]
        begin = data[: _KEPT_BYTES - self._begin_bytes]
        self._begin_bytes += len(begin)
        self._write(begin)
        if rest := data[len(begin) :]:
            self._end.append(rest)
            self._end_bytes += len(rest)
        while self._end_bytes > _KEPT_BYTES:
            over = self._end_bytes - _KEPT_BYTES
            first = self._end.popleft()
            if len(first) > over:
                self._end.appendleft(first[over:])
            left_out = min(over, len(first))
            self._end_bytes -= left_out
            self._left_out_bytes += left_out

    def _write(self, data: bytes) -> None:
        while data and not self._file.closed:
            try:
                data = data[self._file.write(data) :]
            except OSError:  # A full disk: the run has more important files to write, and reports it there.
                self._file.close()
