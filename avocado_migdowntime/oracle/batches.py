# SPDX-License-Identifier: GPL-2.0-or-later
"""Many items a batch at a time: those of one length make one array, with which numpy is done sooner than one by one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
ITEMS = 256
"""So many make a batch: more at once take more memory, and hardly less time."""
FIGURES = 1 << 15
"""Items are put together up to such a length."""


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in their order, ITEMS at a time; the last of these lists may be shorter."""
    left = iter(items)
    while batch := list(islice(left, ITEMS)):
        yield batch


def by_length(items: Sequence[T], length: Callable[[T], int], work: Callable[[list[T]], Iterable[R]]) -> list[R]:
    """What `work` makes of each of `items`, in their order; it is given several of one length at once."""
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
