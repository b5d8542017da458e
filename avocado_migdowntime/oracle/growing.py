# SPDX-License-Identifier: GPL-2.0-or-later
"""Evidence of an active migration: it grows sample by sample, and is available at any moment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..errors import UsageError
from ..trace.events import Event
from ..trace.impossible import Impossible
from ..trace.model import SEVERAL, Trace, header_after, on_left_out, parted
from ..trace.sample import Sample
from ..trace.samples import Samples, SamplesWriter
from ..trace.succession import Succession, counts_of
from .evidence import Evidence
from .passes import Pass, passes


class GrowingEvidence:
    """Accepts samples and events as they arrive, in the order of their time; `header` is that of the trace.

    The cost of adding a sample does not depend on their number. The cost of `evidence` depends on the current pass and
    the number of passes, because finished passes are not processed again.
    """

    def __init__(self, header: Mapping[str, Any]) -> None:
        self._header = header
        self.begun = 1
        """How many migrations have begun."""
        self._succession = Succession[Sample]()
        self._number: int
        self._count: int
        self._in_order: bool
        self._begin([])

    def sample(self, row: Sample) -> None:
        """Add a sample.

        Another migration begins after the end of one, or where counters fell. Whether that was only one damaged sample,
        which is left out, shows with the next.
        """
        for one, begins in self._succession.take(row, row.status, counts_of(row)):
            if begins:
                earlier, events = parted(self._events, one.t_s)
                self._header = header_after(self._header, earlier)
                self.begun += 1
                self._begin(events)
            self._settle(one)

    def _settle(self, row: Sample) -> None:
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
        tail = self._succession.tail()
        if not self._count + len(tail):
            raise UsageError("holds no sample yet; add an answer to query-migrate first")
        samples = self._samples.followed_by(tail)
        left_out = [row.t_s for row in (*self._succession.left_out, *self._succession.stray())]
        notes = (*([SEVERAL] if self.begun > 1 else []), *on_left_out(left_out))
        open_ = samples[self._open_from :]
        doubt = self._impossible.after(open_).why
        evidence = Evidence.of_one(Trace(samples, tuple(self._events), self._header, notes, doubt=doubt))
        # In a completed one, the guest was stopped within what may have looked like a pass.
        if evidence.trace.completed or not self._in_order:
            return evidence
        return replace(evidence, ended_passes=tuple(self._ended), open_from=self._open_from)

    def _begin(self, events: list[Event]) -> None:
        self._samples = SamplesWriter()
        self._queued_bytes = Trace(Samples(), header=self._header).queued_bytes
        self._events = events
        self._ended: list[Pass] = []
        self._count = self._open_from = self._number = 0
        self._in_order = True
        self._impossible = Impossible()

    def _end_pass(self) -> None:
        open_ = self._samples.samples()[self._open_from :]
        self._ended += passes(open_, queued_bytes=self._queued_bytes, before=next(reversed(self._ended), None))
        self._impossible = self._impossible.after(open_)
        self._open_from = self._count
