# SPDX-License-Identifier: GPL-2.0-or-later
"""A closed range of numbers: the possible values of a figure that could not be seen exactly."""

from collections.abc import Iterable

import msgspec


class Interval(msgspec.Struct, frozen=True, gc=False):
    """From `low` to `high`, both included; `low` is never above `high`."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"an interval from {self.low} down to {self.high}")

    @property
    def middle(self) -> float:
        """Half-way between the ends."""
        return (self.low + self.high) / 2

    @property
    def width(self) -> float:
        """The distance between the ends."""
        return self.high - self.low

    def meets(self, other: "Interval") -> bool:
        """Whether the two have a point in common."""
        return self.low <= other.high and other.low <= self.high

    def within(self, other: "Interval") -> bool:
        """Whether all of this one lies in `other`."""
        return other.low <= self.low and self.high <= other.high

    def intersection(self, other: "Interval") -> "Interval":
        """The part common to both; check `meets` first."""
        return Interval(max(self.low, other.low), min(self.high, other.high))

    def shifted(self, low: float, high: float | None = None) -> "Interval":
        """The interval moved by `low`, or its upper end by `high` if given."""
        return Interval(self.low + low, self.high + (low if high is None else high))

    def scaled(self, factor: float) -> "Interval":
        """The interval multiplied by a `factor` of at least 0."""
        return Interval(self.low * factor, self.high * factor)


def span(values: Iterable[float]) -> Interval:
    """The interval from the least to the greatest value, of at least one."""
    every = list(values)
    return Interval(min(every), max(every))
