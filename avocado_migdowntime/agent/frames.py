# SPDX-License-Identifier: GPL-2.0-or-later
"""The messages of the connection: a line of JSON, followed by bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MOST_BYTES = 256 << 20
"""The most bytes that follow one line."""
_LONGEST_LINE = 16 << 20


def encode(message: Mapping[str, Any], data: bytes = b"") -> bytes:
    """The bytes of a message."""
    return json.dumps({**message, "bytes": len(data)}).encode() + b"\n" + data


class Frames:
    """Takes the bytes that arrive over the connection, and returns complete messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._message: dict[str, Any] | None = None

    def feed(self, data: bytes) -> list[tuple[dict[str, Any], bytes]]:
        """The messages that `data` completes, with their bytes; raises ValueError if it is no message."""
        self._buffer += data
        whole: list[tuple[dict[str, Any], bytes]] = []
        while True:
            if self._message is None:
                end = self._buffer.find(b"\n")
                if end < 0 and len(self._buffer) <= _LONGEST_LINE:
                    return whole
                if end < 0:
                    raise ValueError(f"a line of more than {_LONGEST_LINE} bytes")
                self._message = _message(bytes(self._buffer[:end]))
                del self._buffer[: end + 1]
            size = self._message["bytes"]
            if len(self._buffer) < size:
                return whole
            whole.append((self._message, bytes(self._buffer[:size])))
            del self._buffer[:size]
            self._message = None


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict) or not isinstance(message.get("bytes"), int):
        raise ValueError(f"{line[:200]!r} is not a message")
    if not 0 <= message["bytes"] <= MOST_BYTES:
        raise ValueError(f"a message of {message['bytes']} bytes, expected {MOST_BYTES} at most")
    return message
