# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's `mbps` compared with the bytes that it counted as sent meanwhile.

QEMU updates `mbps` when a window of 100 ms or more ends: the bytes sent in it ÷ its whole milliseconds
(migration/migration.c: migration_update_counters). A new figure between two samples shows when such a window ended, to
within the time between them, and what had been sent by then, to within what was sent between them. A burst after a rest
shows the same, if bursts of one size come once a window, as the rate limit causes. So mbps × time over many windows is
known, and so is `transferred` for the same windows. Both are intervals:

- A figure that stays the same may be that of several windows. If it changes after two windows' time or more, the time
  before the last window belongs to one of the two figures.
- QEMU increases `transferred` by what leaves its buffers, and a query reads it before `mbps`; an update may come in
  between. So an end lies somewhere between the sample before it and the one after it.
- If samples are so far apart that two updates fit between them, nothing is concluded across that gap.

A QEMU whose mbps is wrong is wrong in window after window. If all windows but one agree, that one has a figure that
does not belong there, and the others tell what QEMU does.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import fsum

import numpy as np
from numpy.typing import NDArray

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..trace.samples import Floats, Indices, Samples

WINDOWS = 3
"""The number of consecutive windows needed: the uncertain ends are too large a part of fewer."""
_ALSO = (WINDOWS, 5, 10, 20)
"""Only runs of at least this many windows are combined; the threshold that gives the narrowest error is used.

Both ends of a run are uncertain, so short runs widen the interval; but leaving them out loses their windows.
"""
_LEAST_MS = BUFFER_DELAY_MS - 1
"""No window is shorter: QEMU subtracts two times truncated to whole milliseconds."""
_ONE_UPDATE_MS = 0.95 * BUFFER_DELAY_MS
"""Two samples no further apart have at most one update between them."""
_BUFFER_BYTES = 1 << 16
"""The bytes that may be counted on one side only. QEMU: migration/qemu-file.c, IO_BUF_SIZE, and headers."""
_PACE_MS = (0.85 * BUFFER_DELAY_MS, 1.3 * BUFFER_DELAY_MS)
"""Bursts this far apart, with rests between them, belong to consecutive windows."""
_ALIKE = 0.1
"""The sizes of such bursts differ by less than this share; otherwise a busy host may have halted QEMU in between."""
_AGREES = 0.01
"""mbps and the counter agree if their totals differ by no more than this share."""
_JUMP = 0.05
"""If the bandwidth changes by a larger share at an uncertain time, the windows before and after are kept apart."""


@dataclass(frozen=True, eq=False)
class Sending:
    """What QEMU's `mbps` amounts to over `windows` windows, and what it counted as sent in them, in bytes.

    `likely_error` is the most likely value of told ÷ sent - 1. `odd` is the span, in seconds, of the one place at which
    the two differ although they agree everywhere else: its windows are not among these.
    """

    windows: int
    told_bytes: Interval
    sent_bytes: Interval
    likely_error: float
    odd: Interval | None = None

    @property
    def error(self) -> Interval:
        """told ÷ sent - 1."""
        sent_bytes = self.sent_bytes
        return Interval(self.told_bytes.low / sent_bytes.high - 1, self.told_bytes.high / sent_bytes.low - 1)


def sending(samples: Samples, stopped_s: float) -> Sending | None:
    """Compare mbps and the bytes sent until the guest was stopped; None if too little was seen."""
    exact = (samples.open_mbps == 0) & (samples.open_bytes == 0) & ~np.isnan(samples.transferred_bytes)
    counted = exact & samples.are("active") & samples.has_ram & (samples.answered_s < stopped_s)
    updates = _Updates.seen_in(samples.take(np.flatnonzero(counted)))
    # If samples are far apart, each update is a stretch by itself.
    stretches = [*updates.stretches()]
    whole = _narrowest(stretches)
    if whole is None or whole.error.meets(Interval(-_AGREES, _AGREES)):
        return whole
    return _but_for_one_place(stretches) or whole


