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

from .interval import Interval
from .trace import Ram, Sample, Trace

MIN_SAMPLES = 3
"""Samples that a pass needs before its K is believed."""


@dataclass(frozen=True)
class Pass:
    """The active samples that carry one dirty-sync-count."""

    number: int
    samples: tuple[Sample, ...]
    conserved_bytes: float
    spread_bytes: float

    @property
    def last(self) -> Ram:
        """The last sample whose remaining and sent belong together: a sync may change one before the other."""
        slack = max(self.spread_bytes, _ram(self.samples[0]).page_bytes)
        steady = [r for r in map(_ram, self.samples) if abs(r.conserved_bytes - self.conserved_bytes) <= slack]
        return steady[-1] if steady else _ram(self.samples[-1])


@dataclass(frozen=True)
class Sync:
    """A dirty sync seen from both sides: it ended `before` and began `after`."""

    before: Pass
    after: Pass
    unsent_bytes: Interval
    at_sync_bytes: Interval
    bytes_per_ms: float
    fits_limit: bool
    """Whether the bounds of `unsent` allow that the pass ended below downtime-limit."""

    @property
    def unsent_ms(self) -> Interval:
        """What was left when the pass ended, as milliseconds of QEMU's bandwidth."""
        return self.unsent_bytes.scaled(1 / self.bytes_per_ms)


def passes(trace: Trace) -> list[Pass]:
    """The passes of a trace in their order; samples that are not active or carry no RAM figures belong to none."""
    groups: dict[int, list[Sample]] = {}
    for sample in trace.samples:
        if sample.status == "active" and sample.ram is not None and sample.ram.dirty_sync_count > 0:
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
    return Pass(number, tuple(samples), median(conserved), spread)


def _sync(trace: Trace, before: Pass, after: Pass) -> Sync:
    last, first = before.last, _ram(after.samples[0])
    bytes_per_ms = trace.bytes_per_ms(last)
    sent = max(0, first.sent_pages - last.sent_pages) * last.page_bytes
    bounds = Interval(max(0, last.remaining_bytes - sent), last.remaining_bytes)
    limit_ms = trace.downtime_limit_ms
    below = Interval(0, max((limit_ms or 0) * bytes_per_ms, last.page_bytes))
    fits = limit_ms is not None and bounds.meets(below)
    unsent = bounds.intersection(below) if fits else bounds
    blur = (before.spread_bytes + after.spread_bytes) / 2
    at_sync = unsent.shifted(after.conserved_bytes - before.conserved_bytes).shifted(-blur, blur)
    return Sync(before, after, bounds, Interval(max(0, at_sync.low), max(0, at_sync.high)), bytes_per_ms, fits)


def _ram(sample: Sample) -> Ram:
    assert sample.ram is not None
    return sample.ram
