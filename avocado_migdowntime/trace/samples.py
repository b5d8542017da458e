# SPDX-License-Identifier: GPL-2.0-or-later
"""Many answers to query-migrate, as columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS
from .figures import COLUMNS, Column, Labels, figures_of, known_ram, plain_figures, ram_in, sample_of
from .ram import Ram
from .sample import Sample

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
_STRETCH = 1 << 14


@dataclass(frozen=True, eq=False, slots=True)
class Samples(Sequence[Sample]):
    """Samples in the order of their time, as columns of floats; a single item is a Sample.

    `table` has a row for each `Column` and shape (columns, samples); NaN stands for what an answer lacked. A slice is a
    view of the same table. The columns have the names of `Ram`'s fields, so that a formula takes either. Counters are
    exact up to 2**53.
    """

    table: Floats = field(default_factory=lambda: np.empty((COLUMNS, 0)))
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[Sample]) -> "Samples":
        """The columns of `rows`."""
        writer = SamplesWriter()
        for row in rows:
            writer.append(row)
        return writer.samples()

    @classmethod
    def stacked(cls, parts: Sequence["Samples"]) -> "Samples":
        """The samples of `parts`, of one length and with the same labels; each column has shape (parts, samples)."""
        first = parts[0]
        return cls(
            np.stack([part.table for part in parts], axis=1) if len(parts) > 1 else first.table[:, np.newaxis],
            first.labels,
        )

    def __len__(self) -> int:
        return int(self.table.shape[1])

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> "Samples": ...
    def __getitem__(self, index: int | slice) -> "Sample | Samples":
        if isinstance(index, slice):
            return Samples(self.table[:, index], self.labels)
        return sample_of(self.table[:, index].tolist(), self.labels)

    def __iter__(self) -> Iterator[Sample]:
        return (sample_of(figures, self.labels) for figures in self.table.T.tolist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Samples):
            return NotImplemented
        if self.labels == other.labels:
            return np.array_equal(self.table, other.table, equal_nan=True)
        return list(self) == list(other)

    def ram(self, index: int) -> Ram | None:
        """The RAM figures of one sample, if it has any."""
        return ram_in(self.table[Column.REMAINING :, index].tolist())

    def rams(self, rows: Indices) -> list[Ram]:
        """The RAM figures of one sample of each part of stacked samples, at these `rows`; each must have some."""
        return [*map(known_ram, self.table[Column.REMAINING :, np.arange(len(rows)), rows].T.tolist())]

    def stretches(self) -> Iterator["Samples"]:
        """All samples in order, so many at a time that what is worked out of them takes little memory."""
        return (self[begin : begin + _STRETCH] for begin in range(0, len(self), _STRETCH))

    def take(self, indices: Indices) -> "Samples":
        """The samples at increasing `indices`; a view if they are contiguous."""
        if len(indices) and int(indices[-1]) - int(indices[0]) == len(indices) - 1:
            return self[int(indices[0]) : int(indices[-1]) + 1]
        return self.arranged(indices)

    def arranged(self, indices: Indices) -> "Samples":
        """The samples at `indices`, in any order; the columns get the shape of `indices`."""
        return Samples(self.table[:, indices], self.labels)

    def with_bandwidth(self, mbps: Floats, open_mbps: Floats) -> "Samples":
        """The same samples with other values of `mbps` and of its uncertainty."""
        table = self.table.copy()
        table[Column.MBPS], table[Column.OPEN_MBPS] = mbps, np.nan_to_num(open_mbps)
        return Samples(table, self.labels)

    @property
    def t_s(self) -> Floats:
        """When each answer was requested, in seconds after the recording's zero."""
        return self._column(Column.T)

    @property
    def answered_s(self) -> Floats:
        """When each answer arrived."""
        return self._column(Column.T) + self._column(Column.LATENCY) / 1000

    @property
    def expected_downtime_ms(self) -> Floats:
        """QEMU's report in ms, NaN if missing."""
        return self._column(Column.EXPECTED)

    @property
    def pending_bytes(self) -> Floats:
        """What QEMU found pending at its last check, NaN if not shown."""
        return self._column(Column.PENDING)

    @property
    def disk_bytes(self) -> Floats:
        """Bytes left of disks that are migrated as well, NaN if there are none."""
        return self._column(Column.DISK)

    @property
    def vfio_bytes(self) -> Floats:
        """What VFIO devices have sent, NaN if there are none."""
        return self._column(Column.VFIO)

    @property
    def throttle_percent(self) -> Floats:
        """The percentage of time for which auto-converge stops the guest's CPUs, NaN if it does not."""
        return self._column(Column.THROTTLE)

    @property
    def sends_a_disk(self) -> bool:
        """Whether an active sample has something left of a disk."""
        return bool(np.any(self.are("active") & (self.disk_bytes > 0)))

    @property
    def sends_devices(self) -> bool:
        """Whether VFIO devices have sent something by an active sample."""
        return bool(np.any(self.are("active") & (self.vfio_bytes > 0)))

    @property
    def hides_devices(self) -> bool:
        """Whether VFIO devices send as well, and QEMU does not show what they have left, as up to 11.0.

        No release shows it once the migration has completed.
        """
        return bool(np.any(self.are("active") & ~np.isnan(self.vfio_bytes) & np.isnan(self.pending_bytes)))

    @property
    def open_bytes(self) -> Floats:
        """The uncertainty (±) of `remaining_bytes`."""
        return self._column(Column.OPEN_BYTES)

    @property
    def open_mbps(self) -> Floats:
        """The uncertainty (±) of `mbps`."""
        return self._column(Column.OPEN_MBPS)

    @property
    def open_pages_per_s(self) -> Floats:
        """The uncertainty (±) of `dirty_pages_per_s`."""
        return self._column(Column.OPEN_RATE)

    @property
    def has_ram(self) -> NDArray[np.bool_]:
        """Which samples have RAM figures."""
        return ~np.isnan(self._column(Column.MBPS))

    @property
    def remaining_bytes(self) -> Floats:
        """Bytes left to send."""
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
        """The zero pages among them."""
        return self._column(Column.ZERO)

    @property
    def dirty_sync_count(self) -> Floats:
        """The number of dirty syncs so far, which numbers the passes."""
        return self._column(Column.SYNCS)

    @property
    def dirty_pages_per_s(self) -> Floats:
        """QEMU's dirty-pages-rate."""
        return self._column(Column.DIRTY_RATE)

    @property
    def mbps(self) -> Floats:
        """The bandwidth of QEMU's last window, in decimal megabits per second."""
        return self._column(Column.MBPS)

    @property
    def counted_bytes(self) -> Floats:
        """Bytes that QEMU counted for the RAM it sent, NaN if not shown."""
        return self._column(Column.COUNTED)

    @property
    def transferred_bytes(self) -> Floats:
        """Bytes that QEMU counted for everything it sent, NaN if not shown."""
        return self._column(Column.TRANSFERRED)

    @property
    def conserved_bytes(self) -> Floats:
        """Remaining plus sent bytes: constant within a pass."""
        return self.remaining_bytes + self.page_bytes * self.sent_pages

    @property
    def wire_bytes_per_ms(self) -> Floats:
        """The bandwidth of QEMU's last window, in bytes per millisecond."""
        return self.mbps * BYTES_PER_MS_PER_MBPS

    @property
    def dirty_bytes_per_ms(self) -> Floats:
        """QEMU's dirty-pages-rate in bytes per millisecond."""
        return self.dirty_pages_per_s * self.page_bytes / 1000

    def are(self, *statuses: str) -> NDArray[np.bool_]:
        """Which samples have one of these statuses."""
        column = self._column(Column.STATUS)
        matches = np.zeros(column.shape, np.bool_)
        for code, label in enumerate(self.labels):
            if label in statuses:
                matches |= column == code
        return matches

    @property
    def statuses(self) -> list[str]:
        """The statuses that occur."""
        return [self.labels[int(code)] for code in np.unique(self._column(Column.STATUS))]

    def _column(self, column: int) -> Floats:
        figures: Floats = self.table[column]
        return figures


