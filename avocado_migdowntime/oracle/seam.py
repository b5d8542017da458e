# SPDX-License-Identifier: GPL-2.0-or-later
"""The samples on both sides of a dirty sync, and what was sent in between."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import nan

import numpy as np

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..trace.ram import Ram
from ..trace.samples import Floats, Samples
from .passes import Pass, ram_at
from .rounds import rounds_ended

ONE_LOOK_S = 0.6 * BUFFER_DELAY_MS / 1000
"""Two windows never begin closer together than this, though one may come late."""
_WINDOW_S = BUFFER_DELAY_MS / 1000
_REST_S = 0.15 * _WINDOW_S
"""Sending nothing for this long is a rest."""


@dataclass(frozen=True, eq=False)
class Seam:
    """Where `before` ended and `after` began. Times count from when the last sample before was requested."""

    before: Pass
    after: Pass

    @property
    def last(self) -> Ram:
        """The last sample before the sync."""
        return self.before.last

    @cached_property
    def since(self) -> Samples:
        """The samples in the window after the sync, at least one; the first may still have the old pass's number."""
        after = self.after.samples
        soon = after[: int(after.t_s.searchsorted(self.after.begin_s + _WINDOW_S, "right"))]
        if self.before.whole_count == len(self.before.samples):
            return soon
        early = self.before.samples[self.before.whole_count :]
        apart = np.abs(early.conserved_bytes - self.after.begin_bytes)
        whole = int(np.count_nonzero(np.logical_and.accumulate((apart <= self.last.page_bytes)[::-1])))
        if not whole:
            return soon
        return Samples(np.hstack([early.table[:, len(early) - whole :], soon.table]), after.labels)

    @cached_property
    def first(self) -> Ram:
        """The figures of the first of those."""
        is_after = self.before.whole_count == len(self.before.samples)
        return self.after.first if is_after else ram_at(self.since, 0)

    @cached_property
    def answered_s(self) -> Floats:
        """When each of those was answered."""
        later: Floats = self.since.answered_s - self.before.samples.t_s[self.before.last_row]
        return later

    @cached_property
    def sent_bytes(self) -> Floats:
        """What had been sent at each of those, since the last sample before."""
        sent_bytes: Floats = np.maximum(0.0, self.since.sent_pages - self.last.sent_pages) * self.last.page_bytes
        return sent_bytes

    @cached_property
    def rounds(self) -> Floats:
        """How many rounds had ended since then, at each of those; NaN if not shown."""
        if self.last.counted_bytes is None:
            return np.full(len(self.since), np.nan)
        return rounds_ended(self.since) - rounds_ended(self.last)

    @property
    def left_bytes(self) -> Interval:
        """What was left at the sync, if only what was sent is known."""
        most = self.last.remaining_bytes
        return Interval(max(0, most - float(self.first_sent_bytes)), most)

    @cached_property
    def first_sent_bytes(self) -> int:
        """What had been sent at the first of those."""
        return max(0, self.first.sent_pages - self.last.sent_pages) * self.last.page_bytes

    @property
    def first_rounds(self) -> float:
        """How many rounds had ended at the first of those; NaN if not shown."""
        if self.last.counted_bytes is None or self.first.counted_bytes is None:
            return nan
        return float(rounds_ended(self.first) - rounds_ended(self.last))

    @cached_property
    def rest(self) -> "Rest | None":
        """The last rest before the sync, if there was one within a window."""
        samples, row = self.before.samples, self.before.last_row
        begin = int(samples.t_s.searchsorted(samples.t_s[row] - _WINDOW_S))
        return next(iter(rests(samples[: row + 1], begin)), None)

    @property
    def at_rest(self) -> bool:
        """Whether the last sample before the sync was taken during a rest."""
        return self.rest is not None and self.rest.row == self.before.last_row


@dataclass(frozen=True)
class Rest:
    """Nothing was sent for `lasted_s`, until the sample at `row`, and no page was on its way.

    `end_s` is when that sample was requested, relative to the last of the searched samples.
    """

    row: int
    end_s: float
    lasted_s: float


def rests(samples: Samples, begin: int) -> Iterator[Rest]:
    """The rests from the sample at `begin` on, the last one first.

    A page that is on its way has left `remaining` and does not count as sent, so K falls by it: QEMU sends again.
    """
    recent = samples[begin:]
    sent_pages, t_s, conserved = recent.sent_pages, recent.t_s, recent.conserved_bytes
    sends = (sent_pages[1:] != sent_pages[:-1]) | (conserved[:-1] - conserved[1:] == recent.page_bytes[1:])
    firsts = np.flatnonzero(np.append(True, sends))
    lasts = np.append(firsts[1:], len(sent_pages)) - 1
    lasted_s = t_s[lasts] - recent.answered_s[firsts]
    for one in np.flatnonzero(lasted_s >= _REST_S)[::-1]:
        end = int(lasts[one])
        yield Rest(begin + end, float(t_s[end] - t_s[-1]), float(lasted_s[one]))
