# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits on input: bytes that are no recording must not exhaust the host's memory.

Real recordings stay far below the limits. A sample takes some 250 bytes in a recording, or 15 or more compressed; in
memory it takes a hundred. A sample before the migration begins has no RAM figures, and takes 5 bytes compressed.
"""

from collections.abc import Iterable, Iterator

from ..errors import UsageError

LONGEST_LINE_BYTES = 4 << 20
EVENTS_BYTES = 6 << 20
"""The most bytes of all events of a recording; Python needs up to 24 times as many for them."""
_ANYHOW_BYTES, _FACTOR = 64 << 20, 100
"""The plain bytes that any compressed file may hold, and further bytes for each of its own."""
_ANYHOW_LINES, _BYTES_A_LINE = 250_000, 6
"""The plain lines that any compressed file may hold, and the bytes of its own that allow a further line."""
_PIPE_MIB = 1024
"""The plain bytes that are read from a pipe, which may never end."""


class Counted:
    """Chunks, with a count of the bytes taken so far."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.size_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self.size_bytes += len(chunk)
        return chunk


def inflated_in_bounds(plain: Iterable[bytes], packed: Counted) -> Iterator[bytes]:
    """The `plain` chunks decompressed from `packed`; raises UsageError if they are far too many."""
    size_bytes = lines = 0
    for chunk in plain:
        size_bytes += len(chunk)
        lines += chunk.count(b"\n")
        much = size_bytes > _ANYHOW_BYTES + _FACTOR * packed.size_bytes
        if much or lines > _ANYHOW_LINES + packed.size_bytes // _BYTES_A_LINE:
            raise UsageError(
                f"decompresses to more than recordings hold: its first {packed.size_bytes} bytes make "
                f"{size_bytes / 1e6:.0f} MB with {lines} lines; decompress it yourself if you trust it"
            )
        yield chunk


def pipe_in_bounds(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The plain `chunks` of a pipe; raises UsageError if they are too many."""
    counted = Counted(chunks)
    for chunk in counted:
        if counted.size_bytes > _PIPE_MIB << 20:
            raise UsageError(
                f"holds more than {_PIPE_MIB} MiB, the most that is read from a pipe, as it may never end; write it to "
                "a file and give that, or use watch or record if the migration is running"
            )
        yield chunk


def in_bounds(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Plain `chunks`; raises UsageError if they have too long a line, or too many blanks in a row."""
    line_bytes = blank_bytes = 0
    for chunk in chunks:
        first = chunk.find(b"\n")
        line_bytes += len(chunk) if first < 0 else first
        blank_bytes = blank_bytes + len(chunk) if chunk.isspace() else 0
        if max(line_bytes, blank_bytes) > LONGEST_LINE_BYTES:
            size = f"more than {LONGEST_LINE_BYTES >> 20} MiB"
            what = f"a line of {size}" if line_bytes > LONGEST_LINE_BYTES else f"{size} of nothing but blanks"
            raise UsageError(f"holds {what}; expected a recording, or a text about a migration")
        if first >= 0:
            line_bytes = len(chunk) - chunk.rfind(b"\n") - 1
        yield chunk
