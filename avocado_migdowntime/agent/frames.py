# SPDX-License-Identifier: GPL-2.0-or-later
"""What both ends of the connection say: a line of JSON, and bytes behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MOST_BYTES = 256 << 20
"""Nobody sends more behind one line."""


def encode(message: Mapping[str, Any], data: bytes = b"") -> bytes:
    """A message as it goes over the connection."""
    return json.dumps({**message, "bytes": len(data)}).encode() + b"\n" + data


class Frames:
    """Takes what comes over the connection, gives messages when they are whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._message: dict[str, Any] | None = None

    def feed(self, data: bytes) -> list[tuple[dict[str, Any], bytes]]:
        """The messages that this completes, with their bytes; raises ValueError where it is none."""
        self._buffer += data
        whole: list[tuple[dict[str, Any], bytes]] = []
        while True:
            if self._message is None:
                end = self._buffer.find(b"\n")
                if end < 0:
                    return whole
                self._message = _message(bytes(self._buffer[:end]))
                del self._buffer[: end + 1]
            size = self._message["bytes"]
            if len(self._buffer) < size:
                return whole
            whole.append((self._message, bytes(self._buffer[:size])))
            del self._buffer[:size]
            self._message = None


def _message(line: bytes) -> dict[str, Any]:
    message = json.loads(line)
    if not isinstance(message, dict) or not isinstance(message.get("bytes"), int):
        raise ValueError(f"{line[:200]!r} is not a message")
    if not 0 <= message["bytes"] <= MOST_BYTES:
        raise ValueError(f"a message of {message['bytes']} bytes, expected {MOST_BYTES} at most")
    return message
