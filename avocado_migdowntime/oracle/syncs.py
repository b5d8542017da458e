# SPDX-License-Identifier: GPL-2.0-or-later
"""What was left to send at each dirty sync, from a conservation law.

Within a pass every page that leaves `remaining` is counted as sent, so K = remaining + page-size × sent is constant. A
dirty sync adds what was dirtied meanwhile, so between two passes

    remaining at the sync = K - K before + unsent,

where `unsent` is what was left when the previous pass ended (see unsent.py). QEMU ends a pass when what is left fits
downtime-limit × bandwidth. So if `unsent` is not known exactly, it is assumed to be below that, if possible
(migration/migration.c:migration_iteration_run).
"""

from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import inf, isfinite, nan

import msgspec
import numpy as np

from ..basics.interval import Interval
from ..basics.lazy_sequence import MANY, LazySequence
from ..basics.qemu_constants import BUFFER_DELAY_MS, BYTES_PER_MS_PER_MBPS
from ..trace.samples import Floats, Samples
from .limits import Limits
from .other_pages import NOTHING_KNOWN, Others
from .passes import UPDATE_S, Pass
from .unsent import left_bytes, unsent_bytes

NEAR_SAMPLES = 3
"""The bandwidth in force at a sync is among those of this many samples before and after it, if samples come faster than
updates. With slower sampling, or a late answer in between, it may be any bandwidth seen in the two passes, or near one
of them.
"""

_SPARSE_S = 3 * UPDATE_S
"""If samples are further apart than this, what was sent shows the time of a sync better than the next sample."""


