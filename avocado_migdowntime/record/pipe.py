# SPDX-License-Identifier: GPL-2.0-or-later
"""A pipe whose text is read as it arrives, and unpacked if it is compressed."""

import os
import select
import zlib

from ..errors import UsageError

_CHUNK_BYTES = 1 << 16
_PACKED_BYTES = 1 << 12
"""Compressed bytes can become a thousand times as many."""
_GZIP = b"\x1f"
"""The first byte of a gzip file: a control character with which no text begins."""


class Pipe:
    """The text that comes over a descriptor: what it carries, or the contents of gzip files in a row."""

    def __init__(self, descriptor: int) -> None:
        self.is_at_end = False
        self._descriptor = descriptor
        self._is_packed: bool | None = None
        self._member = _member()

    def has_more(self, within_s: float) -> bool:
        """Whether something, or the end, comes within this time."""
        return bool(select.select([self._descriptor], [], [], within_s)[0])

    def read(self) -> bytes:
        """The text in what comes next, perhaps none of it yet; `is_at_end` says if nothing comes any more.

        Raises UsageError if the pipe cannot be read.
        """
        try:
            chunk = os.read(self._descriptor, _CHUNK_BYTES if self._is_packed is False else _PACKED_BYTES)
        except OSError as error:
            raise UsageError(f"the pipe cannot be read: {error.strerror}") from None
        self.is_at_end = not chunk
        if self._is_packed is None:
            self._is_packed = chunk.startswith(_GZIP)
        return self._unpacked(chunk) if self._is_packed else chunk

    def _unpacked(self, packed: bytes) -> bytes:
        text = b""
        while packed:
            if self._member.eof:
                self._member = _member()
            try:
                text += self._member.decompress(packed)
            except zlib.error as error:
                raise UsageError(f"standard input is a damaged gzip file ({error}); pipe the text itself") from None
            packed = self._member.unused_data
        return text


def _member() -> "zlib._Decompress":
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
