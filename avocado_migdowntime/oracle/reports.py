# SPDX-License-Identifier: GPL-2.0-or-later
"""Which samples of a pass may be compared with the oracle, and why the others may not."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..basics.qemu_constants import BUFFER_DELAY_MS, LEAST_WINDOW_BYTES
from ..trace.samples import Floats, Indices, Samples
from .formulas import RamFigures
from .passes import UPDATE_S, Pass

SETTLE_S = 0.2
"""The first update after a sync comes up to 150 ms later; until then the report is the previous pass's.

On a busy host it may come seconds later, because the sync itself takes that long: see `_not_renewed`.
"""
_ADVANCES, _WINDOWS = 3, 1.5
"""QEMU cannot advance in more than this many seen steps, over this many windows, without an update: one thread does
both.
"""
_SPARSE_ADVANCES = 2
"""The same if steps are further apart than windows: of three steps, two are in different windows."""
_LATE_S = 0.02
"""QEMU's window may be longer than it should by this much."""

NOT_REPORTED = "no expected-downtime reported"
SETTLING = "before the first update after the sync"
NOTHING_DIRTIED = "dirty-pages-rate is 0: QEMU computes nothing"
HARDLY_SENT = "hardly anything was sent: QEMU computes nothing"
TORN = "mbps changed since the previous sample: the figures may not belong together"
_FAULTS = (NOT_REPORTED, SETTLING, NOTHING_DIRTIED, HARDLY_SENT, TORN)
"""If several apply to a sample, the first is its reason."""


@dataclass(frozen=True, eq=False, slots=True)
class Reports:
    """Usable reports: those of `samples`, all of one pass, at `rows`."""

    samples: Samples
    rows: Indices

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: slice) -> "Reports":
        return Reports(self.samples, self.rows[rows])

    def where(self, wanted: NDArray[np.bool_]) -> "Reports":
        """The `wanted` reports."""
        return Reports(self.samples, self.rows[wanted])

    @property
    def t_s(self) -> Floats:
        """When each was requested."""
        return self.samples.t_s[self.rows]

    @property
    def expected_ms(self) -> Floats:
        """QEMU's reports in ms."""
        return self.samples.expected_downtime_ms[self.rows]

    @property
    def now_and_earlier(self) -> Samples:
        """The figures beside each report, and those one update window before, as far as the pass goes back.

        A report may be computed from either. Each column has shape (2, 1, reports).
        """
        t_s = self.samples.t_s
        earlier = t_s.searchsorted(t_s[self.rows] - UPDATE_S - _LATE_S)
        return self.samples.arranged(np.array([[self.rows], [earlier]]))


class ExcludedSamples:
    """The samples that do not count, by reason."""

    def __init__(self) -> None:
        self._times_s: dict[str, array[float]] = {}

    def add(self, reason: str, times_s: Floats) -> None:
        """Record samples under `reason`, by when they were requested."""
        if len(times_s):
            self._times_s.setdefault(reason, array("d")).extend(times_s)

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of samples for each reason."""
        return {reason: len(times_s) for reason, times_s in self._times_s.items()}

    @property
    def times_s(self) -> Mapping[str, Floats]:
        """When each of them was requested."""
        return {reason: np.array(times_s) for reason, times_s in self._times_s.items()}


def usable_reports(one: Pass, excluded: ExcludedSamples, settled_from: int | None = None) -> Reports:
    """The reports of a pass that count; the others are recorded in `excluded` with their reason.

    `settled_from`, if known, is the first row after QEMU's update.
    """
    samples, usable = one.samples, len(_FAULTS)
    has = np.zeros((usable + 1, len(samples)), bool)
    has[0] = np.isnan(samples.expected_downtime_ms)
    has[1] = settling(one) if settled_from is None else np.arange(len(samples)) < settled_from
    has[2] = samples.dirty_pages_per_s <= samples.open_pages_per_s
    has[3] = _hardly_sent(samples)
    if one.spacing_s < UPDATE_S:
        has[4, 1:] = samples.mbps[1:] != samples.mbps[:-1]
    has[usable] = True
    first = has.argmax(axis=0)
    for fault in dict.fromkeys(first.tolist()):
        if fault != usable:
            excluded.add(_FAULTS[fault], samples.t_s[first == fault])
    return Reports(samples, np.flatnonzero(first == usable))


def settling(one: Pass) -> NDArray[np.bool_]:
    """The samples of a pass that QEMU may have answered before it had computed anything in it."""
    early: NDArray[np.bool_] = one.samples.t_s - one.begin_s < SETTLE_S
    advances = _ADVANCES if one.spacing_s < UPDATE_S else _SPARSE_ADVANCES
    early[: _not_renewed(one.samples, int(early.sum()), advances)] = True
    return early


def _not_renewed(samples: Samples, settling: int, least_advances: int) -> int:
    """The number of samples at a pass's start that show no update yet.

    QEMU updates bandwidth and report together. So a bandwidth other than at the start shows an update. It also shows
    one if QEMU went on sending for more than a window, at no more than the shown bandwidth. What it sends at once
    before a slow sync shows none. The first `settling` samples do not count anyway.
    """
    without_rate = samples.dirty_pages_per_s <= samples.open_pages_per_s
    # If a text shows no rate, its bandwidth may be estimated, and QEMU's own follows.
    first_with_rate = int(without_rate.argmin())
    changed = samples.mbps != samples.mbps[first_with_rate]
    changed[:first_with_rate] = False
    until = int(changed.argmax()) if changed.any() else len(samples)
    if until <= settling:
        return until
    samples = samples[:until]
    since_ms = (samples.t_s - samples.t_s[0]) * 1000
    sent_bytes = (samples.sent_pages - samples.sent_pages[0]) * samples.page_bytes
    advances = np.diff(samples.sent_pages, prepend=samples.sent_pages[:1]) > 0
    sending_ms = since_ms - since_ms[advances.argmax()]
    went_on = (np.cumsum(advances) > least_advances) & (sending_ms >= _WINDOWS * BUFFER_DELAY_MS)
    at_that_rate = sent_bytes <= 2 * (since_ms + BUFFER_DELAY_MS) * samples.wire_bytes_per_ms
    renewed = went_on & at_that_rate
    return int(renewed.argmax()) if renewed.any() else until


def computes_nothing(ram: RamFigures) -> str:
    """Why QEMU up to 11.0 leaves its report unchanged at this moment; '' if it does not."""
    if ram.dirty_pages_per_s == 0:
        return NOTHING_DIRTIED
    return HARDLY_SENT if _hardly_sent(ram) else ""


def computes_something(samples: Samples) -> NDArray[np.bool_]:
    """The samples at which `computes_nothing` does not hold."""
    computes: NDArray[np.bool_] = (samples.dirty_pages_per_s != 0) & ~_hardly_sent(samples)
    return computes


def _hardly_sent(ram: RamFigures) -> NDArray[np.bool_]:
    hardly: NDArray[np.bool_] = ram.wire_bytes_per_ms * UPDATE_S * 1000 <= LEAST_WINDOW_BYTES
    return hardly