class Sync(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A dirty sync seen from both sides: it ended `before` and began `after`.

    `bytes_per_ms` is the bandwidth that QEMU divides by, `wire_bytes_per_ms` the one at which it sends; they differ if
    avail-switchover-bandwidth is set. `limit_ms` is the downtime-limit in force, `limit_bytes` what it allowed to
    leave, if known. `zero_bytes` are zero pages among what was sent around the sync; no bandwidth bounds their speed.
    `switchover_bytes_per_ms` is avail-switchover-bandwidth, if set. `likely_bytes` is the best single figure for
    `at_sync_bytes`. `in_mid_pass`: it may have come in mid-pass, whatever the limit is. `begun_s` is about when
    `before` began.
    """

    before: Pass
    after: Pass
    unsent_bytes: Interval
    at_sync_bytes: Interval
    likely_bytes: float
    bytes_per_ms: Interval
    wire_bytes_per_ms: Interval
    limit_ms: float | None
    limit_bytes: Interval | None
    zero_bytes: float
    switchover_bytes_per_ms: float | None
    begun_s: float
    in_mid_pass: bool = False

    @property
    def supposed_bytes(self) -> Interval:
        """`unsent_bytes`, supposed to be what the limit allowed to leave, if possible."""
        return _supposed_bytes(self.unsent_bytes, self.limit_bytes, self.in_mid_pass, self.before.last.page_bytes)

    @property
    def at_s(self) -> float:
        """About when the sync was: at the first sample after it; if samples are sparse, computed from what was sent
        until then.

        QEMU sends a window's budget at the window's start, on average half a window early.
        """
        if self.after.begin_s - self.before.end_s <= _SPARSE_S:
            return self.after.begin_s
        sent_bytes = self.likely_bytes - self.after.first.remaining_bytes
        took_ms = max(0.0, sent_bytes / self.wire_bytes_per_ms.middle - BUFFER_DELAY_MS / 2)
        return max(self.before.end_s, self.after.begin_s - took_ms / 1000)

    @property
    def length_ms(self) -> float:
        """About how long the pass lasted that the sync ended."""
        return max((self.at_s - self.begun_s) * 1000, 1.0)

    def divisor_of(self, ram: Samples) -> Floats:
        """The bandwidth that QEMU divided by for each of these samples."""
        if self.switchover_bytes_per_ms:
            return np.full_like(ram.mbps, self.switchover_bytes_per_ms)
        return ram.wire_bytes_per_ms

    @property
    def unsent_ms(self) -> Interval:
        """What was left when the pass ended, in milliseconds at QEMU's bandwidth."""
        return Interval(self.unsent_bytes.low / self.bytes_per_ms.high, self.unsent_bytes.high / self.bytes_per_ms.low)

    @property
    def works_as_ms(self) -> Interval:
        """The downtime-limits that end a pass there: above what was left, and below what was left one window before.

        QEMU checks once a window.
        """
        one_window = BUFFER_DELAY_MS * self.wire_bytes_per_ms.high / self.bytes_per_ms.low
        return self.unsent_ms.shifted(0, one_window)


def syncs(
    passes: Sequence[Pass],
    limits: Limits,
    switchover_bytes_per_ms: float | None = None,
    others: Others = NOTHING_KNOWN,
    most_host_pages: float = inf,
    longest_pass_s: float = inf,
) -> Sequence[Sync]:
    """The dirty syncs between consecutive passes; a sync beside a missed pass is not known.

    QEMU divides by `switchover_bytes_per_ms` (avail-switchover-bandwidth) if that is set, else by its sending
    bandwidth. The guest dirties at most `most_host_pages` of its RAM's host pages; `others` is what is known before the
    first of the passes. A pass of `longest_pass_s` or more may have been ended by something other than the limit.
    """
    every: list[Sync] = []
    many = _Many(passes, switchover_bytes_per_ms) if len(passes) > MANY else None
    since_s, previous = -inf, None
    for row, (before, after) in enumerate(pairwise(passes)):
        ended_s, since_s = since_s, before.end_s
        if after.number != before.number + 1 or not before.last.mbps > 0:
            continue
        lasted_s = float(after.samples.answered_s[0]) - ended_s
        in_mid_pass = before.number > 1 and isfinite(longest_pass_s) and lasted_s >= longest_pass_s
        if in_mid_pass:
            unsent = left_bytes(before, after)
        else:
            unsent = unsent_bytes(before, after, others.host_page_bytes, most_host_pages + others.in_pass(before))
        begun_s = previous.at_s if previous is not None and previous.after is before else _begun_s(before)
        limit_ms = limits.at(after.begin_s)
        sync = _sync(before, after, unsent, limit_ms, switchover_bytes_per_ms, in_mid_pass, begun_s)
        previous, others = sync, others.after(before, sync.supposed_bytes.high)
        if many is None:
            every.append(sync)
        else:
            many.add(row, sync)
    return every if many is None else many.all()


def others_after(others: Others, ended: Iterable[Sync]) -> Others:
    """What is known about the others in the pass after the last of these syncs."""
    for sync in ended:
        others = others.after(sync.before, sync.supposed_bytes.high)
    return others


class _Many:
    """Syncs of which only the figures are stored."""

    def __init__(self, passes: Sequence[Pass], switchover_bytes_per_ms: float | None) -> None:
        self._passes = passes
        self._switchover = switchover_bytes_per_ms
        self._rows = array("q")
        self._figures = array("d")

    def add(self, row: int, sync: Sync) -> None:
        """Store the sync after the pass at `row`."""
        limit = sync.limit_bytes or Interval(nan, nan)
        self._rows.append(row)
        for bounds in (sync.unsent_bytes, sync.at_sync_bytes, sync.bytes_per_ms, sync.wire_bytes_per_ms, limit):
            self._figures.extend((bounds.low, bounds.high))
        limit_ms = nan if sync.limit_ms is None else sync.limit_ms
        self._figures.extend((sync.likely_bytes, sync.zero_bytes, sync.begun_s, sync.in_mid_pass, limit_ms))

    def all(self) -> Sequence[Sync]:
        """All stored syncs."""
        figures = np.frombuffer(self._figures).reshape(len(self._rows), -1)

        def sync_after(row: int, stored: list[float]) -> Sync:
            *bounds, likely, zeros, begun_s, in_mid_pass, limit_ms = stored
            unsent, at_sync, divisor, wire, limit = map(Interval, bounds[::2], bounds[1::2])
            has_limit = limit_ms == limit_ms
            return Sync(
                before=self._passes[row],
                after=self._passes[row + 1],
                unsent_bytes=unsent,
                at_sync_bytes=at_sync,
                likely_bytes=likely,
                bytes_per_ms=divisor,
                wire_bytes_per_ms=wire,
                limit_ms=limit_ms if has_limit else None,
                limit_bytes=limit if has_limit else None,
                zero_bytes=zeros,
                switchover_bytes_per_ms=self._switchover,
                begun_s=begun_s,
                in_mid_pass=bool(in_mid_pass),
            )

        def syncs_of(wanted: range) -> list[Sync]:
            some = slice(wanted.start, wanted.stop)
            return [*map(sync_after, self._rows[some], figures[some].tolist())]

        return LazySequence(len(self._rows), syncs_of)


def _sync(
    before: Pass,
    after: Pass,
    bounds: Interval,
    limit_ms: float | None,
    switchover_bytes_per_ms: float | None,
    in_mid_pass: bool,
    begun_s: float,
) -> Sync:
    last = before.last
    wire = _near_bytes_per_ms(before, after)
    bytes_per_ms = Interval(switchover_bytes_per_ms, switchover_bytes_per_ms) if switchover_bytes_per_ms else wire
    limit = bytes_per_ms.scaled(limit_ms) if limit_ms is not None else None
    unsent = _supposed_bytes(bounds, limit, in_mid_pass, last.page_bytes)
    # A pass that went on although the rest did not fit the limit ends with nothing left, except for a look between
    # hugepages.
    likely = 0.0 if not bounds.low and unsent.high < bounds.high else unsent.middle
    blur = (before.spread_bytes + after.spread_bytes) / 2 + before.open_bytes + after.open_bytes
    dirtied_bytes = after.begin_bytes - before.end_bytes
    at_sync = unsent.shifted(dirtied_bytes).shifted(-blur - before.late_bytes, blur + after.late_bytes)
    recent = int(before.samples.t_s.searchsorted(before.end_s - 2 * UPDATE_S))
    return Sync(
        before=before,
        after=after,
        unsent_bytes=bounds,
        at_sync_bytes=Interval(max(0, at_sync.low), max(0, at_sync.high)),
        likely_bytes=max(0, likely + dirtied_bytes + (after.late_bytes - before.late_bytes) / 2),
        bytes_per_ms=bytes_per_ms,
        wire_bytes_per_ms=wire,
        limit_ms=limit_ms,
        limit_bytes=limit,
        zero_bytes=float(after.samples.zero_pages[0] - before.samples.zero_pages[recent]) * last.page_bytes,
        switchover_bytes_per_ms=switchover_bytes_per_ms,
        begun_s=begun_s,
        in_mid_pass=in_mid_pass,
    )


def _supposed_bytes(bounds: Interval, limit: Interval | None, in_mid_pass: bool, page_bytes: float) -> Interval:
    if limit is None or in_mid_pass:
        return bounds
    below = Interval(0, max(limit.high, page_bytes))
    return bounds.intersection(below) if bounds.meets(below) else bounds


def _begun_s(pass_: Pass) -> float:
    """About when a pass began whose sync was not seen; for the first pass, computed from what was sent since."""
    first, sent_bytes = pass_.first, pass_.first.transferred_bytes
    if pass_.number > 1 or pass_.spacing_s <= _SPARSE_S or not first.mbps > 0 or sent_bytes is None:
        return pass_.begin_s
    return pass_.begin_s - min(pass_.spacing_s, sent_bytes / first.wire_bytes_per_ms / 1000)


def _near_bytes_per_ms(before: Pass, after: Pass) -> Interval:
    """The bandwidths that may have been in force at the sync between the two passes; some were seen before it."""
    unseen_s = float(after.samples.answered_s[0] - before.samples.t_s[before.last_row])
    count = NEAR_SAMPLES if max(before.spacing_s, after.spacing_s, unseen_s) < UPDATE_S else None
    begin = max(0, before.whole_count - count) if count else 0
    near_mbps = [*before.samples.mbps[begin:].tolist(), *after.samples.mbps[:count].tolist()]
    sending = [mbps for mbps in near_mbps if mbps > 0] or [before.last.mbps]
    either = max(float(before.samples.open_mbps[-1]), float(after.samples.open_mbps[0]))
    least = max(min(sending) - either, min(sending) / 2)
    return Interval(least, max(sending) + either).scaled(BYTES_PER_MS_PER_MBPS)