class SamplesWriter:
    """A growing sequence of samples: adding one has a constant cost, and all so far are available at once."""

    _AT_ONCE = 256

    def __init__(self) -> None:
        self._table: Floats = np.empty((COLUMNS, 64))
        self._count = 0
        self._new: list[list[float]] = []
        self._lent: list[Sample] = []
        """Rows in the table of the last `followed_by` that were not added since."""
        self.labels = Labels()

    def append(self, row: Sample) -> None:
        """Add a sample."""
        if self._lent:
            self._keep_lent([row])
            self._lent = self._lent[1:]
        self._add(figures_of(row, self.labels))

    def _add(self, figures: list[float]) -> None:
        self._new.append(figures)
        if len(self._new) == self._AT_ONCE:
            self._put()

    def append_answer(self, t_s: float, latency_ms: float, answer: Mapping[str, Any]) -> None:
        """Add the sample of an answer to query-migrate; raises UsageError as `Sample.from_query` does.

        For a usual answer, as most are, the figures are taken directly.
        """
        figures = plain_figures(t_s, latency_ms, answer, self.labels)
        if figures is None:
            self.append(Sample.from_query(t_s, latency_ms, answer))
        else:
            self._add(figures)

    def extend(self, t_s: Floats, latency_ms: float, statuses: Sequence[str], table: Floats) -> None:
        """Add many samples; `table` has their other columns."""
        self._put()
        begin = self._make_room(len(t_s))
        added = self._table[:, begin : self._count]
        added[:] = table
        added[Column.T], added[Column.LATENCY] = t_s, latency_ms
        added[Column.STATUS] = [self.labels[status] for status in statuses]

    def samples(self) -> Samples:
        """The samples so far; later additions do not change them."""
        self._put()
        return Samples(self._table[:, : self._count], tuple(self.labels))

    def followed_by(self, rows: Sequence[Sample]) -> Samples:
        """The samples so far and `rows`, which are not added."""
        self._put()
        self._keep_lent(rows)
        self._lent = [*rows]
        figures = np.array([figures_of(row, self.labels) for row in rows]).reshape(-1, COLUMNS).T
        begin, end = self._make_room(len(rows)), self._count
        self._count = begin
        self._table[:, begin:end] = figures
        return Samples(self._table[:, :end], tuple(self.labels))

    def _keep_lent(self, rows: Sequence[Sample]) -> None:
        """Leave the table to those who have it, unless `rows` are those that it lends."""
        if any(lent is not row for lent, row in zip(self._lent, rows, strict=False)):
            self._table, self._lent = self._table.copy(), []

    def _put(self) -> None:
        """Write pending samples to the table: many at once, since that takes as long as a few."""
        if not self._new:
            return
        begin = self._make_room(len(self._new))
        self._table[:, begin : self._count] = np.array(self._new).T
        self._new = []

    def _make_room(self, count: int) -> int:
        """Make room for `count` more samples; return where they start."""
        begin, self._count = self._count, self._count + count
        while self._count > self._table.shape[1]:
            self._table = np.hstack([self._table, np.empty_like(self._table)])
        return begin
