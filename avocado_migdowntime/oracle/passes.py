# SPDX-License-Identifier: GPL-2.0-or-later
"""The passes that samples show."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..trace.ram import Ram
from ..trace.samples import Floats, Indices, Samples
from . import late
from .batches import batches, by_length
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
        return cls.of_many([samples], queued_bytes)[0]

    @classmethod
    def of_many(cls, parts: Sequence[Samples], queued_bytes: float = 0.0) -> list["Pass"]:
        """The pass of each of `parts`."""
        if queued_bytes:
            return [cls._counted_late(samples, queued_bytes) for samples in parts]
        return by_length(parts, len, cls._equally_long)

    @classmethod
    def _equally_long(cls, parts: Sequence[Samples]) -> Sequence["Pass"]:
        """The same for parts of one length."""
        samples = Samples.stacked(parts)
        conserved, whole_counts = samples.conserved_bytes, _whole_counts(samples)
        begin_bytes = medians(conserved[:, :EDGE_SAMPLES])
        end_bytes, spread_bytes = np.empty_like(begin_bytes), np.empty_like(begin_bytes)
        for whole in np.unique(whole_counts):
            rows = whole_counts == whole
            counted = conserved[rows, :whole]
            ending = counted[:, -EDGE_SAMPLES:]
            end_bytes[rows] = medians(ending)
            rise_bytes = _rise_bytes(ending, end_bytes[rows] + _STILL_PAGES * samples.page_bytes[rows, 0])
            spread = _middle_half(counted) if whole >= MIN_SAMPLES else 0.0
            spread_bytes[rows] = np.maximum(spread, 2 * _GOES_ON * rise_bytes)
        numbers = map(int, samples.dirty_sync_count[:, 0].tolist())
        edges = begin_bytes.tolist(), end_bytes.tolist(), spread_bytes.tolist()
        return [cls(*figures) for figures in zip(numbers, parts, whole_counts.tolist(), *edges, strict=True)]

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
        remaining, page, sent = self.samples.remaining_bytes, self.samples.page_bytes, self.samples.sent_pages
        slack = max(self.spread_bytes, float(page[0]))
        last = self.whole_count - 1
        ending = range(last, max(-1, last - EDGE_SAMPLES), -1)
        near = (row for row in ending if abs(remaining[row] + page[row] * sent[row] - self.end_bytes) <= slack)
        return next(near, last)


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
    return Pass.of_many([samples.take(counted[begin:end]) for begin, end in pairwise(bounds.tolist())], queued_bytes)


def _many(samples: Samples, counted: Indices, bounds: Indices, queued_bytes: float) -> Sequence[Pass]:
    """Passes of which only the computed figures and the positions of their samples are stored."""

    def samples_of(index: int) -> Samples:
        return samples.take(counted[bounds[index] : bounds[index + 1]])

    worked_out = np.empty((len(bounds) - 1, 5))
    for some in batches(range(len(worked_out))):
        for index, one in zip(some, Pass.of_many([*map(samples_of, some)], queued_bytes), strict=True):
            worked_out[index] = one.whole_count, one.begin_bytes, one.end_bytes, one.spread_bytes, one.late_bytes

    def pass_at(index: int) -> Pass:
        own = samples_of(index)
        whole, begin, end, spread, late_bytes = worked_out[index].tolist()
        return Pass(int(own.dirty_sync_count[0]), own, int(whole), begin, end, spread, queued_bytes, late_bytes)

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


def _whole_counts(samples: Samples) -> Indices:
    """For each pass, the number of its samples before those that already show what its final sync found.

    The columns of `samples` have a row for each pass. QEMU 11.1 counts a sync only when it is done. By then `remaining`
    has risen, and K with it. Nothing else causes that, except a sync of auto-converge in mid-pass, which is not counted
    there. On a busy host it takes a window or two until a sync is counted, but not half a pass.
    """
    conserved, remaining = samples.conserved_bytes, samples.remaining_bytes
    t_s, page_bytes = samples.t_s, samples.page_bytes[:, 0]
    count = conserved.shape[-1]
    others = np.abs(conserved - conserved[:, -1:]) > page_bytes[:, np.newaxis]
    one, row_after_sync = np.arange(len(others)), count - others[:, ::-1].argmax(axis=-1)
    row_after_sync[row_after_sync == count] = count - 1  # None is another.
    rises = remaining[one, row_after_sync] > remaining[one, row_after_sync - 1] + page_bytes
    late_s = t_s[:, -1] - t_s[one, row_after_sync]
    in_time = late_s < np.minimum((t_s[:, -1] - t_s[:, 0]) / 2, _COUNTED_LATE_S)
    ended = others.any(axis=-1) & rises & in_time
    whole_counts: Indices = np.where(ended & (count >= MIN_SAMPLES), row_after_sync, count)
    return whole_counts


def _rise_bytes(ending: Floats, above_bytes: Floats) -> Floats:
    """How far K was above `above_bytes` in the last of these samples, if it was above in the one before as well."""
    rose = (ending[:, -2:].min(axis=-1) > above_bytes) & (ending.shape[-1] > 1)
    return np.where(rose, ending[:, -1] - above_bytes, 0.0)


def _middle_half(figures: Floats) -> Floats:
    """The distance between the quartiles of at least two figures a row, both interpolated between ranks."""
    ranked, count = np.sort(figures, axis=-1), figures.shape[-1]
    quartiles = []
    for quarter in (1, 3):
        rank, share = divmod(quarter * (count - 1), 4)
        above = ranked[:, min(rank + 1, count - 1)]
        quartiles.append((ranked[:, rank] * (4 - share) + above * share) / 4)
    between: Floats = quartiles[1] - quartiles[0]
    return between
