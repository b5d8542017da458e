# SPDX-License-Identifier: GPL-2.0-or-later
"""Which samples of a pass may be compared with the oracle, and why the others may not."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..basics.batches import by_length
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
_USABLE = len(_FAULTS)
Faults = NDArray[np.intp]
"""Positions in _FAULTS, or _USABLE."""


class Reports(msgspec.Struct, frozen=True, eq=False, gc=False):
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
    def now_and_earlier_rows(self) -> Indices:
        """The rows of the reports, and those one update window before each, as far as the pass goes back.

        A report may be computed from either.
        """
        t_s = self.samples.t_s
        return np.array([self.rows, t_s.searchsorted(t_s[self.rows] - UPDATE_S - _LATE_S)])


@dataclass(frozen=True)
class NowAndEarlier:
    """The figures beside some reports, as many for each pass, and those one update window before.

    A report may be computed from either. Each figure has shape (2, passes, reports), and is looked up on demand.
    """

    reports: Sequence[Reports]

    @property
    def remaining_bytes(self) -> Floats:
        """What was left to send."""
        return self._figures("remaining_bytes")

    @property
    def wire_bytes_per_ms(self) -> Floats:
        """The bandwidth of the last window."""
        return self._figures("wire_bytes_per_ms")

    @property
    def dirty_bytes_per_ms(self) -> Floats:
        """QEMU's dirty-pages-rate."""
        return self._figures("dirty_bytes_per_ms")

    @property
    def dirty_pages_per_s(self) -> Floats:
        """The same in pages per second."""
        return self._figures("dirty_pages_per_s")

    @property
    def page_bytes(self) -> Floats:
        """The target's page size."""
        return self._figures("page_bytes")

    def _figures(self, name: str) -> Floats:
        return np.stack([getattr(one.samples, name)[one.now_and_earlier_rows] for one in self.reports], axis=1)


class ExcludedSamples:
    """The samples that do not count, by reason."""

    def __init__(self) -> None:
        self._times_s: dict[str, array[float]] = {}

    def add(self, reason: str, times_s: Floats) -> None:
        """Record samples under `reason`, by when they were requested."""
        if len(times_s):
            self._times_s.setdefault(reason, array("d")).frombytes(times_s.tobytes())

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
    early = None if settled_from is None else np.arange(len(one.samples)) < settled_from
    return put_down(one.samples, _first_faults([one], early)[0], excluded)


def first_faults(passes: Sequence[Pass]) -> list[Faults]:
    """For each pass, why each of its samples does not count, for `put_down`; computed for many passes at once."""
    return by_length(passes, _length, _first_faults)


def put_down(samples: Samples, faults: Faults, excluded: ExcludedSamples) -> Reports:
    """The reports of a pass that count; the others are counted in `excluded` with their reason."""
    for fault in dict.fromkeys(faults.tolist()):
        if fault != _USABLE:
            excluded.add(_FAULTS[fault], samples.t_s[faults == fault])
    return Reports(samples, np.flatnonzero(faults == _USABLE))


def _first_faults(passes: Sequence[Pass], early: NDArray[np.bool_] | None = None) -> Faults:
    """For each sample, the first of `_FAULTS` that applies, or _USABLE; a row for each of several passes of one length.

    Those are SETTLING that `early` says, where that is given.
    """
    samples = Samples.stacked([one.samples for one in passes])
    is_dense = _are_dense(passes)
    has = np.zeros((_USABLE + 1, len(passes), samples.table.shape[-1]), bool)
    has[0] = np.isnan(samples.expected_downtime_ms)
    has[1] = _settling(samples, is_dense) if early is None else early
    has[2] = samples.dirty_pages_per_s <= samples.open_pages_per_s
    has[3] = _hardly_sent(samples)
    has[4, :, 1:] = is_dense & (samples.mbps[:, 1:] != samples.mbps[:, :-1])
    has[_USABLE] = True
    faults: Faults = has.argmax(axis=0)
    return faults


def settling(one: Pass) -> NDArray[np.bool_]:
    """The samples of a pass that QEMU may have answered before it had computed anything in it."""
    return _settling_alike([one])[0]


def settling_of(passes: Sequence[Pass]) -> list[NDArray[np.bool_]]:
    """The same for many passes."""
    return by_length(passes, _length, _settling_alike)


def _length(one: Pass) -> int:
    return len(one.samples)


def _settling_alike(passes: Sequence[Pass]) -> list[NDArray[np.bool_]]:
    return [*_settling(Samples.stacked([one.samples for one in passes]), _are_dense(passes))]


def _are_dense(passes: Sequence[Pass]) -> NDArray[np.bool_]:
    """Whether the samples of each pass come faster than QEMU updates its figures; a column."""
    return np.array([[one.spacing_s < UPDATE_S] for one in passes])


def _settling(samples: Samples, is_dense: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The samples that may come before the first update in their pass; a row for each pass."""
    early: NDArray[np.bool_] = samples.t_s - samples.t_s[:, :1] < SETTLE_S
    advances = np.where(is_dense, _ADVANCES, _SPARSE_ADVANCES)
    not_renewed = _not_renewed(samples, np.count_nonzero(early, axis=-1, keepdims=True), advances)
    early[np.arange(early.shape[-1]) < not_renewed] = True
    return early


def _not_renewed(samples: Samples, settling: Indices, least_advances: Indices) -> Indices:
    """For each pass, the number of samples at its start that show no update yet; columns have a row for each pass.

    QEMU updates bandwidth and report together. So a bandwidth other than at the start shows an update. It also shows
    one if QEMU went on sending for more than a window, at no more than the shown bandwidth. What it sends at once
    before a slow sync shows none. The first `settling` samples do not count anyway.
    """
    rows = np.arange(samples.table.shape[-1])
    without_rate = samples.dirty_pages_per_s <= samples.open_pages_per_s
    # If a text shows no rate, its bandwidth may be estimated, and QEMU's own follows.
    first_with_rate = without_rate.argmin(axis=-1, keepdims=True)
    changed = (samples.mbps != np.take_along_axis(samples.mbps, first_with_rate, -1)) & (rows >= first_with_rate)
    until = _first(changed, len(rows))
    since_ms = (samples.t_s - samples.t_s[:, :1]) * 1000
    sent_bytes = (samples.sent_pages - samples.sent_pages[:, :1]) * samples.page_bytes
    advances = np.diff(samples.sent_pages, prepend=samples.sent_pages[:, :1]) > 0
    sending_ms = since_ms - np.take_along_axis(since_ms, advances.argmax(axis=-1, keepdims=True), -1)
    went_on = (np.cumsum(advances, axis=-1) > least_advances) & (sending_ms >= _WINDOWS * BUFFER_DELAY_MS)
    at_that_rate = sent_bytes <= 2 * (since_ms + BUFFER_DELAY_MS) * samples.wire_bytes_per_ms
    shown = np.minimum(until, _first(went_on & at_that_rate, len(rows)))
    return np.where(until <= settling, until, shown)


def _first(wanted: NDArray[np.bool_], otherwise: int) -> Indices:
    """The first column of each row that is `wanted`, or `otherwise`; a column."""
    found: Indices = np.where(wanted.any(axis=-1, keepdims=True), wanted.argmax(axis=-1, keepdims=True), otherwise)
    return found


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
