# SPDX-License-Identifier: GPL-2.0-or-later
"""A sequence of very many items of which only figures are stored: each item is made from them on demand."""

from collections.abc import Callable, Sequence
from typing import TypeVar, overload

T = TypeVar("T")
MANY = 20_000
"""The number of items (some 5 kB each) that are kept whole: as many passes as a million samples show, unless the passes
are very short.
"""


class LazySequence(Sequence[T]):
    """`count` items; `make(index)` makes one. The items made last are kept.

    An item that is made again is equal to the one before, but need not be the same object.
    """

    def __init__(self, count: int, make: Callable[[int], T]) -> None:
        self._count = count
        self._make = make
        self._items: dict[int, T] = {}

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            rows = range(self._count)[index]
            return LazySequence(len(rows), lambda row: self._one(rows[row]))
        return self._one(range(self._count)[index])

    def _one(self, index: int) -> T:
        if (item := self._items.get(index)) is not None:
            return item
        if len(self._items) >= MANY:
            del self._items[next(iter(self._items))]
        self._items[index] = item = self._make(index)
        return item
