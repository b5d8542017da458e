# SPDX-License-Identifier: GPL-2.0-or-later
"""What was left to send at each dirty sync, from a conservation law.

Within a pass every page that leaves `remaining` is counted as sent, so K = remaining + page-size × sent is
constant. A dirty sync adds what was dirtied meanwhile, so between two passes

    remaining at the sync = K - K before + unsent,

where `unsent` is what was left when the pass before ended. It lies between the last sample before the sync
(nothing more was sent) and that less all the pages sent until the first sample after it (all of them were sent
before the sync). QEMU ends a pass when what is left fits downtime-limit × bandwidth, so where the bounds allow it
`unsent` is taken to be below that (migration/migration.c:migration_iteration_run).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median

import numpy as np

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS, BYTES_PER_MS_PER_MBPS
from ..trace.ram import Ram
from ..trace.samples import Floats, Samples
from .limits import Limits

MIN_SAMPLES = 3
"""Samples that a pass needs before its K is believed."""
EDGE_SAMPLES = 9
"""K of a pass is taken from as many samples next to the sync: a leak elsewhere in the pass does not matter then."""
UPDATE_S = BUFFER_DELAY_MS / 1000
"""QEMU renews bandwidth and expected-downtime about this often."""
NEAR_SAMPLES = 3
"""The bandwidth in force at a sync is among those of so many samples before it and after it, where they come faster
than it is renewed; at slower sampling it may be any that was seen in the two passes, or near it.
"""


@dataclass(frozen=True, eq=False)
class Pass:
    """The active samples that carry one dirty-sync-count; K at its begin and at its end, and how far it spreads."""

    number: int
    samples: Samples
    begin_bytes: float
    end_bytes: float
    spread_bytes: float

    @classmethod
    def of(cls, samples: Samples) -> "Pass":
        """The pass that at least one sample makes, all of them with the same dirty-sync-count."""
        conserved = samples.conserved_bytes
        return cls(
            number=int(samples.dirty_sync_count[0]),
            samples=samples,
            begin_bytes=median(conserved[:EDGE_SAMPLES].tolist()),
            end_bytes=median(conserved[-EDGE_SAMPLES:].tolist()),
            spread_bytes=_middle_half(conserved) if len(samples) >= MIN_SAMPLES else 0.0,
        )

    @cached_property
    def begin_s(self) -> float:
        """When the first sample was asked for."""
        return float(self.samples.t_s[0])

    @cached_property
    def end_s(self) -> float:
        """When the last one was."""
        return float(self.samples.t_s[-1])

    @cached_property
    def spacing_s(self) -> float:
        """The usual time from one sample to the next."""
        t_s = self.samples.t_s
        return float(medians(t_s[1:] - t_s[:-1])) if len(t_s) > 1 else 0.0

    @cached_property
    def first(self) -> Ram:
        """The figures of the first sample."""
        return ram_at(self.samples, 0)

    @cached_property
    def last(self) -> Ram:
        """The last sample whose remaining and sent belong together: a sync may change one before the other."""
        ending = self.samples[-EDGE_SAMPLES:]
        slack = max(self.spread_bytes, self.first.page_bytes)
        away = [abs(conserved - self.end_bytes) for conserved in ending.conserved_bytes.tolist()]
        return ram_at(ending, max((row for row, bytes_away in enumerate(away) if bytes_away <= slack), default=-1))


@dataclass(frozen=True, eq=False)
class Sync:
    """A dirty sync seen from both sides: it ended `before` and began `after`.

    `bytes_per_ms` is the bandwidth that QEMU divides by, `wire_bytes_per_ms` that of its sending; they differ where
    avail-switchover-bandwidth is set. `limit_ms` is the downtime-limit that held, `limit_bytes` what it allowed to
    leave, where it is known. `zero_bytes` are zero pages among what was sent around the sync: no bandwidth bounds how
    fast they go. `switchover_bytes_per_ms` is avail-switchover-bandwidth, where it is set.
    """

    before: Pass
    after: Pass
    unsent_bytes: Interval
    at_sync_bytes: Interval
    bytes_per_ms: Interval
    wire_bytes_per_ms: Interval
    limit_ms: float | None
    limit_bytes: Interval | None
    zero_bytes: float
    switchover_bytes_per_ms: float | None

    def divisor_of(self, ram: Samples) -> Floats:
        """The bandwidth that QEMU divided by for each of these samples."""
        if self.switchover_bytes_per_ms:
            return np.full_like(ram.mbps, self.switchover_bytes_per_ms)
        return ram.wire_bytes_per_ms

    @property
    def unsent_ms(self) -> Interval:
        """What was left when the pass ended, as milliseconds of QEMU's bandwidth."""
        return Interval(self.unsent_bytes.low / self.bytes_per_ms.high, self.unsent_bytes.high / self.bytes_per_ms.low)


