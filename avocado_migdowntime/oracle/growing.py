# SPDX-License-Identifier: GPL-2.0-or-later
"""Evidence of an active migration: it grows sample by sample, and is available at any moment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..errors import UsageError
from ..trace.begins import NO_COUNTS, Counts, counts_of, fall
from ..trace.events import Event
from ..trace.model import ENDED, SEVERAL, Trace, header_after, parted
from ..trace.sample import Sample
from ..trace.samples import Samples, SamplesWriter
from .evidence import Evidence
from .passes import Pass, passes


class GrowingEvidence:
    """Accepts samples and events as they arrive, in the order of their time; `header` is that of the trace.

    The cost of adding a sample does not depend on their number. The cost of `evidence` depends on the current pass and
    the number of passes, because finished passes are not processed again.
    """

    def __init__(self, header: Mapping[str, Any]) -> None:
        self._header = header
        self._notes: tuple[str, ...] = ()
        self._status = ""
        self._number: int
        self._count: int
        self._in_order: bool
        self._counts: Counts
        self._begin([])

    def sample(self, row: Sample) -> None:
        """Add a sample; one after the migration had ended, or with a counter that fell, begins another migration."""
        counts = counts_of(row)
        if (self._status in ENDED and row.status not in ENDED) or fall(self._counts, counts):
            earlier, events = parted(self._events, row.t_s)
            self._header = header_after(self._header, earlier)
            self._notes = (SEVERAL,)
            self._begin(events)
        self._status, self._counts = row.status, counts or self._counts
        if row.status == "active" and row.ram is not None:
            if row.ram.dirty_sync_count > self._number:
                self._end_pass()
            self._in_order = self._in_order and row.ram.dirty_sync_count >= self._number
            self._number = row.ram.dirty_sync_count
        self._samples.append(row)
        self._count += 1

    def event(self, event: Event) -> None:
        """Add an event."""
        self._events.append(event)

    def evidence(self) -> Evidence:
        """The evidence so far about the last migration; raises UsageError before the first sample."""
        if not self._count:
            raise UsageError("holds no sample yet; add an answer to query-migrate first")
        trace = Trace(self._samples.samples(), tuple(self._events), self._header, self._notes)
        evidence = Evidence.of(trace)
        if trace.completed or not self._in_order:  # The guest was stopped within what may have looked like a pass.
            return evidence
        return replace(evidence, ended_passes=tuple(self._ended), open_from=self._open_from)

    def _begin(self, events: list[Event]) -> None:
        self._samples = SamplesWriter()
        self._queued_bytes = Trace(Samples(), header=self._header).queued_bytes
        self._events = events
        self._ended: list[Pass] = []
        self._count = self._open_from = self._number = 0
        self._in_order = True
        self._counts = NO_COUNTS

    def _end_pass(self) -> None:
        samples = self._samples.samples()
        self._ended += passes(samples[self._open_from :], queued_bytes=self._queued_bytes)
        self._open_from = self._count
