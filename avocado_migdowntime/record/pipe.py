# SPDX-License-Identifier: GPL-2.0-or-later
"""A pipe whose text is read as it arrives, and unpacked if it is compressed."""

import os
import select
import zlib
from collections.abc import Callable

from ..errors import UsageError
from ..trace.gunzip import MAGIC, Gunzip

_CHUNK_BYTES = 1 << 16
_PACKED_BYTES = 1 << 12
"""Compressed bytes can become a thousand times as many."""


class Pipe:
    """The text that comes over a descriptor: what it carries, or the contents of gzip files in a row.

    `note` is told what of a gzip file is not used.
    """

    def __init__(self, descriptor: int, note: Callable[[str], object]) -> None:
        self.is_at_end = False
        self._descriptor = descriptor
        self._gunzip = Gunzip(_PACKED_BYTES << 10, note)
        self._is_packed: bool | None = None

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
        if self._is_packed is None:
            # No text begins with the first byte, a control character.
            self._is_packed = chunk[:1] == MAGIC[:1]
        text = self._unpacked(chunk) if self._is_packed else chunk
        self.is_at_end = not (chunk or text)
        return text

    def _unpacked(self, packed: bytes) -> bytes:
        try:
            return b"".join(self._gunzip.feed(packed) if packed else self._gunzip.end())
        except zlib.error as error:
            raise UsageError(f"standard input is a damaged gzip file ({error}); pipe the text itself") from None
