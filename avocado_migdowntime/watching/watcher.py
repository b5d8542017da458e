# SPDX-License-Identifier: GPL-2.0-or-later
"""Follows a migration, and gives its state at any moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..oracle.evidence import Evidence
from ..oracle.growing import GrowingEvidence
from ..trace.events import CAP_CHANGED, Event
from ..trace.model import header_after
from ..trace.sample import ENDED, Sample
from .histories import HistoryWriter
from .now import Now, now


@dataclass
class _Stretch:
    """The part of a migration under one downtime-limit, from the first complete pass on."""

    begin_seen: bool
    growing: GrowingEvidence
    number: int | None = None
    samples: int = 0

    @classmethod
    def of(cls, header: Mapping[str, Any], begin_seen: bool) -> "_Stretch":
        return cls(begin_seen, GrowingEvidence(header))

    def is_damaged(self, row: Sample) -> bool:
        """Whether a sample shows that the count of the only one before it was wrong."""
        number = _number(row)
        return number is not None and self.number is not None and self.samples == 1 and number < self.number

    def sample(self, row: Sample) -> None:
        """Take a sample, unless it belongs to a pass whose start was not seen: its length is not known."""
        number = _number(row)
        if not self.begin_seen and number is not None:
            self.begin_seen = self.number is not None and number > self.number
            self.number = number
        if self.begin_seen:
            self.samples += 1
            self.growing.sample(row)


def _number(row: Sample) -> int | None:
    return row.ram.dirty_sync_count if row.ram and row.status == "active" else None


class Watcher:
    """Takes samples and events as they come, in the order of time; the cost of a sample is constant.

    The cost of `now` depends on the current pass and the number of passes.
    """

    def __init__(self) -> None:
        self._history = HistoryWriter()
        self._whole = GrowingEvidence({})
        self._last: Sample | None = None
        self._header: Mapping[str, Any] = {}
        self._stretch = _Stretch.of({}, False)
        self._before: Evidence | None = None

    def begin(self, header: Mapping[str, Any]) -> None:
        """Take what was known when the migration, or watching it, began; call this first."""
        self._header = header
        self._whole = GrowingEvidence(header)
        self._stretch = _Stretch.of(header, False)

    def sample(self, row: Sample) -> bool:
        """Take a sample; return whether it changed the pass or the migration's status."""
        before, self._last = self._last, row
        if before is None and row.status != "active":
            self._stretch.begin_seen = True  # The migration is seen from its start.
        if before is not None and before.status in ENDED and row.status not in ENDED:  # Another migration begins.
            self._stretch, self._before = _Stretch.of(self._header, True), None
        self._history.sample(row)
        begun = self._whole.begun
        self._whole.sample(row)
        if self._whole.begun > begun:
            self._before = None
        if self._stretch.is_damaged(row):
            self._stretch = _Stretch.of(self._header, False)
        self._stretch.sample(row)
        return before is None or _turn(before) != _turn(row)

    def event(self, event: Event) -> None:
        """Take an event."""
        self._whole.event(event)
        self._stretch.growing.event(event)
        self._header = header_after(self._header, [event])
        if event.name == CAP_CHANGED:
            self._before = None  # It does not show the bandwidth since then.
        if event.limit_ms is None:
            return
        if self._stretch.samples and (evidence := self._stretch.growing.evidence()).undisturbed.syncs:
            self._before = evidence
        self._stretch = _Stretch.of(self._header, False)

    def now(self) -> Now | None:
        """The current state; None before the first sample."""
        if self._last is None:
            return None
        whole, learnt = self._whole.evidence(), self._before
        if self._stretch.samples and ((evidence := self._stretch.growing.evidence()).syncs or learnt is None):
            learnt = evidence
        return now(whole, learnt, self._history.histories())


def _turn(row: Sample) -> tuple[str, int | None]:
    return row.status, row.ram.dirty_sync_count if row.ram else None
