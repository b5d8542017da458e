# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts of others made fit to be shown: what QEMU says, what stands in a recording, the names of files and variants.

A terminal acts on control characters in place of showing them, a line break makes a line of one's own of somebody
else's text, bidirectional controls have it read in another order, and a lone surrogate can be written nowhere. All that
`str.isprintable` calls unprintable is shown as Python's escapes show it, such as \\x1b.
"""

from collections.abc import Mapping
from typing import Any

_DEEPEST = 50
"""Beyond any answer of QEMU's: what is nested deeper is left out."""


def in_a_line(text: str) -> str:
    """`text` as one line of what can be printed."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def in_lines(text: str) -> str:
    """`text` with its lines as they are, and in them what can be printed."""
    return "\n".join(map(in_a_line, text.split("\n")))


def printable(value: Any, depth: int = 0) -> Any:
    """A value of JSON, each text in which is one line of what can be printed."""
    if isinstance(value, str):
        return in_a_line(value)
    if isinstance(value, Mapping | list | tuple):
        if depth == _DEEPEST:
            return "…"
        if isinstance(value, Mapping):
            return {printable(name): printable(each, depth + 1) for name, each in value.items()}
        return [printable(each, depth + 1) for each in value]
    return value


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
