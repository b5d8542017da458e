# SPDX-License-Identifier: GPL-2.0-or-later
"""A table with a sample in each row, as scripts write it: its first line names columns as QMP or libvirt name figures,
or each row is an object with such names.

The figures are assumed to have QMP's or libvirt's units. A row whose bytes are no whole pages has other units, and is
not read.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..trace.reading import Item, Reading, Remark, Stamp
from ..trace.sample import ENDED
from .domjobinfo import OF_LIBVIRT, of_fields
from .form import Form, Line
from .qmp_fields import PLACES
from .rounding import broken_number, whole, whole_number
from .stamps import stamp_of

_DELIMITERS = ",;\t|"
_BLANKS = " "
"""The separator of cells if none of these occurs."""
_PATIENCE = 3
"""This many other lines end a table."""
_REMAINING = frozenset(("ram.remaining", "memory_remaining"))
_LEAST_COLUMNS = 3
"""This many columns with names of figures make a table."""
_TIMES = frozenset(("time", "timestamp", "date", "datetime", "ts", "@timestamp", "when", "clock"))
_GUESTS = frozenset(("vm", "guest", "domain", "instance", "vm_name", "vmname", "dom", "uuid"))
_STATES = frozenset(("state", "migration-status"))
_UNITS = {
    "bytes": re.compile(r"(?:ram|disk)\.(?:remaining|total|transferred)|ram\.page-size"),
    "ms": re.compile("(?:total|setup)-time|(?:expected-)?downtime"),
    "mbps": re.compile(r"ram\.mbps"),
}
"""Units that may follow a column's name, and the figures to which QMP gives them."""
_LEAST_PAGE = 1024
_MOST_BYTES_PER_MS = 2e7
"""No migration is faster: 160 Gbit/s."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
_RULE = re.compile(r"[-|:+=\s]+")


class Table(Form):
    """Reads one table after another."""

    NAME = "a table of samples"
    NEEDLES = (b"emain",)

    def __init__(self) -> None:
        super().__init__()
        self._columns: Sequence[str] = ()
        self._delimiter = ""
        self._strange = 0
        self.of_other_units = ""
        """A sentence if some row visibly has other units, so that no row can be relied on; else ''."""

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        text = line.text
        if self._columns:
            items = self._row(text, line)
            if items is not None:
                return items
        if "emain" not in text:
            return None
        if line.message.startswith("{") and line.message.count("{") == 1:
            row = _object(line.message)
            return None if row is None else self._of_cells(row, line)
        if "{" in text or "[" in text:
            return None
        delimiter = max(_DELIMITERS, key=text.count)
        delimiter = delimiter if delimiter in text else _BLANKS
        columns = [_name(cell) for cell in _cells(text, delimiter)]
        names = [*filter(_is_known, columns)]
        if len(names) < _LEAST_COLUMNS or _REMAINING.isdisjoint(names) or len({*names}) < len(names):
            return None
        self._columns, self._delimiter, self._strange = columns, delimiter, 0
        return []

    def _row(self, text: str, line: Line) -> Sequence[Item] | None:
        """The items of a row; None if it is no row."""
        if _RULE.fullmatch(text):
            return []
        cells = _cells(text, self._delimiter)
        if self._delimiter == _BLANKS and len(cells) == len(self._columns) + 1 and cells[0].isdecimal():
            cells = cells[1:]  # pandas prints a number before each row.
        if len(cells) != len(self._columns):
            self._strange += 1
            if self._strange >= _PATIENCE:
                self._columns = ()
            return None
        return self._of_cells({name: cell for name, cell in zip(self._columns, cells, strict=True) if name}, line)

    def _of_cells(self, cells: Mapping[str, str], line: Line) -> Sequence[Item] | None:
        row = {name: cell for name, cell in cells.items() if cell}
        stamp = next((at for name in _TIMES & row.keys() if (at := _time(row[name])) is not None), line.stamp)
        of = next((row[name] for name in _GUESTS & row.keys()), "")
        figures = {name: value for name, cell in row.items() if (value := _figure(name, cell)) is not None}
        if not figures.keys() & _REMAINING:
            return None if not figures else []
        self._strange = 0
        if (wrong := _of_other_units(figures)) is not None:
            self._columns = ()
            self.of_other_units = self.of_other_units or wrong
            return [Remark(wrong)]
        return [replace(item, of=of) for item in _items(figures, stamp, line.arrived_s)]


def _object(text: str) -> Mapping[str, str] | None:
    """The cells of a row that is an object, by their names; None if it is none, or only the RAM part of an answer."""
    try:
        cells = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(cells, dict) or not all(isinstance(cell, str | int | float | None) for cell in cells.values()):
        return None
    row = {_name(name): "" if cell is None else str(cell) for name, cell in cells.items()}
    names = [*filter(_is_known, row)]
    is_row = len(names) >= _LEAST_COLUMNS and "ram.remaining" in names and len(row) == len(cells)
    return row if is_row and not all(name.startswith("ram.") for name in names) else None


def _is_known(name: str) -> bool:
    return name in PLACES.values() or name in OF_LIBVIRT


def _of_other_units(figures: Mapping[str, Any]) -> str | None:
    """A sentence if a row visibly has other units; else None."""
    remaining = figures.get("ram.remaining", figures.get("memory_remaining", 0))
    if remaining % _LEAST_PAGE:
        return f"a table has {remaining:.10g} of RAM remaining, where bytes of whole pages were expected"
    total_ms = figures.get("total-time", figures.get("time_elapsed", 0))
    transferred = figures.get("ram.transferred", figures.get("memory_processed", 0))
    if total_ms > 0 and transferred / total_ms > _MOST_BYTES_PER_MS:
        return f"a table has a total time of {total_ms:.10g}, where ms were expected"
    return None


def _items(figures: Mapping[str, Any], stamp: Stamp | None, arrived_s: float) -> Iterator[Item]:
    if "memory_remaining" in figures:
        yield from of_fields({name: str(value) for name, value in figures.items()}, stamp, arrived_s)
        return
    answer: dict[str, Any] = {}
    status = str(figures.get("status"))
    if status not in ENDED and not status.startswith("postcopy"):
        # QEMU has no downtime then; somebody may have used that name for the expected one.
        figures = {name: value for name, value in figures.items() if name != "downtime"}
    for name, value in figures.items():
        part, _, inner = name.rpartition(".")
        (answer.setdefault(part, {}) if part else answer)[inner] = value
    yield Reading(answer, stamp, arrived_s=arrived_s)


def _cells(text: str, delimiter: str) -> list[str]:
    if delimiter == _BLANKS:
        return text.split()
    if delimiter == "|":
        text = text.strip("|")
    if '"' not in text:
        return [cell.strip() for cell in text.split(delimiter)]
    between = re.escape(delimiter)
    cells = re.findall(
        rf'(?:^|{between})\s*(?:"((?:[^"]|"")*)"\s*(?={between}|$)|([^{between}"]*)(?={between}|$))', text
    )
    return [(quoted or plain).strip() for quoted, plain in cells]


def _name(cell: str) -> str:
    """The figure that a column's name stands for; else the name itself."""
    plain = cell.strip().lower()
    if plain in OF_LIBVIRT:
        return plain
    if plain in _TIMES or plain in _GUESTS:
        return plain
    name = re.sub(r"[\s_]", "-", plain)
    for unit, has_unit in _UNITS.items():
        shorter = PLACES.get(name.removesuffix(f"-{unit}"), name)
        if name not in PLACES and has_unit.fullmatch(shorter):
            return shorter
    return "status" if name in _STATES else PLACES.get(name, name)


def _figure(name: str, cell: str) -> Any:
    if name == "status":
        return cell.lower() if cell.isascii() else None
    if not _is_known(name):
        return None
    digits = broken_number(cell) if name.endswith("mbps") else whole_number(cell) or broken_number(cell)
    digits = digits or cell
    if not _NUMBER.fullmatch(digits):
        return None
    number = float(digits)
    return whole(number)


def _time(cell: str) -> Stamp | None:
    if _NUMBER.fullmatch(cell):
        number = float(cell)
        tick_s = 10.0 ** -len(cell.partition(".")[2])
        return Stamp(number, tick_s) if number < 1e11 else Stamp(number / 1000, 0.001)
    return stamp_of(cell)
