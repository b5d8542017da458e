# SPDX-License-Identifier: GPL-2.0-or-later
"""Did vCPUs wait for pages in postcopy as long as QEMU says? They certainly waited no longer than they slept."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..basics.interval import Interval
from ..basics.printable import quoted
from ..errors import UsageError
from ..oracle.evidence import Evidence
from ..trace.events import AWAKE, BROKEN, HARNESS, Event
from ..trace.events import BLOCKTIME as TOLD
from ..trace.ram import number, optional_number
from ..trace.samples import Floats
from .check import Check, Outcome
from .codes import BLOCKTIME, CODES

ALL, EACH = "postcopy-blocktime", "postcopy-vcpu-blocktime"
"""QEMU's names for how long all vCPUs waited at the same time, and each of them, in milliseconds."""
TICK_S = 0.01
"""The kernel may update a running thread's CPU time this late: one tick, of the longest kind."""
ROUNDED_MS = 2.0
"""Times the square root of the number of waits: before 10.1 QEMU measures each wait between times truncated to whole
milliseconds, which adds or removes 0.4 ms.
"""
LEAVES_OUT = "QEMU counts a wait that begins while the channel is broken only from the recovery"
"""The thread that notices such waits is paused meanwhile (migration/postcopy-ram.c: postcopy_ram_fault_thread)."""
_QUEUED = "others_queued_s"
_OUTCOMES = {
    "as-waited": Outcome.PASSED,
    "more-than-waited": Outcome.FAILED,
    "less-than-waited": Outcome.FAILED,
}


@dataclass(frozen=True)
class Wait:
    """How long `who` waited for pages: `told_ms` according to QEMU, `can_ms` the possible interval."""

    who: str
    told_ms: float
    can_ms: Interval

    def __str__(self) -> str:
        """Both, for people."""
        return f"{self.who} waited {self.told_ms:.0f} ms, expected {self.can_ms.low:.0f} to {self.can_ms.high:.0f} ms"


@dataclass(frozen=True)
class BlocktimeFinding:
    """Whether vCPUs waited for pages as long as QEMU says, by a `code` of the check.

    `waits` has the wait of all vCPUs at the same time, then each vCPU's. `postcopy_ms` is the time from when the guest
    continued until the destination had all of it.
    """

    code: str
    waits: tuple[Wait, ...] = ()
    postcopy_ms: float | None = None

    @property
    def check(self) -> Check:
        """The check that they waited that long."""
        return Check(BLOCKTIME, _OUTCOMES.get(self.code, Outcome.NOT_JUDGED), self.code, self.sentence)

    @property
    def sentence(self) -> str:
        """The finding, for people; empty if it is as it should be."""
        if self.code == "as-waited":
            return ""
        if not self.waits:
            return CODES[BLOCKTIME][self.code]
        wrong = [wait for wait in self.waits if not wait.can_ms.low <= wait.told_ms <= wait.can_ms.high]
        why = f"; {LEAVES_OUT}" if self.code == "without-the-break" else ""
        return f"according to QEMU, in postcopy {'; '.join(map(str, wrong))}{why}"


@dataclass(frozen=True, eq=False)
class _Looks:
    """Looks at the vCPUs, each between `from_s` and `to_s` of the real-time clock.

    For each vCPU they have how long it was awake until then, and whether it waited for a page.
    """

    from_s: Floats
    to_s: Floats
    vcpus_s: Floats
    waiting: NDArray[np.bool_]
    others_queued_s: Floats

    def waited_s(self, vcpu: int, begin_s: float, end_s: float) -> Interval:
        """How long a vCPU can have waited between these times, as far as other threads can have noticed it.

        It certainly waited if two looks in a row saw it waiting and it was not awake in between. It did not wait while
        it was awake.
        """
        awake_s, elapsed_s = self.vcpus_s[:, vcpu], end_s - begin_s
        within = np.flatnonzero((self.from_s >= begin_s) & (self.to_s <= end_s))
        late_s = float(self.others_queued_s[-1] - self.others_queued_s[0])
        if len(within) < 2:
            return Interval(0.0, elapsed_s)
        busy_s = float(awake_s[within[-1]] - awake_s[within[0]]) - TICK_S
        most_s = min(elapsed_s, elapsed_s - busy_s + late_s)
        stuck = self.waiting[within, vcpu] & (np.diff(awake_s[within], append=np.nan) == 0)
        stuck[:-1] &= self.waiting[within[1:], vcpu]
        seen_s = float(np.sum((self.from_s[within[1:]] - self.to_s[within[:-1]])[stuck[:-1]]))
        return Interval(min(max(0.0, seen_s - late_s), most_s), most_s)