def _narrowest(stretches: Iterable["_Stretch"]) -> Sending | None:
    """What the stretches tell, by those of the length with the narrowest error."""
    long_enough = [one for one in stretches if len(one.figures) > min(_ALSO)]
    candidates = (_together([one for one in long_enough if len(one.figures) > least]) for least in _ALSO)
    return min((one for one in candidates if one is not None), key=lambda one: one.error.width, default=None)


def _but_for_one_place(stretches: Sequence["_Stretch"]) -> Sending | None:
    """What all windows tell without those at the place where mbps and counter differ most; None unless they agree."""
    known = [one for one in stretches if len(one.figures) > 1]
    most = max(known, key=lambda one: np.max(np.abs(one.likely_excess)))
    row = int(np.argmax(np.abs(most.likely_excess)))
    rest = _narrowest([*(one for one in known if one is not most), most.part(None, row), most.part(row + 3, None)])
    if rest is None or abs(rest.likely_error) > _AGREES:
        return None
    odd = most.moments_ms[:, row : row + 4] / 1000
    return replace(rest, odd=Interval(float(odd.min()), float(odd.max())))


def _together(stretches: Sequence["_Stretch"]) -> Sending | None:
    if not stretches:
        return None
    by_bandwidth, by_counter = _sum(one.by_bandwidth for one in stretches), _sum(one.by_counter for one in stretches)
    likely_told, likely_sent = np.sum([one.likely for one in stretches], axis=0).tolist()
    if not all((by_counter.low, likely_sent, by_bandwidth.low, likely_told)):  # Equal times tell nothing.
        return None
    return Sending(
        windows=sum(len(one.figures) - 1 for one in stretches),
        told_bytes=by_bandwidth,
        sent_bytes=by_counter,
        likely_error=likely_told / likely_sent - 1,
    )


def _sum(intervals: Iterable[Interval]) -> Interval:
    """The interval of the sum of values that each lie in one of the intervals, at least one."""
    every = list(intervals)
    # Not sum(), which rounds differently from Python 3.12 on.
    return Interval(fsum(one.low for one in every), fsum(one.high for one in every))


@dataclass(frozen=True, eq=False)
class _Updates:
    """Consecutive updates, each a column: [earliest, latest] of its moment and of what had been sent by then.

    `figures` are the new bandwidths in bytes per millisecond. `apart` marks updates before which something is unknown.
    """

    moments_ms: Floats
    sent_bytes: Floats
    figures: Floats
    apart: NDArray[np.bool_]

    @classmethod
    def seen_in(cls, samples: Samples) -> "_Updates":
        asked_ms, answered_ms = samples.t_s * 1000, samples.answered_s * 1000
        sent_bytes, figures, count = samples.transferred_bytes, samples.wire_bytes_per_ms, len(samples)
        rows = _rows_of_updates(asked_ms, sent_bytes, figures)
        before, after = sent_bytes[rows - 1], sent_bytes[np.minimum(rows + 1, max(count - 1, 0))]
        gaps = np.flatnonzero(answered_ms[1:] - asked_ms[:-1] > _ONE_UPDATE_MS) + 1
        moments_ms = np.array([asked_ms[rows - 1], answered_ms[rows]])
        figures = figures[rows]
        longest_ms = moments_ms[1, 1:] - moments_ms[0, :-1]
        far_off = np.abs(np.diff(figures)) > _JUMP * np.maximum(figures[1:], figures[:-1])
        jumps = (longest_ms >= 2 * _LEAST_MS) & far_off
        gap_between = np.diff(gaps.searchsorted(rows, "right")) > 0
        return cls(
            moments_ms=moments_ms,
            sent_bytes=np.array([before, after]),
            figures=figures,
            apart=np.append(True, jumps | gap_between)[: len(rows)],
        )

    def stretches(self) -> Iterator["_Stretch"]:
        """The longest runs of updates with nothing unknown between them."""
        begins = [*np.flatnonzero(self.apart).tolist(), len(self.figures)]
        for begin, end in pairwise(begins):
            part = slice(begin, end)
            yield _Stretch(self.moments_ms[:, part], self.sent_bytes[:, part], self.figures[part])


