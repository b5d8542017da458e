# SPDX-License-Identifier: GPL-2.0-or-later
"""The passes that samples show."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..basics.batches import by_length
from ..basics.lazy_sequence import MANY, LazySequence
from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..trace.ram import Ram
from ..trace.samples import Floats, Indices, Samples
from . import late

MIN_SAMPLES = 3
"""The number of samples that a pass needs before its K is trusted."""
EDGE_SAMPLES = 9
"""K of a pass is taken from this many samples next to the sync: a leak elsewhere in the pass then does not matter."""
UPDATE_S = BUFFER_DELAY_MS / 1000
"""QEMU updates bandwidth and expected-downtime about this often."""
_STILL_PAGES = 4
"""If K is higher by more than this in the last two samples of a pass, it rises at the end: seen of QEMU 7.2 with
`compress`. If it is in the first two, it falls at the begin: pages are skipped that the guest says are free.
"""
_GOES_ON = 3
"""It may have risen until the sync, or fallen since, by this many times what was seen."""
_COUNTED_LATE_S = 5 * UPDATE_S
"""What a sync found counts as that of an uncounted sync if it is seen for longer than this. A count that is raised for
longer than this before what the sync found is not of that sync.
"""
_BEFORE = 2
"""The last samples of the pass before that show whether a count was raised early."""


class Pass(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The active samples with one dirty-sync-count; K (remaining + sent bytes) at its begin and end, and the spread of
    K.

    Samples from `whole_count` on, if any, already show what the pass's final sync found, before that sync is counted.
    If up to `queued_bytes` may be on their way before they count as sent, K may be up to `late_bytes` larger (see
    late.py).
    """

    number: int
    samples: Samples
    first: Ram
    """The figures of the first sample."""
    last: Ram
    """The figures of the sample at `last_row`."""
    whole_count: int
    last_row: int
    """The last sample whose remaining and sent figures belong together: a sync may change one before the other."""
    begin_s: float
    """When the first sample was requested."""
    end_s: float
    """When the last sample was requested."""
    spacing_s: float
    """The median time between samples."""
    open_bytes: float
    """The uncertainty (±) of K, because a text rounds."""
    begin_bytes: float
    end_bytes: float
    spread_bytes: float
    late_bytes: float
    queued_bytes: float = 0.0

    @classmethod
    def of(cls, samples: Samples, queued_bytes: float = 0.0) -> "Pass":
        """The pass of at least one sample, all of them with the same dirty-sync-count."""
        return cls.of_many([samples], queued_bytes)[0]

    @classmethod
    def of_many(cls, parts: Sequence[Samples], queued_bytes: float = 0.0) -> list["Pass"]:
        """The pass of each of `parts`."""
        return by_length(parts, len, lambda alike: cls._equally_long(alike, queued_bytes))

    @classmethod
    def _equally_long(cls, parts: Sequence[Samples], queued_bytes: float) -> list["Pass"]:
        """The same for parts of one length."""
        samples = Samples.stacked(parts)
        counted_late = [_counted_late(part, queued_bytes) for part in parts if queued_bytes]
        conserved = np.array(counted_late) if counted_late else _conserved(samples)
        whole_counts, end_bytes, spread_bytes = conserved[:, 0].astype(int), conserved[:, 2], conserved[:, 3]
        last_rows = _last_rows(samples, whole_counts, end_bytes, spread_bytes)
        t_s = samples.t_s
        spacing_s = medians(np.diff(t_s)) if t_s.shape[-1] > 1 else np.zeros(len(parts))
        times_and_open = t_s[:, 0], t_s[:, -1], spacing_s, samples.open_bytes.max(axis=-1)
        columns = whole_counts, last_rows, *times_and_open, *conserved.T[1:], np.full(len(parts), queued_bytes)
        firsts, lasts = samples.rams(np.zeros_like(last_rows)), samples.rams(last_rows)
        numbers = [first.dirty_sync_count for first in firsts]
        return [*map(cls, numbers, parts, firsts, lasts, *(column.tolist() for column in columns))]


