# SPDX-License-Identifier: GPL-2.0-or-later
"""Converts bytes of a text in any encoding to UTF-8 without a byte order mark."""

import codecs

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LONGEST_MARK = 3


class Utf8:
    """Takes bytes piece by piece; the first ones show the encoding."""

    def __init__(self) -> None:
        self._first_bytes = b""
        self._has_encoding = False
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, data: bytes) -> bytes:
        """The same text as UTF-8, as far as it is complete."""
        if not self._has_encoding:
            data, self._first_bytes = self._first_bytes + data, b""
            if len(data) <= _LONGEST_MARK:
                self._first_bytes = data
                return b""
            data = self._begin(data)
        return data if self._decoder is None else self._decoder.decode(data).encode()

    def end(self) -> bytes:
        """The rest of the text."""
        if not self._has_encoding:
            first_bytes, self._first_bytes = self._first_bytes, b""
            self._has_encoding = True
            return first_bytes
        return b"" if self._decoder is None else self._decoder.decode(b"", True).encode()

    def _begin(self, data: bytes) -> bytes:
        self._has_encoding = True
        name = next((name for mark, name in _MARKS if data.startswith(mark)), "")
        mark = next((mark for mark, _ in _MARKS if data.startswith(mark)), b"")
        if not name and b"\0\0" in (data[0:4:2], data[1:4:2]):
            name = "utf-16-be" if data[0] == 0 else "utf-16-le"
        if name.startswith("utf-16"):
            self._decoder = codecs.getincrementaldecoder(name)(errors="replace")
        return data[len(mark) :]
