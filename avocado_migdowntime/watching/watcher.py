# SPDX-License-Identifier: GPL-2.0-or-later
"""Follows a migration, and gives its state at any moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..oracle.evidence import Evidence
from ..oracle.growing import GrowingEvidence
from ..trace.events import CAP_CHANGED, Event
from ..trace.model import header_after
from ..trace.sample import Sample
from .histories import HistoryWriter
from .now import Now, now


@dataclass
class _Stretch:
    """The part of a migration since its downtime-limit was last changed, from the next pass on."""

    growing: GrowingEvidence
    number: int | None = None
    samples: int = 0

    def is_damaged(self, row: Sample) -> bool:
        """Whether a sample shows that the count of the only one before it was wrong."""
        number = _number(row)
        return number is not None and self.number is not None and self.samples == 1 and number < self.number

    def sample(self, row: Sample) -> None:
        """Take a sample, unless it belongs to the pass in which the limit was changed."""
        number = _number(row)
        has_begun = self.samples > 0
        if not has_begun and number is not None:
            has_begun = self.number is not None and number > self.number
            self.number = number
        if has_begun:
            self.samples += 1
            self.growing.sample(row)

    def evidence(self) -> Evidence | None:
        """The evidence so far; None before the first sample."""
        return self.growing.evidence() if self.samples else None


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
        self._stretch: _Stretch | None = None
        self._before: Evidence | None = None

    def begin(self, header: Mapping[str, Any]) -> None:
        """Take what was known when the migration, or watching it, began; call this first."""
        self._header = header
        self._whole = GrowingEvidence(header)

    def sample(self, row: Sample) -> bool:
        """Take a sample; return whether it changed the pass or the migration's status."""
        before, self._last = self._last, row
        self._history.sample(row)
        begun = self._whole.begun
        self._whole.sample(row)
        if self._whole.begun > begun:
            self._stretch, self._before = None, None
        if self._stretch is not None:
            if self._stretch.is_damaged(row):
                self._stretch = self._new_stretch()
            self._stretch.sample(row)
        return before is None or _turn(before) != _turn(row)

    def event(self, event: Event) -> None:
        """Take an event."""
        self._whole.event(event)
        if self._stretch is not None:
            self._stretch.growing.event(event)
        self._header = header_after(self._header, [event])
        if event.name == CAP_CHANGED:
            self._before = None  # It does not show the bandwidth since then.
        if event.limit_ms is None:
            return
        if self._stretch is not None:
            evidence = self._stretch.evidence()
        else:
            evidence = self._whole.evidence() if self._last is not None else None
        if evidence is not None and evidence.undisturbed.syncs:
            self._before = evidence
        self._stretch = self._new_stretch()

    def now(self) -> Now | None:
        """The current state; None before the first sample."""
        if self._last is None:
            return None
        whole = self._whole.evidence()
        learnt = whole if self._stretch is None else self._stretch.evidence()
        if learnt is None or not learnt.syncs:
            learnt = self._before or learnt
        return now(whole, learnt, self._history.histories())

    def _new_stretch(self) -> _Stretch:
        """The part from the next pass on; from the first sample on if there is none yet."""
        return _Stretch(GrowingEvidence(self._header), number=0 if self._last is None else None)


def _turn(row: Sample) -> tuple[str, int | None]:
    return row.status, row.ram.dirty_sync_count if row.ram else None
