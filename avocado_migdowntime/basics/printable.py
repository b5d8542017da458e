# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes texts from others safe to show: QEMU's messages, the content of recordings, names of files and variants.

A terminal acts on control characters instead of showing them. A line break starts a new line within somebody else's
text, bidirectional controls reorder the text, and a lone surrogate cannot be written anywhere. Everything that
`str.isprintable` calls unprintable is shown as a Python escape, such as \\x1b.
"""

import reprlib
from collections.abc import Mapping
from typing import Any

_DEEPEST = 50
"""Deeper than any answer of QEMU: what is nested deeper is left out."""
_LONGEST_QUOTE = 240


def in_a_line(text: str) -> str:
    """`text` as one printable line."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def in_lines(text: str) -> str:
    """`text` with its line breaks, and each line printable."""
    return "\n".join(map(in_a_line, text.split("\n")))


def printable(value: Any, depth: int = 0) -> Any:
    """A JSON value in which each text is one printable line."""
    if isinstance(value, str):
        return in_a_line(value)
    if isinstance(value, Mapping | list | tuple):
        if depth == _DEEPEST:
            return "…"
        if isinstance(value, Mapping):
            return {printable(name): printable(each, depth + 1) for name, each in value.items()}
        return [printable(each, depth + 1) for each in value]
    return value


class _Short(reprlib.Repr):
    """Writes little of a value."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring = 4, 120

    def repr_int(self, x: int, level: int) -> str:
        try:
            return super().repr_int(x, level)
        except ValueError:  # Python writes no such number out.
            return "a number of thousands of digits"


_SHORT = _Short()


def quoted(value: Any) -> str:
    """`value` as Python writes it, shortened so that a sentence can quote it."""
    return shortened(_SHORT.repr(value))


def shortened(text: str) -> str:
    """As much of `text` as a sentence can quote."""
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
