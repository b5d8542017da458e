# SPDX-License-Identifier: GPL-2.0-or-later
"""Quick check whether a line may name a figure: to find nothing, words take a fraction of patterns' time."""

from collections.abc import Iterable
from functools import lru_cache

from .form import Line

_LONGEST = 40
"""No first word of a name is this long."""


def first_words(names: Iterable[str]) -> frozenset[str]:
    """The first word of each name, in lower case."""
    return frozenset(_words(name, name)[0] for name in names)


def has_one_of(words: frozenset[str], line: Line) -> bool:
    """Whether one of these words begins the line, or is anywhere in its message: after a blank, prompt or name."""
    return not words.isdisjoint(_words(line.text, line.message))


@lru_cache(maxsize=2)
def _words(text: str, message: str) -> list[str]:
    """The words of a line; several forms need those of the same one."""
    text = message if message == text else f"{text[:_LONGEST]} {message}"
    for mark in ":=()_":
        text = text.replace(mark, " ")
    return text.casefold().split()
