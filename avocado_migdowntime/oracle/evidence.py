# SPDX-License-Identifier: GPL-2.0-or-later
"""What a trace shows, computed once and passed to everything that judges, advises, draws or counts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Union

import numpy as np

from ..basics.lazy_sequence import MANY, LazySequence
from ..trace.events import BANDWIDTH, DISTURBS, DIVISOR_CHANGED, FINISH, FIRST_PASS, HARNESS, LIMIT_CHANGED, Event
from ..trace.impossible import why_impossible
from ..trace.model import FROM_A_PIPE, LIMITS_LOGGED, Trace
from ..trace.sample import ENDED
from ..trace.samples import Samples
from .caps import Cap, CapUse, most_used
from .devices import Devices, devices, with_devices
from .limits import Limits
from .other_pages import NOTHING_KNOWN, Others
from .passes import Pass, passes, that_found_something
from .releases import Release, release_of
from .syncs import Sync, others_after, syncs
from .throttle import longest_pass_s
from .windows import Sending, sending


@dataclass(frozen=True, eq=False)
class Evidence:
    """One migration: the `samples` of it that count here, the limit at each moment, its passes and its dirty syncs.

    `trace` is the whole migration, with its events and its header; `samples` may be a part of it. From `stopped_s` on
    the source's guest was stopped to complete the migration (infinite if not shown): later answers belong to no pass.
    `ended_passes` are already known; they consist of samples before the one at `open_from`. `others` is what earlier
    samples show.
    """

    trace: Trace
    samples: Samples
    limits: Limits
    stopped_s: float
    ended_passes: tuple[Pass, ...] = ()
    open_from: int = 0
    others: Others = NOTHING_KNOWN

    @classmethod
    def of(cls, recorded: Union[Trace, "Evidence"]) -> "Evidence":
        """The evidence of the last migration in a trace; evidence is returned unchanged.

        Raises UsageError if the header or an event is malformed.
        """
        if isinstance(recorded, Evidence):
            return recorded
        trace = recorded.last_migration()
        if not trace.readings:
            trace = replace(trace, doubt=why_impossible(trace.samples, from_begin=False))
        return cls.of_one(trace)

    @classmethod
    def of_one(cls, trace: Trace) -> "Evidence":
        """The evidence of a trace that holds one migration and says whether its figures are in doubt."""
        # A text may show a limit without showing whether somebody changed it before or after.
        limits = Limits() if trace.is_bare_text else Limits.of(trace)
        others = Others(trace.host_page_bytes, trace.ram_bytes)
        return cls(trace, trace.samples, limits, trace.switchover_s, others=others)

    @cached_property
    def passes(self) -> Sequence[Pass]:
        """The passes, in order."""
        stopped_s = min(self.stopped_s, self.trace.stopped_at_the_end_s)
        before = next(reversed(self.ended_passes), None)
        open_ = passes(self.samples[self.open_from :], stopped_s, self.trace.queued_bytes, before)
        return that_found_something([*self.ended_passes, *open_] if self.ended_passes else open_)

    @cached_property
    def syncs(self) -> Sequence[Sync]:
        """The dirty syncs seen from both sides, each with the limit that held then."""
        return self.syncs_between(self.passes, self.others)

    def syncs_between(self, passes: Sequence[Pass], others: Others) -> Sequence[Sync]:
        """The same for some of the passes; `others` is what the passes before them show."""
        of_ram, devices = self._syncs_of_ram(passes, others), self.devices
        if devices is None:
            return of_ram
        if len(of_ram) > MANY:
            return LazySequence(len(of_ram), lambda rows: [with_devices(of_ram[row], devices) for row in rows])
        return [with_devices(sync, devices) for sync in of_ram]

    @cached_property
    def devices(self) -> Devices | None:
        """What devices have to send; None if QEMU does not report it, as up to 11.0."""
        if np.all(np.isnan(self.samples.pending_bytes)):
            return None
        return devices(self.passes, self._syncs_of_ram(self.passes, self.others))

    def _syncs_of_ram(self, passes: Sequence[Pass], others: Others) -> Sequence[Sync]:
        trace = self.trace
        divisor = trace.switchover_bytes_per_ms
        return syncs(passes, self.limits, divisor, others, trace.most_host_pages, longest_pass_s(trace))

    @cached_property
    def sending(self) -> Sending | None:
        """QEMU's bandwidth compared with what it sent; None if too little of that was seen.

        What is sent without a max-bandwidth, once the harness lets a migration complete, is too little for that; and
        the times in a text may be truncated.
        """
        if self.trace.readings:
            return None
        finish = self.trace.first_event(HARNESS, FINISH)
        return sending(self.samples, min(self.stopped_s, finish.since_s if finish else np.inf))

    @cached_property
    def at_sent_bandwidth(self) -> "Evidence":
        """The same with the bandwidth at which QEMU really sent, if QEMU's own is certainly wrong."""
        if self.sending is None:
            return self
        off, likely, samples = self.sending.error, self.sending.likely_error, self.trace.samples
        mbps = samples.mbps / (1 + likely)
        either = max((1 + likely) / (1 + off.low) - 1, 1 - (1 + likely) / (1 + off.high), 0.0)
        open_mbps = samples.open_mbps + mbps * either
        return Evidence.of(replace(self.trace, samples=samples.with_bandwidth(mbps, open_mbps)))

    @cached_property
    def without_odd(self) -> "Evidence":
        """The same without the samples at the one place where QEMU's bandwidth and what it sent differ, if there is
        one.
        """
        odd = self.sending.odd if self.sending else None
        if odd is None:
            return self
        samples = self.trace.samples
        fits = (samples.answered_s < odd.low) | (samples.t_s > odd.high)
        return Evidence.of(replace(self.trace, samples=samples.take(np.flatnonzero(fits))))

    @cached_property
    def most_of_cap(self) -> CapUse | None:
        """The span that used the largest share of max-bandwidth while the guest ran; None if no limit held."""
        return most_used(self.trace, self.samples, self.stopped_s)

    @cached_property
    def last_cap(self) -> Cap:
        """The max-bandwidth in force at the end, or that somebody set after it; in a text, that may be below its last
        figures.
        """
        trace = self.trace
        return Cap.at(trace, float(self.samples.t_s[-1]), np.inf if trace.readings else float(trace.samples.t_s[-1]))

    @property
    def is_held_back(self) -> bool:
        """Whether the harness still held back the first pass at the end, by a bandwidth that is not to be judged."""
        end_s = float(self.samples.t_s[-1])
        changes = [e for e in self.trace.events if (e.side, e.name) == (HARNESS, FIRST_PASS) and e.since_s <= end_s]
        return len(changes) % 2 == 1

    @cached_property
    def disturbed_s(self) -> float:
        """When the harness first changed the migration; infinite if it never did."""
        return min((e.since_s for e in self.trace.events if e.side == HARNESS and e.name in DISTURBS), default=np.inf)

    @cached_property
    def divisor_changed_s(self) -> float:
        """When somebody first set another avail-switchover-bandwidth than the header's; infinite if nobody did."""
        change = self.trace.first_event(HARNESS, DIVISOR_CHANGED)
        return change.since_s if change is not None else np.inf

    @cached_property
    def undisturbed(self) -> "Evidence":
        """The migration until the harness first changed something; all of it if that was after the switchover."""
        change = next((e for e in self.trace.events if e.side == HARNESS and e.name in DISTURBS), None)
        if change is None or self.stopped_s < change.since_s:
            return self
        return self._part(0, max(self.samples_before(change), 1), self.limits)

    def samples_before(self, change: Event) -> int:
        """The number of samples before something was changed.

        If somebody else changed it, that was after the sample that is the last one before it.
        """
        side: Literal["left", "right"] = "right" if change.name in (LIMIT_CHANGED, DIVISOR_CHANGED) else "left"
        return int(np.searchsorted(self.samples.t_s, change.since_s, side))

    @cached_property
    def is_changed_from_the_start(self) -> bool:
        """Whether no sample was taken before the harness, or somebody else, first changed something."""
        changes = (e for e in self.trace.events if e.side == HARNESS and e.name in DISTURBS)
        return any(not self.samples_before(change) for change in changes)

    @property
    def until_its_last_look(self) -> "Evidence":
        """The migration until its last answer that shows what is left now: all of it, unless the harness changed more
        than somebody else's limit, or unless it came to an end.
        """
        by_harness = (e for e in self.trace.events if e.side == HARNESS and e.name in DISTURBS)
        is_as_it_was = all(event.name == LIMIT_CHANGED for event in by_harness)
        return self if is_as_it_was or self.came_to_an_end else self.undisturbed

    @cached_property
    def latest(self) -> "Evidence":
        """What shows best what the guest does now: the part since somebody last set a limit, from the next pass on; or
        the part before, if no sync was seen since.

        It is the `undisturbed` one if nobody set a limit, the harness changed more, or the migration came to an end.
        """
        if self.until_its_last_look is not self:
            return self.undisturbed
        end = len(self.samples)
        for change in reversed([event for event in self.trace.events if event.name == LIMIT_CHANGED]):
            begin = self.samples_before(change)
            numbers = self.samples.dirty_sync_count[:end]
            later = np.flatnonzero(numbers > np.nanmax(numbers[:begin], initial=0))
            part = self._part(int(later[0]), end, self.limits) if len(later) else None
            if part is not None and part.syncs:
                return part
            end = begin
        return self.undisturbed

    @cached_property
    def under_another_bandwidth(self) -> Samples:
        """The samples from when the harness changed the bandwidth until it next interfered; empty if it never did."""
        change = self.trace.first_event(HARNESS, BANDWIDTH)
        if change is None:
            return Samples()
        disturbed = [e.since_s for e in self.trace.events if e.side == HARNESS and e.name in DISTURBS]
        end_s = min([self.stopped_s, *(t_s for t_s in disturbed if t_s > change.t_s)])
        inside = (self.samples.t_s > change.t_s) & (self.samples.answered_s < end_s)
        return self.samples.take(np.flatnonzero(inside))

    def while_held(self, limit_ms: float, begin_s: float, until_s: float) -> "Evidence":
        """The part of the migration from `begin_s` to `until_s`, during which that limit held."""
        begin, end = np.searchsorted(self.samples.t_s, (begin_s, until_s))
        part = self._part(int(begin), int(end), Limits(((-np.inf, limit_ms),)))
        ended = (sync for sync in self.syncs if sync.after.begin_s <= begin_s)
        return replace(part, others=others_after(self.others, ended))

    def _part(self, begin: int, end: int, limits: Limits) -> "Evidence":
        return replace(self, samples=self.samples[begin:end], limits=limits, ended_passes=(), open_from=0)

    @property
    def limit_ms(self) -> float | None:
        """The downtime-limit in force at the beginning, if known."""
        return self.limits.at(float(self.samples.t_s[0]))

    @property
    def last_limit_ms(self) -> float | None:
        """The downtime-limit in force at the end, or when the source stopped the guest, if known."""
        return self.limits.at(min(float(self.samples.t_s[-1]), self.stopped_s))

    @property
    def set_limit_ms(self) -> float | None:
        """The downtime-limit that somebody set last, by the last sample or in a log after it; or else the configured
        one.
        """
        header = self.trace.header
        is_logged = LIMITS_LOGGED in header or header.get("recorded") == FROM_A_PIPE
        end_s = np.inf if is_logged else float(self.trace.samples.t_s[-1])
        changes = (event for event in self.trace.events if event.name == LIMIT_CHANGED and event.since_s <= end_s)
        known = [event.limit_ms for event in changes if event.limit_ms is not None]
        return known[-1] if known else self.trace.downtime_limit_ms

    @property
    def failure(self) -> str:
        """That the migration failed or was cancelled, if it did; else ''."""
        return {"failed": "the migration failed", "cancelled": "the migration was cancelled"}.get(self.status, "")

    @property
    def came_to_an_end(self) -> bool:
        """Whether nothing can follow: the whole migration ended, or postcopy took over."""
        last = self.trace.samples[-1].status
        return last in ENDED or last.startswith("postcopy")

    @property
    def status(self) -> str:
        """The migration's last status."""
        return self.samples[-1].status

    @cached_property
    def release(self) -> Release | None:
        """The release of QEMU that was judged, if the header names it."""
        return release_of(self.trace.header)
