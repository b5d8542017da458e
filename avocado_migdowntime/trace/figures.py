# SPDX-License-Identifier: GPL-2.0-or-later
"""Converts between a sample and one column of a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..basics.qemu_constants import GREATEST_MBPS
from .ram import LEAST, WHOLE_BELOW, Ram
from .sample import Sample


class Column:
    """The rows of `Samples.table`, each a column of a recording; STATUS and ON are indices into `labels`.

    They are plain numbers: with a member of an enum, a table takes twice as long to find its row.
    """

    T = 0
    LATENCY = 1
    STATUS = 2
    ON = 3
    EXPECTED = 4
    DOWNTIME = 5
    PENDING = 6
    TOTAL = 7
    DISK = 8
    VFIO = 9
    THROTTLE = 10
    OPEN_BYTES = 11
    OPEN_MBPS = 12
    OPEN_RATE = 13
    REMAINING = 14
    PAGE = 15
    SENT = 16
    ZERO = 17
    SYNCS = 18
    DIRTY_RATE = 19
    MBPS = 20
    COUNTED = 21
    TRANSFERRED = 22


COLUMNS = Column.TRANSFERRED + 1
"""The number of columns."""


class Labels(dict[str, int]):
    """Texts, mapped to the numbers that stand for them in a table; a new text gets the next number."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


def figures_of(row: Sample, labels: Labels) -> list[float]:
    """A sample as a column of `Samples.table`, in the order of `Column`."""
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
        nan if row.vfio_bytes is None else row.vfio_bytes,
        nan if row.throttle_percent is None else row.throttle_percent,
        row.open_bytes,
        row.open_mbps,
        row.open_pages_per_s,
        *counters,
    ]


def plain_figures(t_s: float, latency_ms: float, answer: Mapping[str, Any], labels: Labels) -> list[float] | None:
    """The same as `figures_of` for the sample of `answer`; None if the answer needs a closer look."""
    ram, status = answer.get("ram"), answer.get("status")
    if type(ram) is not dict or type(status) is not str or not _UNUSUAL.isdisjoint(answer):
        return None
    counters: list[Any] = [ram.get(name) for name in _COUNTERS]
    beside: list[Any] = [answer.get(name, 0) for name in _BESIDE] + [ram.get(name, 0) for name in _OF_RAM]
    mbps: Any = ram.get("mbps")
    if not {type(mbps), *map(type, counters), *map(type, beside)} <= _NUMBERS:
        return None
    least, most = min(mbps, *counters, *beside), max(mbps, *counters, *beside)
    if not (least >= 0 and most < WHOLE_BELOW) or any(0 < figure < LEAST for figure in (mbps, *beside)):
        return None
    remaining, page, normal, zero, syncs, rate = map(int, counters)
    if not (mbps <= GREATEST_MBPS and page and remaining <= ram.get("total", -1)):
        return None
    nan = np.nan
    expected, downtime, pending = (answer.get(name, nan) for name in _BESIDE)
    counted = int(ram["precopy-bytes"]) if "precopy-bytes" in ram else nan
    transferred = int(ram["transferred"]) if "transferred" in ram else nan
    begin = [t_s, latency_ms, labels[status], nan, expected, downtime, pending, ram["total"], nan, nan, nan]
    return [*begin, 0.0, 0.0, 0.0, remaining, page, normal + zero, zero, syncs, rate, mbps, counted, transferred]


_COUNTERS = ("remaining", "page-size", "normal", "duplicate", "dirty-sync-count", "dirty-pages-rate")
_BESIDE, _OF_RAM = ("expected-downtime", "downtime", "remaining"), ("total", "precopy-bytes", "transferred")
_NUMBERS = frozenset((int, float))
_UNUSUAL = frozenset(("xbzrle-cache", "compression", "disk", "vfio", "cpu-throttle-percentage"))


def sample_of(figures: list[float], labels: Sequence[str]) -> Sample:
    """The inverse of `figures_of`."""
    t_s, latency_ms, status, on, expected_ms, downtime_ms, pending, *others = figures[: Column.OPEN_BYTES]
    total, disk, vfio, throttle = map(_or_none, others)
    open_bytes, open_mbps, open_pages_per_s = figures[Column.OPEN_BYTES : Column.REMAINING]
    return Sample(
        t_s=t_s,
        latency_ms=latency_ms,
        status=labels[int(status)],
        expected_downtime_ms=_or_none(expected_ms),
        ram=ram_in(figures[Column.REMAINING :]),
        on=None if on != on else labels[int(on)],
        downtime_ms=_or_none(downtime_ms),
        pending_bytes=_or_none(pending),
        total_bytes=total,
        disk_bytes=disk,
        vfio_bytes=vfio,
        throttle_percent=throttle,
        open_bytes=open_bytes,
        open_mbps=open_mbps,
        open_pages_per_s=open_pages_per_s,
    )


def ram_in(figures: Sequence[float]) -> Ram | None:
    """The RAM figures of a column, given those from REMAINING on; None if it has none."""
    mbps = figures[Column.MBPS - Column.REMAINING]
    return None if mbps != mbps else known_ram(figures)


def known_ram(figures: Sequence[float]) -> Ram:
    """The same for a column that has RAM figures."""
    *counters, mbps, counted, transferred = figures
    return Ram(*map(int, counters), mbps=mbps, counted_bytes=_whole(counted), transferred_bytes=_whole(transferred))  # type: ignore[misc]


def _whole(figure: float) -> int | None:
    return None if figure != figure else int(figure)


def _or_none(figure: float) -> float | None:
    return None if figure != figure else figure
