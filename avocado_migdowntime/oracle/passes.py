# SPDX-License-Identifier: GPL-2.0-or-later
"""The passes that samples show."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median

import numpy as np

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..trace.ram import Ram
from ..trace.samples import Floats, Samples

MIN_SAMPLES = 3
"""Samples that a pass needs before its K is believed."""
EDGE_SAMPLES = 9
"""K of a pass is taken from as many samples next to the sync: a leak elsewhere in the pass does not matter then."""
UPDATE_S = BUFFER_DELAY_MS / 1000
"""QEMU renews bandwidth and expected-downtime about this often."""


@dataclass(frozen=True, eq=False)
class Pass:
    """The active samples that carry one dirty-sync-count; K at its begin and at its end, and how far it spreads.

    Those from `whole_count` on, if any, show what the sync found that ended it before that has its number.
    """

    number: int
    samples: Samples
    whole_count: int
    begin_bytes: float
    end_bytes: float
    spread_bytes: float

    @classmethod
    def of(cls, samples: Samples) -> "Pass":
        """The pass that at least one sample makes, all of them with the same dirty-sync-count."""
        conserved = samples.conserved_bytes
        whole = _whole_count(samples)
        return cls(
            number=int(samples.dirty_sync_count[0]),
            samples=samples,
            whole_count=whole,
            begin_bytes=median(conserved[:EDGE_SAMPLES].tolist()),
            end_bytes=median(conserved[max(0, whole - EDGE_SAMPLES) : whole].tolist()),
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
    def open_bytes(self) -> float:
        """By how much K may be more or less, as a text rounds."""
        return float(self.samples.open_bytes.max())

    @cached_property
    def first(self) -> Ram:
        """The figures of the first sample."""
        return ram_at(self.samples, 0)

    @cached_property
    def last(self) -> Ram:
        """The figures of the sample at `last_row`."""
        return ram_at(self.samples, self.last_row)

    @cached_property
    def last_row(self) -> int:
        """The last sample whose remaining and sent belong together: a sync may change one before the other."""
        ending = self.samples[max(0, self.whole_count - EDGE_SAMPLES) : self.whole_count]
        slack = max(self.spread_bytes, self.first.page_bytes)
        away = [abs(conserved - self.end_bytes) for conserved in ending.conserved_bytes.tolist()]
        row = max((row for row, bytes_away in enumerate(away) if bytes_away <= slack), default=len(away) - 1)
        return self.whole_count - len(away) + row


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


def _whole_count(samples: Samples) -> int:
    """How many of the samples of a pass come before `remaining` rises at its end, as by a sync alone it does.

    QEMU 11.1 counts a sync when it is done.
    """
    t_s, remaining = samples.t_s, samples.remaining_bytes
    end = int(t_s.searchsorted(t_s[-1] - UPDATE_S))
    rises = np.flatnonzero(remaining[end + 1 :] > remaining[end:-1] + samples.page_bytes[0])
    return end + 1 + int(rises[0]) if len(rises) else len(samples)


def _middle_half(figures: Floats) -> float:
    """From the lower to the upper quartile of at least two figures, both interpolated between ranks."""
    ranked = np.sort(figures)
    quartiles = []
    for quarter in (1, 3):
        rank, share = divmod(quarter * (len(ranked) - 1), 4)
        above = ranked[min(rank + 1, len(ranked) - 1)]
        quartiles.append((ranked[rank] * (4 - share) + above * share) / 4)
    return float(quartiles[1] - quartiles[0])
