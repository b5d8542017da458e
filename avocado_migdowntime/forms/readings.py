# SPDX-License-Identifier: GPL-2.0-or-later
"""Many log lines of the same templates, as columns, if the result is the same as line by line."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ..basics.interval import Interval
from ..basics.lazy_sequence import LazySequence
from ..basics.qemu_constants import GREATEST_MBPS
from ..trace.figures import COLUMNS, Column
from ..trace.reading import Reading, Stamp
from ..trace.samples import Floats, Indices
from .figures import column, reading_of
from .filling import NEEDED, USUAL_PAGE_BYTES, filled
from .log_numbers import Columns, Differ, Span, Statement
from .many import Many
from .pace import Pace
from .sieve import Raw
from .stamps import seconds_s
from .template import Template

_COLUMNS = {
    "expected-downtime": Column.EXPECTED,
    "ram.total": Column.TOTAL,
    "disk.remaining": Column.DISK,
    "vfio.transferred": Column.VFIO,
    "ram.remaining": Column.REMAINING,
    "ram.page-size": Column.PAGE,
    "ram.normal": Column.SENT,
    "ram.duplicate": Column.ZERO,
    "ram.dirty-sync-count": Column.SYNCS,
    "ram.dirty-pages-rate": Column.DIRTY_RATE,
    "ram.mbps": Column.MBPS,
    "ram.transferred": Column.TRANSFERRED,
}
_WHERE_MISSING = {
    Column.PAGE: USUAL_PAGE_BYTES,
    **dict.fromkeys((Column.SENT, Column.ZERO, Column.SYNCS, Column.DIRTY_RATE), 0),
}
_DECODER = msgspec.json.Decoder(list[float])


class TemplateLine(NamedTuple):
    """A line of a template, and the texts of its pattern's groups."""

    template: Template
    groups: tuple[bytes, ...]
    line: Raw


class Row(NamedTuple):
    """One line of these columns; its reading is made on demand."""

    columns: Statement
    number: int
    t_s: float
    tick_s: float
    mbps: Sequence[float] | None
    arrived_s: float

    def plain_reading(self) -> Reading:
        """The reading as read line by line."""
        mbps = None if self.mbps is None else Interval(*self.mbps)
        stamp = Stamp(self.t_s, self.tick_s)
        return reading_of(self.columns.of_one(self.number), stamp, mbps, self.arrived_s)

    def reading(self) -> Reading:
        """The same, completed with computed figures."""
        return filled(self.plain_reading()).reading


class _Part(NamedTuple):
    """The lines of one template: their numbers, and their statement as columns."""

    numbers: Indices
    template: Template
    statement: Statement

    @property
    def clock(self) -> tuple[float, type, int]:
        """What all lines of a guest must have in common about times and bandwidth."""
        return self.template.tick_s, type(self.statement.figures.get("total-time")), id(self.statement.pace)


def batches_of(lines: Sequence[TemplateLine]) -> list[Many] | None:
    """The readings of all these lines, one batch for each guest; None if a line must be read by itself."""
    of_template: dict[Template, list[int]] = {}
    for number, one in enumerate(lines):
        of_template.setdefault(one.template, []).append(number)
    of_guest: dict[str, list[_Part]] = {}
    logged_s = np.empty(len(lines))
    try:
        for template, numbers in of_template.items():
            groups = [*zip(*[lines[number].groups for number in numbers], strict=True)]
            statement = template.form.statement(Columns(template.text, _numbers(groups, template)))
            if statement is None or not statement.is_plain:
                return None
            logged_s[numbers] = _times_s(groups, template)
            of_guest.setdefault(statement.of, []).append(_Part(np.array(numbers), template, statement))
    except (Differ, msgspec.MsgspecError):
        return None
    results = [_of_guest(of, parts, lines, logged_s) for of, parts in of_guest.items()]
    batches = [one for one in results if one is not None]
    if len(batches) < len(results):
        return None
    for readings, pace in sorted(batches, key=lambda one: of_guest[one[0].of][0].numbers[0]):
        first = of_guest[readings.of][0]
        if first.statement.pace is not None and pace is not None:
            first.statement.pace.become(pace)
        first.template.form.looks.active(readings.last)
    return [readings for readings, _ in batches]


def _numbers(groups: Sequence[Sequence[bytes]], template: Template) -> dict[Span, Floats]:
    texts = chain.from_iterable(groups[group] for _, group in template.numbers)
    figures = np.array(_DECODER.decode(b"[%b]" % b",".join(texts))).reshape(len(template.numbers), -1)
    return {span: figures[number] for number, (span, _) in enumerate(template.numbers)}


