# SPDX-License-Identifier: GPL-2.0-or-later
"""Sorts samples into migrations as they come, and leaves out one whose counters do not fit those around it.

During a migration its counters only grow. If both the pages and the bytes that were sent fall, another migration has
begun. If others fall, the next sample shows whether only one sample was wrong: the one before the fall, or the one
after it. If neither explains it, another migration began at the fall, unless only dirty-sync-count fell.
"""

from math import nan
from typing import Generic, TypeVar

from .sample import ENDED, Sample

Counts = tuple[float, ...]
"""Pages sent, zero pages, bytes transferred (NaN if not shown) and dirty syncs of a sample; () if it shows none."""
NO_COUNTS: Counts = ()
_SENT, _TRANSFERRED, _SYNCS = 0, 2, 3
Row = TypeVar("Row")
"""What stands for a sample."""


class Succession(Generic[Row]):
    """Takes rows in the order of time, and returns those that are settled; the cost of a row is constant.

    `left_out` are the rows of the last migration that are left out for good.
    """

    def __init__(self) -> None:
        self.left_out: list[Row] = []
        self._status = ""
        self._before = self._last = NO_COUNTS
        self._odd: int | None = None
        """The place in `_tail` of a row after whose counters the next one decides."""
        self._tail: list[tuple[Row, Counts]] = []
        """Rows that are not settled: from the last one that may be left out."""

    def take(self, row: Row, status: str, counts: Counts) -> list[tuple[Row, bool]]:
        """The rows that `row` settles, in order, each with whether another migration begins with it."""
        is_another = self._status in ENDED and status not in ENDED
        self._status = status
        if is_another:
            return [*self._settle(), *self._begin(row, counts)]
        if counts:
            return self._count(row, counts)
        if status != "active":
            return [*self._settle(), (row, False)]
        if not self._tail:
            return [(row, False)]
        self._tail.append((row, counts))
        return []

    def tail(self) -> list[Row]:
        """The rows that would follow the settled ones if no more came."""
        stray = self._stray()
        return [row for place, (row, _) in enumerate(self._tail) if place != stray]

    def stray(self) -> list[Row]:
        """The row that would be left out if no more came, if any."""
        stray = self._stray()
        return [] if stray is None else [self._tail[stray][0]]

    def _count(self, row: Row, counts: Counts) -> list[tuple[Row, bool]]:
        settled = [] if self._odd is None else self._decide(self._odd, counts)
        if _fits(self._last, counts):
            settled += self._settle()
            if self._last:
                self._tail.append((row, counts))
            else:
                settled.append((row, False))
            self._before, self._last = self._last, counts
        elif _is_another(self._last, counts):
            settled += [*self._settle(), *self._begin(row, counts)]
        else:
            self._odd = len(self._tail)
            self._tail.append((row, counts))
        return settled

    def _decide(self, odd: int, counts: Counts) -> list[tuple[Row, bool]]:
        """Decide about the row at the place `odd`, now that the `counts` after it are known."""
        _, its = self._tail[odd]
        if self._stray() == 0 and _fits(its, counts):
            self._leave_out(0)
            return []
        if _fits(self._last, counts):
            self._leave_out(odd)
            return []
        begins = not _fits(self._last[:_SYNCS], its)
        settled = [(one, begins and place == odd) for place, (one, _) in enumerate(self._tail)]
        self._before, self._last, self._odd, self._tail = NO_COUNTS, its, None, []
        if begins:
            self.left_out = []
        return settled

    def _settle(self) -> list[tuple[Row, bool]]:
        """Settle all rows, as none comes that decides."""
        if (stray := self._stray()) is not None:
            self._leave_out(stray)
        elif self._odd is not None:
            self._last, self._odd = self._tail[self._odd][1], None
        settled = [(row, False) for row, _ in self._tail]
        self._before, self._tail = NO_COUNTS, []
        return settled

    def _begin(self, row: Row, counts: Counts) -> list[tuple[Row, bool]]:
        self.left_out = []
        self._before, self._last = NO_COUNTS, counts
        return [(row, True)]

    def _stray(self) -> int | None:
        """The place in the tail of the row that does not fit, by what is known so far; None if nothing shows it."""
        if self._odd is None or not self._before:
            return None
        return 0 if _fits(self._before, self._tail[self._odd][1]) else self._odd

    def _leave_out(self, place: int) -> None:
        assert self._odd is not None
        if place != self._odd:
            self._last = self._tail[self._odd][1]
        self.left_out.append(self._tail.pop(place)[0])
        self._odd = None


def counts_of(sample: Sample) -> Counts:
    """The counters of an active sample; those of others may be of the switchover."""
    ram = sample.ram
    if ram is None or sample.status != "active":
        return NO_COUNTS
    transferred = nan if ram.transferred_bytes is None else ram.transferred_bytes
    return ram.sent_pages, ram.zero_pages, transferred, ram.dirty_sync_count


def _is_another(before: Counts, now: Counts) -> bool:
    return now[_SENT] < before[_SENT] and not now[_TRANSFERRED] >= before[_TRANSFERRED]


def _fits(before: Counts, now: Counts) -> bool:
    return not any(b < a for a, b in zip(before, now, strict=False))
