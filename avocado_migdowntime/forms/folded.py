# SPDX-License-Identifier: GPL-2.0-or-later
"""A string that YAML tells over several lines, each of which ends with a backslash: one line again."""

import re

_MOST = 1000
"""No string is told over more lines."""
_BEGINS = re.compile(r'(?:^|[:-] )\s*"(?:[^"\\]|\\.)*\\$')
"""A string in double quotes that does not end in its line."""
_GOES_ON = re.compile(r"(?<!\\)(?:\\\\)*\\$")


class Folded:
    """Takes lines as they come."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    @property
    def is_begun(self) -> bool:
        """Whether what was taken last goes on in the next line."""
        return bool(self._pieces)

    def take(self, text: str) -> str:
        """The line that this one ends, or itself; of no account where it goes on."""
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