def _times_s(groups: Sequence[Sequence[bytes]], template: Template) -> Floats:
    times_s: Floats = seconds_s(groups[template.second], template.zone).astype(np.float64)
    if template.part is not None:
        parts = groups[template.part]
        times_s += np.array([*map(int, parts)]) / 10.0 ** len(parts[0])
    return times_s


def _of_guest(
    of: str, parts: Sequence[_Part], lines: Sequence[TemplateLine], logged_s: Floats
) -> tuple[Many, Pace | None] | None:
    """The readings of one guest's lines, and its pace after them."""
    first = parts[0]
    form, tick_s = first.template.form, first.template.tick_s
    if any(part.clock != first.clock for part in parts) or form.looks.is_in_postcopy(of):
        return None
    numbers = np.sort(np.concatenate([part.numbers for part in parts]))
    logged_s = logged_s[numbers]
    table = np.full((COLUMNS, len(numbers)), np.nan)
    total_s, sent_bytes = np.empty(len(numbers)), np.empty((2, len(numbers)))
    for part in parts:
        at = np.searchsorted(numbers, part.numbers)
        figures = {name: figure for name, figure in part.statement.figures.items() if figure is not None}
        if _may_be_worked_out(figures):
            return None
        for name in figures.keys() & _COLUMNS.keys():
            table[_COLUMNS[name], at] = column(name, figures[name])
        transferred = figures.get("ram.transferred", np.nan)
        sent_bytes[:, at] = (transferred.low, transferred.high) if isinstance(transferred, Interval) else transferred
        total_s[at] = column("total-time", figures.get("total-time", np.nan)) / 1000
    pace, mbps = first.statement.pace, None
    if pace is not None:
        pace = pace.copy()
        mbps = pace.of_many(logged_s.tolist(), tick_s, *sent_bytes.tolist())
        if np.any(np.isnan(mbps)):
            return None
        table[Column.MBPS] = mbps.sum(axis=0) / 2
    if not _is_plain(table, form.looks[of]):
        return None
    last = max(parts, key=lambda part: part.numbers[-1]).statement.figures
    whose, places = np.empty((2, len(numbers)), np.int64)
    for number, part in enumerate(parts):
        at = np.searchsorted(numbers, part.numbers)
        whose[at], places[at] = number, np.arange(len(at))
    came_s = lines[0].line[1]

    def made(some: range) -> Sequence[Row]:
        """The rows of these lines."""
        at = slice(some.start, some.stop)
        known_mbps = [None] * len(some) if mbps is None else mbps[:, at].T.tolist()
        each = zip(whose[at].tolist(), places[at].tolist(), logged_s[at].tolist(), known_mbps, strict=True)
        return [Row(parts[part].statement, place, t_s, tick_s, pair, came_s) for part, place, t_s, pair in each]

    rows = LazySequence(len(numbers), made)
    statuses = [first.statement.status] * len(rows)
    known_s = total_s if "total-time" in first.statement.figures else None
    return Many(of, rows, _whole(table), statuses, known_s, logged_s, _lacks(last)), pace


def _may_be_worked_out(figures: Mapping[str, Any]) -> bool:
    """Whether `filling` might compute a page size from these figures."""
    return "ram.page-size" not in figures and {"ram.normal", "ram.normal-bytes"} <= figures.keys()


def _lacks(figures: Mapping[str, Any]) -> tuple[str, ...]:
    """What `filling` would list as lacking for a line with these figures and a known bandwidth."""
    names = [f"ram.{name}" for name in NEEDED if name not in ("page-size", "mbps")]
    return tuple(name for name in names if figures.get(name) is None)


def _is_plain(table: Floats, before: Reading | None) -> bool:
    """Whether nothing in it needs a closer look; comparing NaN gives False."""
    syncs = table[Column.SYNCS]
    before_syncs = 0 if before is None else before.answer.get("ram", {}).get("dirty-sync-count", 0)
    return not (
        np.any(table < 0)
        or np.any(table[Column.MBPS] > GREATEST_MBPS)
        or np.any(table[Column.PAGE] == 0)
        or np.any(table[Column.REMAINING] > table[Column.TOTAL])
        or np.any(np.isnan(syncs) != np.isnan(syncs[0]))
        or np.any(np.diff(syncs) < 0)
        or syncs[0] < before_syncs
    )


def _whole(table: Floats) -> Floats:
    """The table as samples have it, with `filling`'s values for what is not shown."""
    is_without_ram = np.isnan(table[Column.REMAINING])
    for row, missing in _WHERE_MISSING.items():
        table[row] = np.where(np.isnan(table[row]), missing, table[row])
    table[Column.OPEN_BYTES : Column.REMAINING] = 0
    table[Column.SENT] += table[Column.ZERO]
    table[Column.REMAINING :, is_without_ram] = np.nan
    table[Column.TOTAL, is_without_ram] = np.nan
    return table
