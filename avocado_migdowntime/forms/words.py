# SPDX-License-Identifier: GPL-2.0-or-later
"""Quick check whether a line may name a figure: to find nothing, words take a fraction of patterns' time."""

from collections.abc import Iterable

from .form import Line

_LONGEST = 40
"""No first word of a name is this long."""


def first_words(names: Iterable[str]) -> frozenset[str]:
    """The first word of each name, in lower case."""
    return frozenset(_words(name)[0] for name in names)


def has_one_of(words: frozenset[str], line: Line) -> bool:
    """Whether one of these words begins the line, or is anywhere in its message: after a blank, prompt or name."""
    text = line.message if line.message is line.text else f"{line.text[:_LONGEST]} {line.message}"
    return not words.isdisjoint(_words(text))


def _words(text: str) -> list[str]:
    for mark in ":=()_":
        text = text.replace(mark, " ")
    return text.casefold().split()
