# SPDX-License-Identifier: GPL-2.0-or-later
"""Many readings of one guest that were made at once, one by one only if they are asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..trace.reading import Reading
from ..trace.samples import Floats


class OneOfMany(Protocol):
    """What tells one of them."""

    def plain_reading(self) -> Reading:
        """What is read of it line by line."""

    def reading(self) -> Reading:
        """The same with what is worked out of it."""


@dataclass(frozen=True, eq=False, slots=True)
class Many:
    """Readings of a guest that the text calls `of`, none of which tells the same as another, and their statuses.

    `table` has a column for each, as that of `Samples`, without its time and the number of its status. `total_s` are
    their total times, none of which is less than the one before, and `logged_s` the times of their lines, if all of
    them have one. The last one `lacks` this of what a sample is made of.
    """

    of: str
    rows: Sequence[OneOfMany]
    table: Floats
    statuses: Sequence[str]
    total_s: Floats | None
    logged_s: Floats | None = None
    lacks: tuple[str, ...] = ()

    @property
    def last(self) -> Reading:
        """The last one."""
        return self.rows[-1].plain_reading()

    def readings(self) -> Iterator[Reading]:
        """The same one by one."""
        return (one.plain_reading() for one in self.rows)