def judge_blocktime(evidence: Evidence) -> BlocktimeFinding | None:
    """Compare how long vCPUs waited according to QEMU with how long they slept; None if nobody asked.

    A vCPU that waits for a page sleeps. So its wait is at most the time that the guest ran until all pages were there,
    minus the time that this vCPU was awake. Other threads may notice a wait late; how long they were due to run and did
    not is known. Raises UsageError if an event of the harness is malformed.
    """
    trace = evidence.trace
    report = trace.first_event(HARNESS, TOLD)
    if report is None:
        return None
    if ALL not in report.data:
        return BlocktimeFinding("not-told")
    resume, ready = trace.first_event("destination", "RESUME"), _ready(evidence)
    looks = _looks(evidence)
    each = _numbers(report, EACH)
    if ready is None or ready.stamp_s is None or looks is None or looks.vcpus_s.shape[1] != len(each):
        return BlocktimeFinding("not-seen")
    if resume is None or resume.stamp_s is None or resume.stamp_s >= ready.stamp_s:
        return BlocktimeFinding("held")
    begin_s, end_s = resume.stamp_s, ready.stamp_s
    rounded_ms = 1 + ROUNDED_MS * (optional_number(report.data, "requests") or 0) ** 0.5
    can = [looks.waited_s(vcpu, begin_s, end_s).scaled(1000) for vcpu in range(len(each))]
    can = [Interval(max(0.0, one.low - rounded_ms), one.high + rounded_ms) for one in can]
    waits = [Wait(f"vCPU {vcpu}", ms, it) for vcpu, (ms, it) in enumerate(zip(each, can, strict=True))]
    # All at the same time is no longer than any vCPU alone.
    shortest = Interval(can[0].low if len(can) == 1 else 0.0, min(one.high for one in can))
    waits.insert(0, Wait("all vCPUs", number(report.data, ALL), shortest))
    is_cut = trace.first_event(HARNESS, BROKEN) is not None
    return BlocktimeFinding(_code(waits, is_cut), tuple(waits), (end_s - begin_s) * 1000)


def _code(waits: Sequence[Wait], is_cut: bool) -> str:
    if any(wait.told_ms > wait.can_ms.high for wait in waits):
        return "more-than-waited"
    if all(wait.told_ms >= wait.can_ms.low for wait in waits):
        return "as-waited"
    return "without-the-break" if is_cut else "less-than-waited"


def _ready(evidence: Evidence) -> Event | None:
    """The event that the destination has all of the guest."""
    return evidence.trace.first_event("destination", "MIGRATION", status="completed")


def _looks(evidence: Evidence) -> _Looks | None:
    events = [event for event in evidence.trace.events if (event.side, event.name) == (HARNESS, AWAKE)]
    rows = [_numbers(event, "vcpus_s") for event in events]
    if not rows or len({len(row) for row in rows}) != 1:
        return None
    waiting = np.array([[vcpu in _numbers(event, "waiting") for vcpu in range(len(rows[0]))] for event in events])
    one = {name: np.array([number(event.data, name) for event in events]) for name in ("from_s", "to_s", _QUEUED)}
    return _Looks(one["from_s"], one["to_s"], np.array(rows), waiting, one[_QUEUED])


def _numbers(event: Event, name: str) -> list[float]:
    """The numbers of a list in an event of the harness; raises UsageError if it is no such list."""
    values = event.data.get(name)
    if not isinstance(values, list) or not all(isinstance(value, int | float) for value in values):
        raise UsageError(f"{name!r} of the event {event.name} is {quoted(values)} where a list of numbers was expected")
    return [float(value) for value in values]
