# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers to query-migrate: one as a row, many as columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS
from ..errors import UsageError
from .ram import Ram, optional_number, ram_of, ran_over

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer to query-migrate, asked `t_s` seconds after the recording's zero.

    `on` is the event that it was asked at, `downtime_ms` what QEMU says, once completed, the downtime really was.
    `pending_bytes` is what QEMU found pending when it last looked, devices counted (`remaining` of the whole answer,
    since QEMU 11.1).
    `total_bytes` is the guest's whole RAM, `disk_bytes` what is left of disks that are sent as well, where that is
    shown. `throttle_percent` is for how much of their time auto-converge stops the guest's CPUs, where it does.
    `remaining_bytes`, `mbps` and the dirty rate of `ram` may be more or less by `open_…`, as a text rounds.
    """

    t_s: float
    latency_ms: float
    status: str
    expected_downtime_ms: float | None = None
    ram: Ram | None = None
    on: str | None = None
    downtime_ms: float | None = None
    pending_bytes: float | None = None
    total_bytes: float | None = None
    disk_bytes: float | None = None
    throttle_percent: float | None = None
    open_bytes: float = 0.0
    open_mbps: float = 0.0
    open_pages_per_s: float = 0.0

    @property
    def answered_s(self) -> float:
        """When the answer came, by which QEMU had made it: its figures are from between `t_s` and then."""
        return self.t_s + self.latency_ms / 1000

    @classmethod
    def from_query(cls, t_s: float, latency_ms: float, answer: Mapping[str, Any], on: str | None = None) -> "Sample":
        """The sample that QEMU's `answer` to query-migrate makes; without RAM figures where more is left than there is.

        Raises UsageError naming the field where one is missing or of the wrong type.
        """
        status = answer.get("status", "none")
        if not isinstance(status, str):
            raise UsageError(f"'status' is {status!r} where a text was expected")
        ram = answer.get("ram")
        return cls(
            t_s=t_s,
            latency_ms=latency_ms,
            status=status,
            expected_downtime_ms=optional_number(answer, "expected-downtime"),
            ram=None if ram is None or (isinstance(ram, Mapping) and ran_over(ram)) else ram_of(ram, answer),
            on=on,
            downtime_ms=optional_number(answer, "downtime"),
            pending_bytes=optional_number(answer, "remaining"),
            total_bytes=_of_part(ram, "total"),
            disk_bytes=_of_part(answer.get("disk"), "remaining"),
            throttle_percent=optional_number(answer, "cpu-throttle-percentage"),
        )


def _of_part(part: Any, name: str) -> float | None:
    return optional_number(part, name) if isinstance(part, Mapping) else None


class Column(IntEnum):
    """The rows of `Samples.table`, each a column of a recording; STATUS and ON count in its `labels`."""

    T = 0
    LATENCY = auto()
    STATUS = auto()
    ON = auto()
    EXPECTED = auto()
    DOWNTIME = auto()
    PENDING = auto()
    TOTAL = auto()
    DISK = auto()
    THROTTLE = auto()
    OPEN_BYTES = auto()
    OPEN_MBPS = auto()
    OPEN_RATE = auto()
    REMAINING = auto()
    PAGE = auto()
    SENT = auto()
    ZERO = auto()
    SYNCS = auto()
    DIRTY_RATE = auto()
    MBPS = auto()
    COUNTED = auto()
    TRANSFERRED = auto()


@dataclass(frozen=True, eq=False, slots=True)
class Samples(Sequence[Sample]):
    """Samples in the order of their time, as columns of floats; one of them is a Sample.

    `table` has a row for each `Column` and shape (columns, samples); NaN is what an answer did not have. A slice is a
    view of the same table. Its figures have the names of those of `Ram`, so that a formula takes either. Counters are
    exact up to 2**53.
    """

    table: Floats = field(default_factory=lambda: np.empty((len(Column), 0)))
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[Sample]) -> "Samples":
        """The columns that `rows` make."""
        made = SamplesWriter()
        for row in rows:
            made.append(row)
        return made.samples()

    def __len__(self) -> int:
        return int(self.table.shape[1])

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> "Samples": ...
    def __getitem__(self, index: int | slice) -> "Sample | Samples":
        if isinstance(index, slice):
            return Samples(self.table[:, index], self.labels)
        return self._row(self.table[:, index].tolist())

    def __iter__(self) -> Iterator[Sample]:
        return map(self._row, self.table.T.tolist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Samples):
            return NotImplemented
        if self.labels == other.labels:
            return np.array_equal(self.table, other.table, equal_nan=True)
        return list(self) == list(other)

    def ram(self, index: int) -> Ram | None:
        """The RAM figures of one, where it carries some."""
        return _ram(self.table[Column.REMAINING :, index].tolist())

    def take(self, indices: Indices) -> "Samples":
        """Those at `indices`, each greater than the one before; as a view where they lie side by side."""
        if len(indices) and int(indices[-1]) - int(indices[0]) == len(indices) - 1:
            return self[int(indices[0]) : int(indices[-1]) + 1]
        return self.arranged(indices)

    def arranged(self, indices: Indices) -> "Samples":
        """The samples at `indices`, in any order; the columns get the shape of `indices`, which may be any."""
        return Samples(self.table[:, indices], self.labels)

    def with_bandwidth(self, mbps: Floats, open_mbps: Floats) -> "Samples":
        """The same with other figures for `mbps`, and for what these may be more or less."""
        table = self.table.copy()
        table[Column.MBPS], table[Column.OPEN_MBPS] = mbps, np.nan_to_num(open_mbps)
        return Samples(table, self.labels)

    @property
    def t_s(self) -> Floats:
        """When each was asked for, seconds after the recording's zero."""
        return self._column(Column.T)

    @property
    def answered_s(self) -> Floats:
        """When each answer came."""
        return self._column(Column.T) + self._column(Column.LATENCY) / 1000

    @property
    def expected_downtime_ms(self) -> Floats:
        """What QEMU reported, NaN where it did not."""
        return self._column(Column.EXPECTED)

    @property
    def pending_bytes(self) -> Floats:
        """What QEMU found pending when it last looked, NaN where it does not say."""
        return self._column(Column.PENDING)

    @property
    def disk_bytes(self) -> Floats:
        """What is left of disks that are sent as well, NaN where none are."""
        return self._column(Column.DISK)

    @property
    def throttle_percent(self) -> Floats:
        """For how much of their time the guest's CPUs are stopped, NaN where they are not."""
        return self._column(Column.THROTTLE)

    @property
    def sends_a_disk(self) -> bool:
        """Whether there is something left of a disk in one of them that is active."""
        return bool(np.any(self.are("active") & (self.disk_bytes > 0)))

    @property
    def open_bytes(self) -> Floats:
        """By how much `remaining_bytes` may be more or less than it was shown."""
        return self._column(Column.OPEN_BYTES)

    @property
    def open_mbps(self) -> Floats:
        """By how much `mbps` may be more or less than it was shown."""
        return self._column(Column.OPEN_MBPS)

    @property
    def open_pages_per_s(self) -> Floats:
        """By how much `dirty_pages_per_s` may be more or less than it was shown."""
        return self._column(Column.OPEN_RATE)

    @property
    def has_ram(self) -> NDArray[np.bool_]:
        """Which of them carry RAM figures."""
        return ~np.isnan(self._column(Column.MBPS))

    @property
    def remaining_bytes(self) -> Floats:
        """What was left to send."""
        return self._column(Column.REMAINING)

    @property
    def page_bytes(self) -> Floats:
        """The target's page size."""
        return self._column(Column.PAGE)

    @property
    def sent_pages(self) -> Floats:
        """Pages that have left `remaining_bytes`."""
        return self._column(Column.SENT)

    @property
    def zero_pages(self) -> Floats:
        """Zero pages among them."""
        return self._column(Column.ZERO)

    @property
    def dirty_sync_count(self) -> Floats:
        """Dirty syncs so far, by which passes are numbered."""
        return self._column(Column.SYNCS)

    @property
    def dirty_pages_per_s(self) -> Floats:
        """QEMU's dirty-pages-rate."""
        return self._column(Column.DIRTY_RATE)

    @property
    def mbps(self) -> Floats:
        """The bandwidth of the last window, decimal megabits per second."""
        return self._column(Column.MBPS)

    @property
    def counted_bytes(self) -> Floats:
        """What QEMU counted for the RAM that it sent, NaN where it does not say."""
        return self._column(Column.COUNTED)

    @property
    def transferred_bytes(self) -> Floats:
        """What QEMU counted for all that it sent, NaN where it does not say."""
        return self._column(Column.TRANSFERRED)

    @property
    def conserved_bytes(self) -> Floats:
        """Remaining and sent together: constant within a pass."""
        return self.remaining_bytes + self.page_bytes * self.sent_pages

    @property
    def wire_bytes_per_ms(self) -> Floats:
        """The bandwidth of the last window, bytes per millisecond."""
        return self.mbps * BYTES_PER_MS_PER_MBPS

    @property
    def dirty_bytes_per_ms(self) -> Floats:
        """QEMU's dirty-pages-rate as bytes per millisecond."""
        return self.dirty_pages_per_s * self.page_bytes / 1000

    def are(self, *statuses: str) -> NDArray[np.bool_]:
        """Which of them have one of these statuses."""
        codes = [code for code, label in enumerate(self.labels) if label in statuses]
        return np.isin(self._column(Column.STATUS), codes)

    @property
    def statuses(self) -> list[str]:
        """The statuses that occur."""
        return [self.labels[int(code)] for code in np.unique(self._column(Column.STATUS))]

    def _column(self, column: Column) -> Floats:
        figures: Floats = self.table[column]
        return figures

    def _row(self, figures: list[float]) -> Sample:
        t_s, latency_ms, status, on, expected_ms, downtime_ms, pending, total, disk, throttle = figures[
            : Column.OPEN_BYTES
        ]
        open_bytes, open_mbps, open_pages_per_s = figures[Column.OPEN_BYTES : Column.REMAINING]
        return Sample(
            t_s=t_s,
            latency_ms=latency_ms,
            status=self.labels[int(status)],
            expected_downtime_ms=_known(expected_ms),
            ram=_ram(figures[Column.REMAINING :]),
            on=None if on != on else self.labels[int(on)],
            downtime_ms=_known(downtime_ms),
            pending_bytes=_known(pending),
            total_bytes=_known(total),
            disk_bytes=_known(disk),
            throttle_percent=_known(throttle),
            open_bytes=open_bytes,
            open_mbps=open_mbps,
            open_pages_per_s=open_pages_per_s,
        )


