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
from itertools import pairwise
from statistics import median, quantiles

from ..basics.interval import Interval, span
from ..trace.model import Ram, Sample, Trace

MIN_SAMPLES = 3
"""Samples that a pass needs before its K is believed."""
EDGE_SAMPLES = 9
"""K of a pass is taken from as many samples next to the sync: a leak elsewhere in the pass does not matter then."""
UPDATE_S = 0.1
"""QEMU renews bandwidth and expected-downtime about this often (migration/migration.c: BUFFER_DELAY)."""
NEAR_SAMPLES = 3
"""The bandwidth in force at a sync is among those of so many samples before it and after it, where they come faster
than it is renewed; at slower sampling it may be any that was seen in the two passes, or near it.
"""


@dataclass(frozen=True)
class Pass:
    """The active samples that carry one dirty-sync-count; K at its begin and at its end, and how far it spreads."""

    number: int
    samples: tuple[Sample, ...]
    begin_bytes: float
    end_bytes: float
    spread_bytes: float

    @property
    def spacing_s(self) -> float:
        """The usual time from one sample to the next."""
        times = [sample.t_s for sample in self.samples]
        return median(b - a for a, b in pairwise(times)) if len(times) > 1 else 0.0

    @property
    def last(self) -> Ram:
        """The last sample whose remaining and sent belong together: a sync may change one before the other."""
        slack = max(self.spread_bytes, _ram(self.samples[0]).page_bytes)
        steady = [r for r in map(_ram, self.samples) if abs(r.conserved_bytes - self.end_bytes) <= slack]
        return steady[-1] if steady else _ram(self.samples[-1])


@dataclass(frozen=True)
class Sync:
    """A dirty sync seen from both sides: it ended `before` and began `after`.

    `bytes_per_ms` is the bandwidth that QEMU divides by, `wire_bytes_per_ms` that of its sending; they differ where
    avail-switchover-bandwidth is set. `limit_bytes` is what downtime-limit allowed to leave, where it is known.
    """

    before: Pass
    after: Pass
    unsent_bytes: Interval
    at_sync_bytes: Interval
    bytes_per_ms: Interval
    wire_bytes_per_ms: Interval
    limit_bytes: Interval | None
    zero_bytes: float
    """Zero pages among what was sent around the sync: no bandwidth bounds how fast they go."""

    @property
    def unsent_ms(self) -> Interval:
        """What was left when the pass ended, as milliseconds of QEMU's bandwidth."""
        return Interval(self.unsent_bytes.low / self.bytes_per_ms.high, self.unsent_bytes.high / self.bytes_per_ms.low)


def passes(trace: Trace) -> list[Pass]:
    """The passes of a trace in their order.

    Samples that are not active or carry no RAM figures belong to none, nor do those of the switchover, which syncs too.
    """
    groups: dict[int, list[Sample]] = {}
    stopped_s = trace.switchover_s
    for sample in trace.samples:
        if (
            sample.answered_s < stopped_s
            and sample.status == "active"
            and sample.ram is not None
            and sample.ram.dirty_sync_count > 0
        ):
            groups.setdefault(sample.ram.dirty_sync_count, []).append(sample)
    return [_pass(number, samples) for number, samples in sorted(groups.items())]


def syncs(trace: Trace, seen: Sequence[Pass]) -> list[Sync]:
    """The dirty syncs between passes that follow each other; one beside a missed pass cannot be told."""
    return [
        _sync(trace, before, after)
        for before, after in pairwise(seen)
        if after.number == before.number + 1 and before.last.mbps > 0
    ]


def _pass(number: int, samples: list[Sample]) -> Pass:
    conserved = [_ram(s).conserved_bytes for s in samples]
    spread = 0.0
    if len(conserved) >= MIN_SAMPLES:
        low, _, high = quantiles(conserved, n=4, method="inclusive")
        spread = high - low
    begin, end = median(conserved[:EDGE_SAMPLES]), median(conserved[-EDGE_SAMPLES:])
    return Pass(number, tuple(samples), begin, end, spread)


def _sync(trace: Trace, before: Pass, after: Pass) -> Sync:
    last, first = before.last, _ram(after.samples[0])
    sent = max(0, first.sent_pages - last.sent_pages) * last.page_bytes
    bounds = Interval(max(0, last.remaining_bytes - sent), last.remaining_bytes)
    count = NEAR_SAMPLES if max(before.spacing_s, after.spacing_s) < UPDATE_S else len(trace.samples)
    near = [_ram(sample) for sample in (*before.samples[-count:], *after.samples[:count])]
    near = [ram for ram in near if ram.mbps > 0]
    recent_s = before.samples[-1].t_s - 2 * UPDATE_S
    recent = next(_ram(sample) for sample in before.samples if sample.t_s >= recent_s)
    bytes_per_ms = span(trace.bytes_per_ms(ram) for ram in near)
    limit = bytes_per_ms.scaled(trace.downtime_limit_ms) if trace.downtime_limit_ms is not None else None
    unsent = bounds
    if limit is not None:
        below = Interval(0, max(limit.high, last.page_bytes))
        unsent = bounds.intersection(below) if bounds.meets(below) else bounds
    blur = (before.spread_bytes + after.spread_bytes) / 2
    at_sync = unsent.shifted(after.begin_bytes - before.end_bytes).shifted(-blur, blur)
    return Sync(
        before=before,
        after=after,
        unsent_bytes=bounds,
        at_sync_bytes=Interval(max(0, at_sync.low), max(0, at_sync.high)),
        bytes_per_ms=bytes_per_ms,
        wire_bytes_per_ms=span(ram.wire_bytes_per_ms for ram in near),
        limit_bytes=limit,
        zero_bytes=(first.zero_pages - recent.zero_pages) * last.page_bytes,
    )


def _ram(sample: Sample) -> Ram:
    assert sample.ram is not None
    return sample.ram
