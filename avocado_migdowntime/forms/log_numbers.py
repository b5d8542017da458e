# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures of a log line; or, as columns, of many lines that differ only in their digits.

A form computes with columns by the same code as with the figures of one line. A condition that depends on a figure must
go through `decided`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..basics.interval import Interval
from .pace import Pace

Span = tuple[int, int]
"""Start and end in a text; negative if absent."""


class Differ(Exception):
    """Similar lines lead to different decisions: they must be read one by one."""


class Numbers:
    """The figures of a line: `numbers[match.span(1)]` is the number there."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __getitem__(self, span: Span) -> Any:
        """The number there, or a column of numbers; None if there is none."""
        return float(self.text[slice(*span)]) if span[1] > span[0] else None

    def words(self, span: Span) -> str:
        """The text there, including digits: it must be the same in all lines."""
        return self.text[slice(*span)]


class Noting(Numbers):
    """Records which numbers and texts are used."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.numbers: list[Span] = []
        self.fixed: list[Span] = []

    def __getitem__(self, span: Span) -> Any:
        if span[1] > span[0]:
            self.numbers.append(span)
        return super().__getitem__(span)

    def words(self, span: Span) -> str:
        self.fixed.append(span)
        return super().words(span)


class Columns(Numbers):
    """The figures of many lines, each as one column; `text` is that of one of the lines."""

    def __init__(self, text: str, columns: Mapping[Span, Any]) -> None:
        super().__init__(text)
        self._columns = columns

    def __getitem__(self, span: Span) -> Any:
        return self._columns[span] if span[1] > span[0] else None


@dataclass(frozen=True, slots=True)
class Statement:
    """What a line with figures says, in the arguments of `figures.reading`, without its time.

    If the line shows no bandwidth, `pace` computes it from what was sent.
    """

    status: str
    figures: Mapping[str, Any]
    of: str = ""
    derived: Mapping[str, str] = field(default_factory=dict)
    estimated: Mapping[str, str] = field(default_factory=dict)
    pace: Pace | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the migration is active, and its bandwidth is shown or can be computed."""
        return self.status == "active" and (self.pace is not None or self.figures.get("ram.mbps") is not None)

    def of_one(self, number: int) -> "Statement":
        """The statement of one of many lines, taken from columns."""
        figures = {name: _of_one(figure, number) for name, figure in self.figures.items()}
        return Statement(self.status, figures, self.of, self.derived, self.estimated, self.pace)


def _of_one(figure: Any, number: int) -> Any:
    if isinstance(figure, Intervals):
        return Interval(figure.low.item(number), figure.high.item(number))
    return figure.item(number) if isinstance(figure, np.ndarray) else figure


class Intervals(Interval, frozen=True):
    """Intervals of many figures: both ends are columns."""

    low: Any
    high: Any

    def __post_init__(self) -> None:
        pass

    def scaled(self, factor: float) -> "Intervals":
        """Each interval multiplied by a `factor` of at least 0."""
        return Intervals(self.low * factor, self.high * factor)


def between(low: Any, high: Any) -> Interval:
    """The interval from `low` to `high`, of one line or of many."""
    interval = Intervals if isinstance(low, np.ndarray) else Interval
    return interval(low, high)


def from_0(figure: Any) -> Any:
    """The figure, of one line or of many, but at least 0."""
    return np.maximum(0.0, figure) if isinstance(figure, np.ndarray) else max(0.0, figure)


def decided(condition: Any) -> bool:
    """Whether the condition holds; raises Differ if it holds for some lines only."""
    if not isinstance(condition, np.ndarray):
        return bool(condition)
    if np.any(condition) != np.all(condition):
        raise Differ
    return bool(np.all(condition))
