# SPDX-License-Identifier: GPL-2.0-or-later
"""Many readings of one guest, made at once; each single reading is made only on demand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..trace.reading import Reading
from ..trace.samples import Floats


class OneOfMany(Protocol):
    """The source of one of them."""

    def plain_reading(self) -> Reading:
        """The reading as read line by line."""

    def reading(self) -> Reading:
        """The same, completed with computed figures."""


@dataclass(frozen=True, eq=False, slots=True)
class Many:
    """Readings of the guest `of`, all different, and their statuses.

    `table` has a column for each, as in `Samples`, but without the time and the number of the status. `total_s` are
    their total times, which never fall; `logged_s` are the times of their lines, if all have one. `lacks` is what the
    last one lacks of a sample's figures.
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
        """The last reading."""
        return self.rows[-1].plain_reading()

    def readings(self) -> Iterator[Reading]:
        """The readings one by one."""
        return (one.plain_reading() for one in self.rows)
