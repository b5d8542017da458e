# SPDX-License-Identifier: GPL-2.0-or-later
"""The passes that samples show."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median

import numpy as np

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..trace.ram import Ram
from ..trace.samples import Floats, Indices, Samples
from . import late
from .lazy_sequence import MANY, LazySequence

MIN_SAMPLES = 3
"""The number of samples that a pass needs before its K is trusted."""
EDGE_SAMPLES = 9
"""K of a pass is taken from this many samples next to the sync: a leak elsewhere in the pass then does not matter."""
UPDATE_S = BUFFER_DELAY_MS / 1000
"""QEMU updates bandwidth and expected-downtime about this often."""
_STILL_PAGES = 4
"""If K is higher by more than this in the last two samples of a pass, it rises at the end: seen of QEMU 7.2 with
`compress`.
"""
_GOES_ON = 3
"""Until the sync it may have risen by this many times what was seen."""
_COUNTED_LATE_S = 5 * UPDATE_S
"""What a sync found counts as that of an uncounted sync if it is seen for longer than this."""


@dataclass(frozen=True, eq=False)
class Pass:
    """The active samples with one dirty-sync-count; K (remaining + sent bytes) at its begin and end, and the spread of
    K.

    Samples from `whole_count` on, if any, already show what the pass's final sync found, before that sync is counted.
    If up to `queued_bytes` may be on their way before they count as sent, K may be up to `late_bytes` larger (see
    late.py).
    """

    number: int
    samples: Samples
    whole_count: int
    begin_bytes: float
    end_bytes: float
    spread_bytes: float
    queued_bytes: float = 0.0
    late_bytes: float = 0.0

    @classmethod
    def of(cls, samples: Samples, queued_bytes: float = 0.0) -> "Pass":
        """The pass of at least one sample, all of them with the same dirty-sync-count."""
        if queued_bytes:
            return cls._counted_late(samples, queued_bytes)
        conserved = samples.conserved_bytes
        whole = _whole_count(samples)
        ending = conserved[max(0, whole - EDGE_SAMPLES) : whole]
        end_bytes = median(ending.tolist())
        rise_bytes = _rise_bytes(ending, end_bytes + _STILL_PAGES * float(samples.page_bytes[0]))
        return cls(
            number=int(samples.dirty_sync_count[0]),
            samples=samples,
            whole_count=whole,
            begin_bytes=median(conserved[:EDGE_SAMPLES].tolist()),
            end_bytes=end_bytes,
            spread_bytes=max(
                _middle_half(conserved[:whole]) if whole >= MIN_SAMPLES else 0.0, 2 * _GOES_ON * rise_bytes
            ),
        )

    @classmethod
    def _counted_late(cls, samples: Samples, queued_bytes: float) -> "Pass":
        whole = late.whole_count(samples)
        conserved_bytes, late_bytes = late.conserved_bytes(samples, whole, queued_bytes)
        number = int(samples.dirty_sync_count[0])
        spread_bytes = late.spread_bytes(samples[:whole], queued_bytes)
        return cls(number, samples, whole, conserved_bytes, conserved_bytes, spread_bytes, queued_bytes, late_bytes)

    @cached_property
    def begin_s(self) -> float:
        """When the first sample was requested."""
        return float(self.samples.t_s[0])

    @cached_property
    def end_s(self) -> float:
        """When the last sample was requested."""
        return float(self.samples.t_s[-1])

    @cached_property
    def spacing_s(self) -> float:
        """The median time between samples."""
        t_s = self.samples.t_s
        return float(medians(t_s[1:] - t_s[:-1])) if len(t_s) > 1 else 0.0

    @cached_property
    def open_bytes(self) -> float:
        """The uncertainty (±) of K, because a text rounds."""
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
        """The last sample whose remaining and sent figures belong together: a sync may change one before the other."""
        ending = self.samples[max(0, self.whole_count - EDGE_SAMPLES) : self.whole_count]
        slack = max(self.spread_bytes, self.first.page_bytes)
        away = [abs(conserved - self.end_bytes) for conserved in ending.conserved_bytes.tolist()]
        row = max((row for row, bytes_away in enumerate(away) if bytes_away <= slack), default=len(away) - 1)
        return self.whole_count - len(away) + row


def passes(samples: Samples, stopped_s: float = np.inf, queued_bytes: float = 0.0) -> Sequence[Pass]:
    """The passes in `samples`, in order; pages may count as sent up to `queued_bytes` late.

    Samples that are not active or lack RAM figures belong to no pass. Neither do those answered from `stopped_s` on:
    they belong to the switchover, which also syncs.
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
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(numbers)) + 1, [len(counted)]])
    if len(bounds) > MANY:
        return _many(samples, counted, bounds, queued_bytes)
    return [Pass.of(samples.take(counted[begin:end]), queued_bytes) for begin, end in pairwise(bounds.tolist())]