class SamplesWriter:
    """Samples that are still being taken: one is added at a constant cost, and all so far are had at once."""

    _AT_ONCE = 256

    def __init__(self) -> None:
        self._table: Floats = np.empty((len(Column), 64))
        self._count = 0
        self._new: list[list[float]] = []
        self.labels = Labels()

    def append(self, row: Sample) -> None:
        """Add a sample."""
        self._add(figures_of(row, self.labels))

    def _add(self, figures: list[float]) -> None:
        self._new.append(figures)
        if len(self._new) == self._AT_ONCE:
            self._put()

    def append_answer(self, t_s: float, latency_ms: float, answer: Mapping[str, Any]) -> None:
        """Add the sample that an answer to query-migrate makes; raises UsageError as `Sample.from_query` does.

        Of an answer in which nothing is unusual the figures are taken as they are: of those there are most.
        """
        figures = _plain_figures(t_s, latency_ms, answer, self.labels)
        if figures is None:
            self.append(Sample.from_query(t_s, latency_ms, answer))
        else:
            self._add(figures)

    def samples(self) -> Samples:
        """Those so far; what is added later does not change them."""
        self._put()
        return Samples(self._table[:, : self._count], tuple(self.labels))

    def _put(self) -> None:
        """Put those into the table that are not there yet: many at once, as that takes as long as a few."""
        if not self._new:
            return
        begin, self._count = self._count, self._count + len(self._new)
        while self._count > self._table.shape[1]:
            self._table = np.hstack([self._table, np.empty_like(self._table)])
        self._table[:, begin : self._count] = np.array(self._new).T
        self._new = []