def passes(
    samples: Samples, stopped_s: float = np.inf, queued_bytes: float = 0.0, before: Pass | None = None
) -> Sequence[Pass]:
    """The passes in `samples`, in order; pages may count as sent up to `queued_bytes` late. `before` is the pass before
    them, if it is known.

    Samples that are not active or lack RAM figures belong to no pass. Neither do those answered from `stopped_s` on:
    they belong to the switchover, which also syncs.
    """
    if not len(samples):
        return []
    ending = before.samples[-_BEFORE:] if before is not None else Samples()
    if len(ending):
        samples = Samples(np.hstack([ending.table, samples.table]), samples.labels)
    in_time = samples.answered_s < stopped_s
    in_time[: len(ending)] = True
    counted = np.flatnonzero(in_time & samples.are("active") & samples.has_ram & (samples.dirty_sync_count > 0))
    numbers = samples.dirty_sync_count[counted]
    if np.any(np.diff(numbers) < 0):
        order = np.argsort(numbers, kind="stable")
        counted, numbers = counted[order], numbers[order]
    of_other = _counted_early(samples, counted, numbers) | _found_early(samples, counted, numbers, queued_bytes)
    of_other &= counted >= len(ending)
    if np.any(of_other):
        counted, numbers = counted[~of_other], numbers[~of_other]
    if not len(counted):
        return []
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(numbers)) + 1, [len(counted)]])
    if len(ending):
        bounds = bounds[1:]

    def passes_of(wanted: range) -> list[Pass]:
        ends = pairwise(bounds[wanted.start : wanted.stop + 1].tolist())
        return Pass.of_many([samples.take(counted[begin:end]) for begin, end in ends], queued_bytes)

    count = len(bounds) - 1
    return LazySequence(count, passes_of) if count > MANY else passes_of(range(count))


def _counted_early(samples: Samples, counted: Indices, numbers: Floats) -> NDArray[np.bool_]:
    """Which samples show the count of a sync before what it found; they say nothing about either pass.

    QEMU raises the count as a sync begins. So the K of these samples is still that of the pass before, while later ones
    of their pass have another. QEMU 11.1 counts a sync when it is done: the last samples of a pass may have the K of
    the next one. It shows what is pending; a text of it does not.
    """
    early = np.zeros(len(counted), bool)
    is_same = np.diff(numbers) == 0
    begins = np.flatnonzero(is_same[:-2] & ~is_same[1:-1] & is_same[2:]) + 2
    begins = begins[np.isnan(samples.pending_bytes[counted[begins]])]
    k_bytes, open_bytes, page_bytes = samples.conserved_bytes, samples.open_bytes, samples.page_bytes

    def goes_on(rows: Indices, others: Indices) -> NDArray[np.bool_]:
        """Whether these have the K of those before."""
        one, other = counted[rows], counted[others]
        slack_bytes = page_bytes[one] + open_bytes[one] + open_bytes[other]
        return np.asarray(np.abs(k_bytes[one] - k_bytes[other]) <= slack_bytes)

    begins = begins[goes_on(begins, begins - 1) & goes_on(begins, begins - 2)]
    ends = begins + 1
    while len(begins):
        goes = goes_on(ends, begins - 1)
        soon = samples.t_s[counted[ends - 1]] - samples.t_s[counted[begins]] <= _COUNTED_LATE_S
        for begin, end in zip(begins[~goes & soon].tolist(), ends[~goes & soon].tolist(), strict=True):
            early[begin:end] = True
        goes &= soon & (ends < len(is_same)) & is_same[np.minimum(ends, len(is_same) - 1)]
        begins, ends = begins[goes], ends[goes] + 1
    return early


