# SPDX-License-Identifier: GPL-2.0-or-later
"""A table with a figure in each row and a sample in each column, as people make it of several texts.

Tables that compare migrations look the same. So one is read only if its columns are certainly samples of one migration:
what was sent from one to the next is what the shown bandwidth sends in that time.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from ..basics.interval import Interval
from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS
from ..trace.reading import Reading
from .domjobinfo import FIGURE_NAMES, OF_LIBVIRT
from .many import Many
from .monitor_names import LINES
from .qmp_fields import PLACES
from .reader import Reader
from .remaining import ram_figure

_NAMES = frozenset((*LINES, *(name.lower() for name in FIGURE_NAMES), *PLACES, "migration status"))
_OF_TABLES = frozenset((*PLACES, *OF_LIBVIRT))
"""Those of figures without units, which a table with a sample in each row has as well."""
_IS_ONE = re.compile(
    r"^\W{0,9}(?:ram[.-]|memory[ _])?remain\w{0,20}[^\n\d]{1,40}\d[^\n]{0,200}?(?:[|\t,;]\W{0,20}|  [a-z :-]{0,40})\d",
    re.IGNORECASE | re.MULTILINE,
)
"""The row of what is left."""
_DELIMITERS = ("|", "\t", ";", ",", "  ")
_LONGEST = 1 << 16
"""No text with such a table is longer."""
_LEAST_ROWS = 4
_MOST_COLUMNS = 100
_ABOUT = Interval(0.7, 1.4)
"""What was sent, as a share of what the shown bandwidths send in that time."""
_LEAST_MS = 200.0
"""Over a shorter time, QEMU's bursts do not show its bandwidth."""


def columns_as_texts(text: str) -> str | None:
    """The text with the columns of such a table as texts, one below the other; None unless all figures are in one."""
    if len(text) > _LONGEST or _IS_ONE.search(text) is None:
        return None
    delimiter = max(_DELIMITERS, key=text.count)
    lines = text.splitlines()
    rows = [row for line in lines if (row := _row(line, delimiter))]
    columns = _columns(rows)
    rest = "\n".join(line for line in lines if _row(line, delimiter) is None)
    if not columns or _readings(rest) or not _are_of_one_migration([*map(_reading, columns)]):
        return None
    return "\n\n".join([rest, *columns]) + "\n"


def _columns(rows: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """For each column, a line with each figure, or a table of one row; empty if these rows are no table."""
    names = [name for name, _ in rows]
    counts = {len(cells) for _, cells in rows}
    if len(rows) < _LEAST_ROWS or len({*names}) < len(names) or len(counts) > 1:
        return []
    (count,) = counts
    if not 2 <= count <= _MOST_COLUMNS:
        return []
    columns = [*zip(*(cells for _, cells in rows), strict=True)]
    if _OF_TABLES.issuperset(name.lower() for name in names):
        return ["\n".join(("\t".join(names), "\t".join(column))) for column in columns]
    return ["\n".join(f"{name}: {cell}" for name, cell in zip(names, column, strict=True)) for column in columns]


def _row(line: str, delimiter: str) -> tuple[str, Sequence[str]] | None:
    """The name of a figure and the cells behind it; None if it is no row with one."""
    between = re.compile(r"\s{2,}") if delimiter == "  " else re.compile(re.escape(delimiter))
    cells = [cell.strip(" \t\r*`") for cell in between.split(line.strip(" \r"))]
    if delimiter == "|":
        cells = cells[not cells[0] : len(cells) - (not cells[-1])] or [""]
    name, _, value = cells[0].partition(":")
    values = [
        *([value.strip()] if value.strip() else []),
        *(cell.removeprefix(f"{name}:").strip() for cell in cells[1:]),
    ]
    return (name.strip(), values) if name.strip().lower() in _NAMES and values else None


def _readings(text: str) -> list[Reading | Many]:
    return [item for item in Reader().whole([f"{text}\n".encode()]) if isinstance(item, Reading | Many)]


def _reading(column: str) -> Reading | None:
    """What one column shows; None if it is no single sample."""
    readings = _readings(column)
    only = readings[0] if len(readings) == 1 else None
    return only if isinstance(only, Reading) else None


def _are_of_one_migration(readings: Sequence[Reading | None]) -> bool:
    known = [one for one in readings if one is not None]
    if len(known) != len(readings):
        return False
    totals = {_middle(one, "total") for one in known}
    if len(totals) > 1 or any(one.answer.get("status", "active") != "active" for one in known):
        return False
    return all(map(_follows, pairwise(known)))


def _follows(pair: tuple[Reading, Reading]) -> bool:
    """Whether the second one is of the same migration as the first, a moment later."""
    before, after = pair
    passed_ms = _time_ms(after) - _time_ms(before)
    if not passed_ms >= _LEAST_MS:
        return False
    mbps = [rate for one in pair if (rate := _middle(one, "mbps")) is not None]
    sent = [*_sent_bytes(before, after)]
    if len(mbps) < 2 or min(mbps) <= 0 or not sent:
        return False
    carried = passed_ms * BYTES_PER_MS_PER_MBPS * sum(mbps) / 2
    return all(_ABOUT.low <= one / carried <= _ABOUT.high for one in sent)


def _sent_bytes(before: Reading, after: Reading) -> Iterator[float]:
    """What was sent from one to the other, by each figure that shows it."""
    page_bytes = _middle(after, "page-size") or 4096.0
    for name, unit in (("transferred", 1.0), ("normal", page_bytes)):
        first, last = _middle(before, name), _middle(after, name)
        if first is not None and last is not None:
            yield (last - first) * unit


def _middle(one: Reading, name: str) -> float | None:
    figure = ram_figure(one, name)
    return None if figure is None else figure.middle


def _time_ms(one: Reading) -> float:
    total_ms: Any = one.answer.get("total-time")
    return float(total_ms) if isinstance(total_ms, int | float) else float("nan")
