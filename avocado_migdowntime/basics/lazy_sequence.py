# SPDX-License-Identifier: GPL-2.0-or-later
"""A sequence of very many items of which only figures are stored: items are made from them on demand."""

from collections.abc import Callable, Sequence
from typing import TypeVar, overload

from .batches import ITEMS

T = TypeVar("T")
MANY = 100_000
"""The number of items (some 2 kB each) that are kept whole. To make them again in each walk takes longer, and also
takes more memory if what is found is kept.
"""
_BATCHES = 2
"""The batches that are kept: a walk looks at an item and at the next one."""


class LazySequence(Sequence[T]):
    """`count` items; `make(rows)` makes those at consecutive rows, which are as many as a batch has.

    The batches made last are kept. An item that is made again is equal to the one before, but need not be the same
    object.
    """

    def __init__(self, count: int, make: Callable[[range], Sequence[T]]) -> None:
        self._rows = range(count)
        self._make = make
        self._made: dict[int, Sequence[T]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            rows = self._rows[index]
            return LazySequence(len(rows), lambda some: [self[row] for row in rows[some.start : some.stop]])
        batch, place = divmod(self._rows[index], ITEMS)
        if batch not in self._made:
            if len(self._made) == _BATCHES:
                del self._made[next(iter(self._made))]
            self._made[batch] = self._make(self._rows[batch * ITEMS : (batch + 1) * ITEMS])
        return self._made[batch][place]
