# SPDX-License-Identifier: GPL-2.0-or-later
"""How long the guest was down, according to each source, and whether its memory arrived, from a whole trace."""

from dataclasses import dataclass
from math import inf
from typing import Any

from ..basics.interval import Interval
from ..basics.printable import quoted
from ..errors import UsageError
from ..oracle.evidence import Evidence
from ..oracle.stalls import stalled_ms
from ..trace.events import CLOCK, HARNESS, HEARTBEAT, INTEGRITY, Event
from ..trace.model import Trace
from ..trace.ram import number, optional_number
from .check import Check, Outcome
from .codes import GUEST, MEMORY

APART_MS, APART_SHARE = 50.0, 0.25
"""The guest's view and QEMU's differ noticeably if both of these are exceeded."""


_TCG_FORGETS = 9
"""From this release on, TCG forgets at a sync which pages it knows to be dirty."""
HALF_SENT = "under TCG, QEMU before 9.0 loses what is written to a page after a sync in mid-write (03bfc2188f06)"


@dataclass(frozen=True)
class Integrity:
    """How the `pages` of the dirtied region arrived; `faults` are sentences about the first of the `damaged_pages`.

    `half_sent` counts the pages that begin with the guest's last write to them and end with the one before.
    """

    pages: int
    damaged_pages: int = 0
    faults: tuple[str, ...] = ()
    half_sent: int = 0

    @property
    def intact(self) -> bool:
        """Whether every page is what the guest wrote last."""
        return not self.damaged_pages

    @property
    def check(self) -> Check:
        """The check that the guest's memory arrived intact."""
        if self.intact:
            return Check(MEMORY, Outcome.PASSED, "intact", str(self))
        if self.half_sent == self.damaged_pages:
            return Check(MEMORY, Outcome.UNDECIDED, "half-sent", f"{HALF_SENT}: {self}; run it again on an idle host")
        return Check(MEMORY, Outcome.FAILED, "damaged", f"the guest's memory is damaged: {self}")

    def __str__(self) -> str:
        """The finding as a sentence."""
        if self.intact:
            return f"each of {self.pages} pages is what the guest wrote last"
        return f"{self.damaged_pages} of {self.pages} pages are not what the guest wrote last: {'; '.join(self.faults)}"


@dataclass(frozen=True)
class Downtime:
    """Milliseconds for which the guest was down.

    `qemu_ms` is the source's figure, from before its stop until all is sent (migration/migration.c:
    migration_completion). `events_ms` goes from STOP of the source to RESUME of the destination by their time stamps.
    If these come from two hosts, it is uncertain by ±`events_open_ms`, because of their clocks. `guest_ms` goes from
    the last heartbeat at the source to the first at the destination, on the host's clock; a beat is only seen to lie
    between two looks. The last two exclude `held_ms`, for which the harness held a destination that was ready.
    `silent_s` is how long the harness waited in vain for a guest that did not continue. `stalled_ms` is for how long
    the host may have kept QEMU from running while the guest was down.
    """

    qemu_ms: float | None = None
    events_ms: float | None = None
    events_open_ms: float = 0.0
    guest_ms: Interval | None = None
    held_ms: float = 0.0
    silent_s: float | None = None
    stalled_ms: float = 0.0

    @property
    def check(self) -> Check:
        """The check that the guest continued at the destination."""
        if self.silent_s is not None:
            return Check(GUEST, Outcome.FAILED, "silent", self.remark)
        return Check(GUEST, Outcome.PASSED, "went-on")

    @property
    def remark(self) -> str:
        """What is remarkable about the three figures; else an empty text."""
        if self.silent_s is not None:
            return f"the guest did not continue at the destination: no heartbeat within {self.silent_s:g} s"
        if self.qemu_ms is None or self.guest_ms is None:
            return ""
        beyond_ms = max(self.guest_ms.low - self.qemu_ms, self.qemu_ms - self.guest_ms.high)
        if beyond_ms < APART_MS or beyond_ms < APART_SHARE * self.qemu_ms:
            return ""
        more = "longer" if self.guest_ms.low > self.qemu_ms else "shorter"
        return f"the guest was down {beyond_ms:.0f} ms {more} than QEMU reports ({self.qemu_ms:.0f} ms)"


