# SPDX-License-Identifier: GPL-2.0-or-later
"""Suggestions for a misspelt name."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST_NAME = 100
"""Only this much of a longer name is compared."""


def meant(name: str, known_names: Iterable[str], prefix: str = "") -> str:
    """The end of a sentence that refuses `name`: similar known names, else all of them, each with `prefix`."""
    names = list(known_names)
    if alike := get_close_matches(name[:_LONGEST_NAME], names):
        return f"did you mean {' or '.join(prefix + each for each in alike)}?"
    return f"known are {', '.join(prefix + each for each in names)}"
