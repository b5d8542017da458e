# SPDX-License-Identifier: GPL-2.0-or-later
"""Decompresses gzip data as it arrives: one rule for files and pipes."""

import zlib
from collections.abc import Callable, Iterator

MAGIC = b"\x1f\x8b"
CUT_OFF = "the gzip file is cut off: used up to there"
FOREIGN = "bytes after the gzip file's end are ignored"
_MOST_ZEROS = 4 << 20
"""Far more zeros than any tape or block device adds after the end; a sparse file has them without end."""


class Gunzip:
    """Takes the bytes of one or more gzip members in a row, from the first one on.

    A missing end is left out, and so is what follows the last member, other than a few zeros; `note` is told. Each
    piece that is returned has at most `piece_bytes`.
    """

    def __init__(self, piece_bytes: int, note: Callable[[str], object]) -> None:
        self._piece_bytes, self._note = piece_bytes, note
        self._member = _member()
        self._between = b""
        """The first bytes after the end of a member, until they show whether another one begins."""
        self._zeros = 0
        self.is_over = False
        """Whether something else follows the last member; the rest is ignored."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes that `data` completes; raises zlib.error if a member is damaged."""
        while data and not self.is_over:
            if self._member.eof:
                data, self._between = self._between + data, b""
                if len(data) < len(MAGIC) and MAGIC.startswith(data):
                    self._between = data
                    return
                if not data.startswith(MAGIC):
                    self._end_with(data)
                    return
                self._member = _member()
            plain = self._member.decompress(data, self._piece_bytes)
            if plain:
                yield plain
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    def end(self) -> Iterator[bytes]:
        """The plain bytes that are left, since nothing follows; none if asked again."""
        if self.is_over:
            return
        self.is_over = True
        if self._between:
            self._end_with(self._between)
        elif not self._member.eof:
            if plain := self._member.flush():
                yield plain
            if not self._member.eof:
                self._note(CUT_OFF)

    def _end_with(self, data: bytes) -> None:
        self._zeros += len(data)
        if self._zeros > _MOST_ZEROS or data.strip(b"\0"):
            self.is_over = True
            self._note(FOREIGN)


def _member() -> "zlib._Decompress":
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
