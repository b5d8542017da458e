# SPDX-License-Identifier: GPL-2.0-or-later
"""Splits a stream of bytes into QMP messages."""

import json
from collections.abc import Iterator
from typing import Any

_DECODER = json.JSONDecoder()


class Framing:
    """Splits a stream into messages, each with its original bytes."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[bytes, Any]]:
        """The messages that `data` completes.

        A line that is no JSON is passed on unchanged, with None: QEMU has an answer to it.
        """
        self._rest += data
        while self._rest.strip():
            try:
                text = self._rest.decode()
                begin = len(text) - len(text.lstrip())
                message, end = _DECODER.raw_decode(text, begin)
            except (ValueError, RecursionError):
                if not self._rest.endswith(b"\n"):
                    return
                message, end = None, None
            whole = self._rest if end is None else text[:end].encode()
            after = self._rest[len(whole) :]
            space = len(after) - len(after.lstrip())
            raw, self._rest = whole + after[:space], after[space:]
            yield raw, message