def passes(samples: Samples, stopped_s: float = np.inf) -> list[Pass]:
    """The passes that `samples` show, in their order.

    Those that are not active or carry no RAM figures belong to none, nor do those answered from `stopped_s` on: they
    are of the switchover, which syncs too.
    """
    if not len(samples):
        return []
    counted = np.flatnonzero(
        (samples.answered_s < stopped_s) & samples.are("active") & samples.has_ram & (samples.dirty_sync_count > 0)
    )
    numbers = samples.dirty_sync_count[counted]
    if np.any(np.diff(numbers) < 0):
        order = np.argsort(numbers, kind="stable")
        counted, numbers = counted[order], numbers[order]
    if not len(counted):
        return []
    bounds = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(counted)]
    return [Pass.of(samples.take(counted[begin:end])) for begin, end in pairwise(bounds)]


def syncs(seen: Sequence[Pass], limits: Limits, switchover_bytes_per_ms: float | None = None) -> list[Sync]:
    """The dirty syncs between passes that follow each other; one beside a missed pass cannot be told.

    QEMU divides by `switchover_bytes_per_ms` (avail-switchover-bandwidth) where that is set, else by what it sends.
    """
    return [
        _sync(before, after, limits.at(after.begin_s), switchover_bytes_per_ms)
        for before, after in pairwise(seen)
        if after.number == before.number + 1 and before.last.mbps > 0
    ]


def ram_at(samples: Samples, index: int) -> Ram:
    """The RAM figures of one of `samples`, which has some."""
    ram = samples.ram(index)
    assert ram is not None
    return ram


def medians(figures: Floats) -> Floats:
    """The medians over the last axis, which holds at least one figure."""
    ranked, count = np.sort(figures, axis=-1), figures.shape[-1]
    middles: Floats = (ranked[..., (count - 1) // 2] + ranked[..., count // 2]) / 2
    return middles


def _middle_half(figures: Floats) -> float:
    """From the lower to the upper quartile of at least two figures, both interpolated between ranks."""
    ranked = np.sort(figures)
    quartiles = []
    for quarter in (1, 3):
        rank, share = divmod(quarter * (len(ranked) - 1), 4)
        above = ranked[min(rank + 1, len(ranked) - 1)]
        quartiles.append((ranked[rank] * (4 - share) + above * share) / 4)
    return float(quartiles[1] - quartiles[0])


def _sync(before: Pass, after: Pass, limit_ms: float | None, switchover_bytes_per_ms: float | None) -> Sync:
    last, first = before.last, after.first
    sent = max(0, first.sent_pages - last.sent_pages) * last.page_bytes
    bounds = Interval(max(0, last.remaining_bytes - sent), last.remaining_bytes)
    wire = _near_bytes_per_ms(before, after)
    bytes_per_ms = Interval(switchover_bytes_per_ms, switchover_bytes_per_ms) if switchover_bytes_per_ms else wire
    limit = bytes_per_ms.scaled(limit_ms) if limit_ms is not None else None
    unsent = bounds
    if limit is not None:
        below = Interval(0, max(limit.high, last.page_bytes))
        unsent = bounds.intersection(below) if bounds.meets(below) else bounds
    blur = (before.spread_bytes + after.spread_bytes) / 2
    at_sync = unsent.shifted(after.begin_bytes - before.end_bytes).shifted(-blur, blur)
    recent = int(before.samples.t_s.searchsorted(before.end_s - 2 * UPDATE_S))
    return Sync(
        before=before,
        after=after,
        unsent_bytes=bounds,
        at_sync_bytes=Interval(max(0, at_sync.low), max(0, at_sync.high)),
        bytes_per_ms=bytes_per_ms,
        wire_bytes_per_ms=wire,
        limit_ms=limit_ms,
        limit_bytes=limit,
        zero_bytes=(first.zero_pages - float(before.samples.zero_pages[recent])) * last.page_bytes,
        switchover_bytes_per_ms=switchover_bytes_per_ms,
    )


def _near_bytes_per_ms(before: Pass, after: Pass) -> Interval:
    """The bandwidths that may have been in force at the sync between the two; some was seen before it."""
    count = NEAR_SAMPLES if max(before.spacing_s, after.spacing_s) < UPDATE_S else None
    near_mbps = [*before.samples.mbps[-count if count else None :].tolist(), *after.samples.mbps[:count].tolist()]
    sending = [mbps for mbps in near_mbps if mbps > 0] or [before.last.mbps]
    return Interval(min(sending), max(sending)).scaled(BYTES_PER_MS_PER_MBPS)