class Labels(dict[str, int]):
    """Texts by the numbers that stand for them in a table."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


def figures_of(row: Sample, labels: Labels) -> list[float]:
    """The column of a `Samples.table` that a sample makes, in the order of `Column`."""
    ram, nan = row.ram, np.nan
    counters: list[float] = [nan] * 9
    if ram is not None:
        counters = [
            ram.remaining_bytes,
            ram.page_bytes,
            ram.sent_pages,
            ram.zero_pages,
            ram.dirty_sync_count,
            ram.dirty_pages_per_s,
            ram.mbps,
            nan if ram.counted_bytes is None else ram.counted_bytes,
            nan if ram.transferred_bytes is None else ram.transferred_bytes,
        ]
    return [
        row.t_s,
        row.latency_ms,
        labels[row.status],
        nan if row.on is None else labels[row.on],
        nan if row.expected_downtime_ms is None else row.expected_downtime_ms,
        nan if row.downtime_ms is None else row.downtime_ms,
        nan if row.pending_bytes is None else row.pending_bytes,
        nan if row.total_bytes is None else row.total_bytes,
        nan if row.disk_bytes is None else row.disk_bytes,
        nan if row.throttle_percent is None else row.throttle_percent,
        row.open_bytes,
        row.open_mbps,
        row.open_pages_per_s,
        *counters,
    ]


def _plain_figures(t_s: float, latency_ms: float, answer: Mapping[str, Any], labels: Labels) -> list[float] | None:
    """What `figures_of` gives of the sample that `answer` makes; None where that has to be looked at more closely."""
    ram, status = answer.get("ram"), answer.get("status")
    if type(ram) is not dict or type(status) is not str or not _UNUSUAL.isdisjoint(answer):
        return None
    counters: list[Any] = [ram.get(name) for name in _COUNTERS]
    beside: list[Any] = [answer.get(name, 0) for name in _BESIDE] + [ram.get(name, 0) for name in _OF_RAM]
    mbps = ram.get("mbps")
    if not {type(mbps), *map(type, counters), *map(type, beside)} <= _NUMBERS:
        return None
    least, most = min(mbps, *counters, *beside), max(mbps, *counters, *beside)
    remaining, page, normal, zero, syncs, rate = map(int, counters)
    if not (least >= 0 and most < _EXACT and page and remaining <= ram.get("total", 0)):
        return None
    nan = np.nan
    expected, downtime, pending = (answer.get(name, nan) for name in _BESIDE)
    counted = int(ram["precopy-bytes"]) if "precopy-bytes" in ram else nan
    transferred = int(ram["transferred"]) if "transferred" in ram else nan
    known = [t_s, latency_ms, labels[status], nan, expected, downtime, pending, ram["total"], nan, nan, 0.0, 0.0, 0.0]
    return [*known, remaining, page, normal + zero, zero, syncs, rate, mbps, counted, transferred]


_COUNTERS = ("remaining", "page-size", "normal", "duplicate", "dirty-sync-count", "dirty-pages-rate")
_BESIDE, _OF_RAM = ("expected-downtime", "downtime", "remaining"), ("total", "precopy-bytes", "transferred")
_NUMBERS = frozenset((int, float))
_UNUSUAL = frozenset(("xbzrle-cache", "compression", "disk", "cpu-throttle-percentage"))
_EXACT = 2.0**53


def _ram(figures: Sequence[float]) -> Ram | None:
    *counters, mbps, counted, transferred = figures
    if mbps != mbps:
        return None
    return Ram(*map(int, counters), mbps=mbps, counted_bytes=_whole(counted), transferred_bytes=_whole(transferred))  # type: ignore[misc]


def _whole(figure: float) -> int | None:
    return None if figure != figure else int(figure)


def _known(figure: float) -> float | None:
    return None if figure != figure else figure