def _rows_of_updates(asked_ms: Floats, sent_bytes: Floats, figures: Floats) -> Indices:
    """The first samples after an update, which changed the bandwidth, or shows by a burst at the pace of windows."""
    changes = np.flatnonzero(figures[1:] != figures[:-1]) + 1
    advances = sent_bytes[1:] > sent_bytes[:-1]
    bursts = np.flatnonzero(advances[1:] & ~advances[:-1]) + 2
    apart_ms, sizes = np.diff(asked_ms[bursts]), np.diff(sent_bytes[bursts - 1])
    # If max-bandwidth was raised within a window, a larger burst comes at its end, and the update after that burst.
    alike = np.abs(np.diff(sizes)) <= _ALIKE * sizes[1:]
    paced = bursts[1:-1][(apart_ms[:-1] >= _PACE_MS[0]) & (apart_ms[:-1] <= _PACE_MS[1]) & alike]
    if len(changes):
        after = changes.searchsorted(paced)
        later, earlier = changes[np.minimum(after, len(changes) - 1)], changes[np.maximum(after - 1, 0)]
        away_ms = np.minimum(np.abs(asked_ms[later] - asked_ms[paced]), np.abs(asked_ms[paced] - asked_ms[earlier]))
        paced = paced[away_ms > BUFFER_DELAY_MS / 2]
    rows: Indices = np.union1d(changes, paced)
    return rows


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Consecutive windows, between updates as in `_Updates`."""

    moments_ms: Floats
    sent_bytes: Floats
    figures: Floats

    @cached_property
    def _longest_ms(self) -> Floats:
        """The most time that may lie between an update and the next one seen."""
        longest: Floats = self.moments_ms[1, 1:] - self.moments_ms[0, :-1]
        return longest

    @cached_property
    def by_bandwidth(self) -> Interval:
        """The bandwidths' total in bytes: the sum of each bandwidth × its time, in which each moment occurs twice."""
        figures = self.figures
        factors = np.concatenate([[-figures[1]], figures[1:-1] - figures[2:], [figures[-1]]])
        products = factors * self.moments_ms
        # Before the last of several similar windows, one figure held or the other; a window has whole milliseconds.
        either = (figures[:-1] - figures[1:]) * np.where(
            self._longest_ms < 2 * _LEAST_MS, 0.0, self._longest_ms - _LEAST_MS
        )
        cut = float(figures[1:].max())
        low = products.min(axis=0).sum() + np.minimum(either, 0).sum() - cut
        high = products.max(axis=0).sum() + np.maximum(either, 0).sum() + cut
        return Interval(max(0.0, float(low)), max(0.0, float(high)))

    @cached_property
    def by_counter(self) -> Interval:
        """The bytes counted as sent."""
        least = self.sent_bytes[0, -1] - self.sent_bytes[1, 0] - _BUFFER_BYTES
        most = self.sent_bytes[1, -1] - self.sent_bytes[0, 0] + _BUFFER_BYTES
        return Interval(max(0.0, float(least)), max(0.0, float(most)))

    def part(self, begin: int | None, end: int | None) -> "_Stretch":
        """The windows between some of the updates."""
        place = slice(begin, end)
        return _Stretch(self.moments_ms[:, place], self.sent_bytes[:, place], self.figures[place])

    @cached_property
    def likely_excess(self) -> Floats:
        """By how many bytes mbps most likely exceeds the counter, window by window."""
        excess: Floats = self._likely_bytes - np.diff(self.sent_bytes[0])
        return excess

    @cached_property
    def likely(self) -> tuple[float, float]:
        """The most likely bytes by bandwidth and by counter: both ends are treated alike; the last window is short."""
        return float(self._likely_bytes.sum()), float(self.sent_bytes[0, -1] - self.sent_bytes[0, 0])

    @cached_property
    def _likely_bytes(self) -> Floats:
        lasted_ms = np.diff(self.moments_ms.mean(axis=0))
        window_ms = np.where(self._longest_ms < 2 * _LEAST_MS, lasted_ms, np.minimum(lasted_ms, BUFFER_DELAY_MS))
        window_bytes: Floats = self.figures[1:] * window_ms + self.figures[:-1] * (lasted_ms - window_ms)
        return window_bytes