def _found_early(samples: Samples, counted: Indices, numbers: Floats, queued_bytes: float) -> NDArray[np.bool_]:
    """Which samples of passes with few show what the final sync of their pass found, before QEMU 11.1 counts it.

    More than what was pending at QEMU's last check remains in them; QEMU checks before it sends anything. If K is the
    same while pages are sent, no sync found anything: what is pending is wrong. If a pass has more samples, K shows it.
    """
    pending_bytes, sent_pages = samples.pending_bytes[counted], samples.sent_pages[counted]
    if np.all(np.isnan(pending_bytes)):
        return np.zeros(len(counted), bool)
    k_bytes, page_bytes = samples.conserved_bytes[counted], samples.page_bytes[counted]
    begins, ends = np.searchsorted(numbers, numbers), np.searchsorted(numbers, numbers, "right")
    rose = samples.remaining_bytes[counted] > pending_bytes + page_bytes
    sends = (sent_pages[ends - 1] - sent_pages[begins]) * page_bytes > queued_bytes
    is_same_k = np.abs(k_bytes - k_bytes[begins]) <= page_bytes + queued_bytes
    return (ends - begins < MIN_SAMPLES) & (sent_pages > 0) & rose & ~(sends & is_same_k)


def that_found_something(passes: Sequence[Pass]) -> Sequence[Pass]:
    """These passes without the last one, if it may only show the count of a sync that has not found anything yet.

    Then K is still that of the pass before, and nothing was sent in between. QEMU 11.1 counts a sync when it is done:
    it shows what is pending.
    """
    if len(passes) < 2:
        return passes
    earlier, later = passes[-2].samples[-1:], passes[-1].samples
    slack_bytes = earlier.page_bytes + earlier.open_bytes + later.open_bytes
    is_same_k = np.abs(later.conserved_bytes - earlier.conserved_bytes) <= slack_bytes
    lasts_s = later.t_s[-1] - earlier.t_s[0]
    may_be_early = np.isnan(later.pending_bytes[0]) and 0 <= lasts_s <= _COUNTED_LATE_S
    return passes[:-1] if may_be_early and np.all(is_same_k & (later.sent_pages == earlier.sent_pages)) else passes


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


def _conserved(samples: Samples) -> Floats:
    """For each pass: the number of its whole samples; K at its begin and at its end, the spread of K, and 0."""
    conserved, whole_counts = samples.conserved_bytes, _whole_counts(samples)
    begin_bytes = medians(conserved[:, :EDGE_SAMPLES])
    end_bytes, spread_bytes = np.empty_like(begin_bytes), np.empty_like(begin_bytes)
    for whole in np.unique(whole_counts):
        rows = whole_counts == whole
        counted = conserved[rows, :whole]
        ending = counted[:, -EDGE_SAMPLES:]
        end_bytes[rows] = medians(ending)
        still_bytes = _STILL_PAGES * samples.page_bytes[rows, 0]
        rise_bytes = _rise_bytes(ending, end_bytes[rows] + still_bytes)
        fall_bytes = _rise_bytes(counted[:, 1::-1], begin_bytes[rows] + still_bytes)
        spread = _middle_half(counted) if whole >= MIN_SAMPLES else 0.0
        spread_bytes[rows] = np.maximum(spread, 2 * _GOES_ON * np.maximum(rise_bytes, fall_bytes))
    return np.stack([whole_counts, begin_bytes, end_bytes, spread_bytes, np.zeros_like(begin_bytes)], axis=1)


def _counted_late(samples: Samples, queued_bytes: float) -> tuple[float, float, float, float, float]:
    """The same for one pass whose pages may count as sent late; at last, how much larger K may be."""
    whole = late.whole_count(samples)
    conserved_bytes, late_bytes = late.conserved_bytes(samples, whole, queued_bytes)
    return whole, conserved_bytes, conserved_bytes, late.spread_bytes(samples[:whole], queued_bytes), late_bytes


def _last_rows(samples: Samples, whole_counts: Indices, end_bytes: Floats, spread_bytes: Floats) -> Indices:
    """The `last_row` of each pass."""
    counts, rows = whole_counts[:, np.newaxis], np.arange(samples.t_s.shape[-1])
    off_bytes = np.abs(samples.conserved_bytes - end_bytes[:, np.newaxis])
    slack_bytes = np.maximum(spread_bytes, samples.page_bytes[:, 0])[:, np.newaxis]
    near = (rows < counts) & (rows >= counts - EDGE_SAMPLES) & (off_bytes <= slack_bytes)
    last_rows: Indices = np.where(near.any(axis=-1), len(rows) - 1 - near[:, ::-1].argmax(axis=-1), whole_counts - 1)
    return last_rows


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
