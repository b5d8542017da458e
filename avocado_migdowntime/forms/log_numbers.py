# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures of a line of a log, or of many lines that are alike but for their digits, as columns.

What a form works out of a line's figures it works out of columns in the same words. What it has to decide by a figure,
rather than to compute, it decides by `decided`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..basics.interval import Interval
from .pace import Pace

Span = tuple[int, int]
"""From where to where in a text; negative where it is not there."""


class Differ(Exception):
    """Lines that are alike come to different decisions: they have to be read one by one."""


class Numbers:
    """The figures of a line: `numbers[match.span(1)]` is the number there."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __getitem__(self, span: Span) -> Any:
        """The number there, or a column of them; None where there is none."""
        return float(self.text[slice(*span)]) if span[1] > span[0] else None

    def words(self, span: Span) -> str:
        """What stands there, digits as well: lines are alike only where they have the same."""
        return self.text[slice(*span)]


class Noting(Numbers):
    """Notes which numbers and words are asked for."""

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
    """What a line with figures tells, as `figures.reading` takes it, before it is known when that was.

    Where the line shows no bandwidth, that is worked out by the `pace` of what was sent.
    """

    status: str
    figures: Mapping[str, Any]
    of: str = ""
    derived: Mapping[str, str] = field(default_factory=dict)
    estimated: Mapping[str, str] = field(default_factory=dict)
    pace: Pace | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the migration goes on, and its bandwidth is shown or worked out by its pace."""
        return self.status == "active" and (self.pace is not None or self.figures.get("ram.mbps") is not None)

    def of_one(self, number: int) -> "Statement":
        """What one of many lines tells, of which there are columns."""
        figures = {name: _of_one(figure, number) for name, figure in self.figures.items()}
        return Statement(self.status, figures, self.of, self.derived, self.estimated, self.pace)


def _of_one(figure: Any, number: int) -> Any:
    if isinstance(figure, Intervals):
        return Interval(figure.low.item(number), figure.high.item(number))
    return figure.item(number) if isinstance(figure, np.ndarray) else figure


class Intervals(Interval):
    """Those of many figures: both ends are columns."""

    low: Any
    high: Any

    def __post_init__(self) -> None:
        pass

    def scaled(self, factor: float) -> "Intervals":
        """Each multiplied by a `factor` from 0 up."""
        return Intervals(self.low * factor, self.high * factor)


def between(low: Any, high: Any) -> Interval:
    """From `low` to `high`, of a line or of many."""
    interval = Intervals if isinstance(low, np.ndarray) else Interval
    return interval(low, high)


def from_0(figure: Any) -> Any:
    """The figure, of a line or of many; 0 where it is below that."""
    return np.maximum(0.0, figure) if isinstance(figure, np.ndarray) else max(0.0, figure)


def decided(condition: Any) -> bool:
    """Whether it holds; raises Differ where it does for some lines only."""
    if not isinstance(condition, np.ndarray):
        return bool(condition)
    if np.any(condition) != np.all(condition):
        raise Differ
    return bool(np.all(condition))
