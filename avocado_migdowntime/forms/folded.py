# SPDX-License-Identifier: GPL-2.0-or-later
"""Joins a YAML string that spans several lines, each ending with a backslash, into one line."""

import re

_MOST = 1000
"""The most lines that a string spans."""
_BEGINS = re.compile(r'(?:^|[:-] )\s*"(?:[^"\\]|\\.)*\\$')
"""A double-quoted string that does not end on its line."""
_GOES_ON = re.compile(r"(?<!\\)(?:\\\\)*\\$")


class Folded:
    """Takes lines one by one."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    @property
    def is_begun(self) -> bool:
        """Whether the last line continues on the next one."""
        return bool(self._pieces)

    def take(self, text: str) -> str:
        """The line that `text` completes, or `text` itself; '' while the string continues."""
        pieces, self._pieces = self._pieces, []
        if not pieces and not _BEGINS.search(text):
            return text
        goes_on = _GOES_ON.search(text.rstrip()) is not None
        piece = text.strip() if pieces else text.rstrip()
        if goes_on:
            piece = piece[:-1]
        pieces.append(piece[1:] if pieces and piece.startswith("\\ ") else piece)
        if goes_on and len(pieces) < _MOST:
            self._pieces = pieces
            return ""
        return "".join(pieces)