def _many(samples: Samples, counted: Indices, bounds: Indices, queued_bytes: float) -> Sequence[Pass]:
    """Passes of which only the computed figures and the positions of their samples are stored."""
    worked_out = np.full((len(bounds) - 1, 5), np.nan)

    def pass_at(index: int) -> Pass:
        own = samples.take(counted[bounds[index] : bounds[index + 1]])
        whole, *figures = worked_out[index].tolist()
        if whole == whole:
            begin, end, spread, late_bytes = figures
            number = int(own.dirty_sync_count[0])
            return Pass(number, own, int(whole), begin, end, spread, queued_bytes, late_bytes)
        one = Pass.of(own, queued_bytes)
        worked_out[index] = one.whole_count, one.begin_bytes, one.end_bytes, one.spread_bytes, one.late_bytes
        return one

    return LazySequence(len(worked_out), pass_at)


def ram_at(samples: Samples, index: int) -> Ram:
    """The RAM figures of one of `samples`, which must have them."""
    ram = samples.ram(index)
    assert ram is not None
    return ram


def medians(figures: Floats) -> Floats:
    """The medians over the last axis, which must not be empty."""
    ranked, count = np.sort(figures, axis=-1), figures.shape[-1]
    middles: Floats = (ranked[..., (count - 1) // 2] + ranked[..., count // 2]) / 2
    return middles


def _whole_count(samples: Samples) -> int:
    """The number of a pass's samples before those that already show what its final sync found.

    QEMU 11.1 counts a sync only when it is done. By then `remaining` has risen, and K with it. Nothing else causes
    that, except a sync of auto-converge in mid-pass, which is not counted there. On a busy host it takes a window or
    two until a sync is counted, but not half a pass.
    """
    conserved, t_s, page_bytes = samples.conserved_bytes, samples.t_s, samples.page_bytes[0]
    others = np.flatnonzero(np.abs(conserved - conserved[-1]) > page_bytes)
    if not len(others) or len(samples) < MIN_SAMPLES:
        return len(samples)
    row_after_sync = int(others[-1]) + 1
    remaining = samples.remaining_bytes
    rises = remaining[row_after_sync] > remaining[row_after_sync - 1] + page_bytes
    late_s = float(t_s[-1] - t_s[row_after_sync])
    return row_after_sync if rises and late_s < min(float(t_s[-1] - t_s[0]) / 2, _COUNTED_LATE_S) else len(samples)


def _rise_bytes(ending: Floats, above_bytes: float) -> float:
    """How far K was above `above_bytes` in the last of these samples, if it was above in the one before as well."""
    return float(ending[-1]) - above_bytes if len(ending) > 1 and ending[-2:].min() > above_bytes else 0.0


def _middle_half(figures: Floats) -> float:
    """The distance between the quartiles of at least two figures, both interpolated between ranks."""
    ranked = np.sort(figures)
    quartiles = []
    for quarter in (1, 3):
        rank, share = divmod(quarter * (len(ranked) - 1), 4)
        above = ranked[min(rank + 1, len(ranked) - 1)]
        quartiles.append((ranked[rank] * (4 - share) + above * share) / 4)
    return float(quartiles[1] - quartiles[0])