def downtime(evidence: Evidence) -> Downtime | None:
    """The downtimes of a completed migration; None if it did not complete.

    Raises UsageError if an event of the harness is malformed.
    """
    trace = evidence.trace
    if not trace.completed:
        return None
    stop, resume = trace.switchover_stop, trace.first_event("destination", "RESUME")
    ready = trace.first_event("destination", "MIGRATION", status="completed")
    between_ms = apart_ms(trace, ready, resume)
    held_ms = max(0.0, between_ms.low) if between_ms else 0.0
    all_ms = apart_ms(trace, stop, resume)
    last, first = (trace.first_event(HARNESS, HEARTBEAT, side=side) for side in ("source", "destination"))
    silent = first is not None and "silent_s" in first.data
    qemu_ms, end_s = trace.samples[-1].downtime_ms, float(trace.samples.answered_s[-1])
    return Downtime(
        qemu_ms=qemu_ms,
        events_ms=None if all_ms is None else all_ms.middle - held_ms,
        events_open_ms=all_ms.width / 2 if all_ms else 0.0,
        guest_ms=None if last is None or first is None or silent else _gap_ms(last, first, held_ms),
        held_ms=held_ms,
        silent_s=number(first.data, "silent_s") if first is not None and silent else None,
        stalled_ms=stalled_ms(trace, end_s - (qemu_ms or 0.0) / 1000, end_s),
    )


def integrity(evidence: Evidence) -> Integrity | None:
    """The harness's comparison of the destination's RAM with what the guest wrote, if it made one.

    Raises UsageError if the harness's event is malformed.
    """
    event = evidence.trace.first_event(HARNESS, INTEGRITY)
    if event is None:
        return None
    faults = event.data.get("faults")
    if not isinstance(faults, list) or not all(isinstance(fault, str) for fault in faults):
        raise UsageError(f"'faults' of the event {INTEGRITY} is {quoted(faults)} where a list of texts was expected")
    half_sent = int(optional_number(event.data, "half_sent") or 0) if _loses_writes(evidence) else 0
    return Integrity(
        int(number(event.data, "pages")), int(number(event.data, "damaged_pages")), tuple(faults), half_sent
    )


def _loses_writes(evidence: Evidence) -> bool:
    """Whether this QEMU is known to miss writes to a page whose translation stays cached.

    Commit 03bfc2188f06 of QEMU 9.0: until then a sync did not make the vCPUs of TCG drop their cached translations. If
    a guest is halted in the middle of a write to a page, at a sync and until the page is sent, the rest of that write
    is lost.
    """
    release = evidence.release
    return evidence.trace.header.get("accelerator") == "tcg" and release is not None and release.major < _TCG_FORGETS


def apart_ms(trace: Trace, earlier: Event | None, later: Event | None) -> Interval | None:
    """The time between two events by their time stamps; None if one has none, or their clocks cannot be compared.

    Raises UsageError if an event of the harness is malformed.
    """
    if earlier is None or later is None or earlier.stamp_s is None or later.stamp_s is None:
        return None
    ahead = Interval(0.0, 0.0)
    for event, sign in ((later, 1), (earlier, -1)):
        if earlier.side == later.side or (clock := trace.first_event(HARNESS, CLOCK, side=event.side)) is None:
            continue
        if clock.data.get("ahead_s") is None:
            return None
        its = _ahead_s(clock.data["ahead_s"])
        low, high = (its.low, its.high) if sign > 0 else (-its.high, -its.low)
        ahead = Interval(ahead.low + low, ahead.high + high)
    between_s = later.stamp_s - earlier.stamp_s
    return Interval((between_s - ahead.high) * 1000, (between_s - ahead.low) * 1000)


def _ahead_s(data: Any) -> Interval:
    numbers = [each for each in data if isinstance(each, int | float)] if isinstance(data, list) else []
    if len(numbers) != 2 or len(data) != 2 or not -inf < numbers[0] <= numbers[1] < inf:
        raise UsageError(
            f"'ahead_s' of the event {CLOCK} is {quoted(data)} where a least and a greatest time were expected"
        )
    return Interval(*numbers)


def _gap_ms(last: Event, first: Event, held_ms: float) -> Interval:
    """The time between two beats; each came after `after_s` and no later than `by_s`."""
    low_s = number(first.data, "after_s") - number(last.data, "by_s")
    high_s = number(first.data, "by_s") - number(last.data, "after_s")
    return Interval(max(0.0, low_s * 1000 - held_ms), max(0.0, high_s * 1000 - held_ms))
