# SPDX-License-Identifier: GPL-2.0-or-later
"""What there is to choose from, as lines for a person and as JSON fields for a program."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from .listing import Entry


def summary(kinds: Mapping[str, Sequence[Entry]]) -> str:
    """A block for each kind, with a line for each entry of it."""
    return "\n\n".join("\n".join([kind, *_lines(entries)]) for kind, entries in kinds.items())


def _lines(entries: Sequence[Entry]) -> list[str]:
    rows = [(entry.name, entry.default, entry.meaning) for entry in entries]
    widths = [max(len(row[column] or "") for row in rows) for column in (0, 1)]
    defaults = any(default is not None for _, default, _ in rows)
    return [
        "  ".join(["", name.ljust(widths[0]), *([(default or "").ljust(widths[1])] if defaults else []), meaning])
        for name, default, meaning in rows
    ]


def fields(kinds: Mapping[str, Sequence[Entry]]) -> dict[str, list[dict[str, Any]]]:
    """The entries of each kind as plain JSON values; those that have no default have no such field."""
    return {
        kind: [{key: value for key, value in asdict(entry).items() if value is not None} for entry in entries]
        for kind, entries in kinds.items()
    }
