# SPDX-License-Identifier: GPL-2.0-or-later
"""Work on many items in batches: items of one length become one array, which is faster with numpy than one by one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
ITEMS = 256
"""The size of a batch: a larger one takes more memory, and hardly less time."""
FIGURES = 1 << 15
"""The most figures of one array: longer items are worked on one by one."""


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in order, ITEMS at a time; the last list may be shorter."""
    left = iter(items)
    while batch := list(islice(left, ITEMS)):
        yield batch


def by_length(items: Sequence[T], length: Callable[[T], int], work: Callable[[list[T]], Iterable[R]]) -> list[R]:
    """The result of `work` for each of `items`, in order; `work` gets several items of one length at once."""
    rows_of: dict[int, list[int]] = {}
    for row, item in enumerate(items):
        rows_of.setdefault(length(item), []).append(row)
    results: dict[int, R] = {}
    for each, rows in rows_of.items():
        count = max(1, FIGURES // max(1, each))
        for begin in range(0, len(rows), count):
            alike = rows[begin : begin + count]
            results.update(zip(alike, work([items[row] for row in alike]), strict=True))
    return [results[row] for row in range(len(items))]
