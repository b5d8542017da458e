# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns the items of a text into rows of a trace, one migration after another for each guest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..trace.events import CAP_CHANGED, DIVISOR_CHANGED, HARNESS, LIMIT_CHANGED
from ..trace.figures import Column
from ..trace.model import GONE, SEVERAL
from ..trace.ram import LEEWAY
from ..trace.reading import Happening, Item, Reading, Remark, Setting, Version
from ..trace.sample import ENDED
from ..trace.samples import Floats
from .beginning import since_setup, stop_before_it
from .clock import Clock
from .counters import Counters
from .filling import Filled, filled
from .many import Many
from .rows import Begins, EventRow, Row, SampleRow, SampleRows

NO_JOB = "no migration runs where this was taken: it is over, or of another guest, or on another host"
_OVER = frozenset((*ENDED, "none"))
_CHANGES = {
    "downtime-limit": LIMIT_CHANGED,
    "max-bandwidth": CAP_CHANGED,
    "avail-switchover-bandwidth": DIVISOR_CHANGED,
}
"""The parameters whose changes in mid-text are events, with the events' names."""
_BAD_ENDS = frozenset(("failed", "cancelled"))


@dataclass
class Facts:
    """What is known about a guest and its QEMU."""

    qemu: Mapping[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    capabilities: dict[str, bool] | None = None
    remarks: list[str] = field(default_factory=list)
    migrates_not: bool = False
    """Whether that was all that was told at first."""

    def header(self) -> dict[str, Any]:
        """The header of a trace that begins now."""
        known = self.capabilities
        capabilities = {} if known is None else {"capabilities": [name for name, is_on in known.items() if is_on]}
        return {"qemu": self.qemu, "migrate-parameters": dict(self.parameters), **capabilities}


class Course:
    """Turns one guest's items into rows, in order; `header` is that of their migration."""

    def __init__(self, facts: "Facts | None" = None) -> None:
        self.facts = facts or Facts()
        self.header: dict[str, Any] = self.facts.header()
        self.has_samples = False
        self.clock = Clock()
        self._counters = Counters()
        self.alone: Filled | None = None
        """A reading that counts only if there is nothing else: of a cancelled earlier migration, or without RAM
        figures.
        """
        self._status = ""
        self._total_bytes = 0.0
        self._queue: list[Happening | Setting] = []
        self._remarks_before = self._remarks_read = 0
        """The number of remarks older than the migration, and older than its last reading."""

    def rows(self, item: Item) -> Iterator[Row]:
        """The rows of `item`; events wait for the reading that follows them.

        What was logged long before all that was read already is of an older migration, in a file given after the newer
        one.
        """
        if self.has_samples and isinstance(item, Reading | Happening | Setting) and self.clock.is_older(item.stamp):
            if isinstance(item, Reading) and not self.clock.is_late(item) and SEVERAL not in self.facts.remarks:
                self.facts.remarks.append(SEVERAL)
            return
        match item:
            case Reading():
                yield from self._reading(item)
            case Version():
                self.facts.qemu = item.qemu
            case Remark():
                if item.text not in self.facts.remarks:
                    self.facts.remarks.append(item.text)
            case Setting():
                self._setting(item)
            case Happening():
                self._queue.append(item)

    def at_once(self, many: Many) -> SampleRows | None:
        """The rows of many readings; None if they must be read one by one, in which case nothing has changed."""
        if not self.has_samples or self._queue or _OVER & {self._status, *many.statuses}:
            return None
        totals = many.table[Column.TOTAL]
        totals = totals[totals > 0]
        if not _is_one_size(np.append(totals, self._total_bytes or totals[:1])):
            return None
        if not self._counters.never_fall(many.table, many.rows[0].plain_reading()):
            return None
        times = self.clock.of_many(many.total_s, many.logged_s, many.last)
        if times is None:
            return None
        t_s, width_s = times
        self._total_bytes = float(totals[-1]) if len(totals) else self._total_bytes
        self._status = many.statuses[-1]
        self._counters.saw(many.last)
        return SampleRows(t_s, width_s * 1000, many)

    def rest(self) -> Iterator[Row]:
        """The rows of events that no reading followed; one of them may show that the migration is over."""
        status = _status_by(self._queue)
        yield from self._events(self.clock.last_s, np.inf)
        if status and self._status not in _OVER:
            yield SampleRow(self.clock.last_s, 0.0, filled(Reading({"status": status})))

    def _setting(self, setting: Setting) -> None:
        if setting.capabilities is not None:
            self.facts.capabilities = {**(self.facts.capabilities or {}), **setting.capabilities}
        known, parameters = self.facts.parameters, dict(setting.parameters)
        is_later = [name for name in _CHANGES if name in parameters and (setting.changed or name in known)]
        if self.has_samples and is_later:
            self._queue.append(replace(setting, parameters={name: parameters.pop(name) for name in is_later}))
            if not parameters:
                return
        known.update(parameters)
        if self.has_samples and not setting.changed:
            # What the text shows below the figures was in force when these were taken.
            self.header = self.facts.header()

    def _reading(self, reading: Reading) -> Iterator[Row]:
        reading = _without_time_of_its_end(reading)
        if self.clock.is_late(reading):
            return
        whole = filled(reading)
        status = str(whole.reading.answer.get("status"))
        goes_on = self.has_samples and self._status not in _OVER
        if _is_of_destination(reading, goes_on) or (status == "cancelled" and not self.has_samples):
            self.alone = whole
            return
        if status == "none" and not self.has_samples:
            self.facts.migrates_not = True
            return
        is_over = self._status in _OVER and status not in _OVER
        total_bytes = _total_bytes(whole.reading) or self._total_bytes
        is_another = not _is_one_size(np.array([total_bytes, self._total_bytes or total_bytes]))
        is_another = is_another or (status not in _OVER and self._counters.fall(reading))
        is_another = is_another or (self._status == status == "completed" and self._completed_anew(reading))
        is_another = is_another or {self._status, status} == _BAD_ENDS
        if self.has_samples and (self.clock.restarts(reading) or is_over or is_another):
            self._restart()
            yield Begins()
        if self._status in _OVER and (self._status in ENDED or status == "none"):
            return
        if status == "none":
            self.facts.remarks.append(GONE)
        before_s = self.clock.last_s if self.has_samples else -np.inf
        t_s, width_s = self.clock.of_reading(reading)
        if self._queue:
            yield from self._events(before_s, t_s, is_over=status in _OVER)
        if not self.has_samples:
            self.header = self.facts.header()
            self._remarks_before = len(self.facts.remarks)
        self.has_samples = True
        self._remarks_read = len(self.facts.remarks)
        self._status, self._total_bytes = status, total_bytes
        self._counters.saw(reading)
        yield SampleRow(t_s, width_s * 1000, whole)

    def _completed_anew(self, reading: Reading) -> bool:
        """Whether this shows the end of another migration than the end before: after it, no figure changes."""
        return self.clock.is_at_another_time(reading) and self._counters.differ(reading)

    def _restart(self) -> None:
        for entry in self._queue:
            if isinstance(entry, Setting):
                self.facts.parameters.update(entry.parameters)
        self._queue = []
        # Unless the migration is over, remarks between its last figures and the next ones may belong to either.
        end = self._remarks_read if self._status in _OVER else None
        del self.facts.remarks[self._remarks_before : end]
        self.clock, self.has_samples, self._status, self._total_bytes = Clock(), False, "", 0.0
        self._counters = Counters()

    def _events(self, before_s: float, after_s: float, *, is_over: bool = False) -> Iterator[Row]:
        queue, self._queue = self._queue, []
        last_s = max(0.0, before_s)
        if before_s == -np.inf:
            if (stop := stop_before_it(queue, is_over=is_over)) is not None:
                yield EventRow(last_s, stop.side, stop.message)
            queue = since_setup(queue)
        for one in queue:
            if isinstance(one, Setting):
                yield from self._change(one, last_s)
                continue
            t_s = self.clock.of_event(one, before_s, after_s)
            if t_s < 0 or not np.isfinite(t_s):
                continue
            last_s = max(last_s, t_s)
            yield EventRow(last_s, one.side, one.message)

    def _change(self, setting: Setting, last_s: float) -> Iterator[Row]:
        logged_s = self.clock.of_stamp(setting.stamp)
        for name, value in setting.parameters.items():
            if value == self.facts.parameters.get(name):
                continue
            self.facts.parameters[name] = value
            message = {"event": _CHANGES[name], "data": {name: value}}
            yield EventRow(max(last_s, logged_s or 0.0), HARNESS, message)


def _status_by(queue: Sequence[Happening | Setting]) -> str:
    """The status in the last of QEMU's events that no reading followed; '' if there is none."""
    last_status = ""
    for one in queue:
        if isinstance(one, Setting) or one.message.get("event") != "MIGRATION" or one.side != "source":
            continue
        data = one.message.get("data")
        status = str(data.get("status")) if isinstance(data, Mapping) else ""
        is_recorded = one.stamp is not None and one.stamp.from_begin
        status = "cancelled" if status == "cancelling" else status
        last_status = status if not is_recorded and (status in _OVER or status.startswith("postcopy")) else ""
    return last_status


def _without_time_of_its_end(reading: Reading) -> Reading:
    """The reading without a total time of 0, which QEMU shows of a migration that failed or was cancelled."""
    answer = reading.answer
    if str(answer.get("status")) not in _BAD_ENDS or answer.get("total-time") != 0:
        return reading
    return replace(reading, answer={name: value for name, value in answer.items() if name != "total-time"})


def _total_bytes(reading: Reading) -> float:
    """The size of the guest's RAM, 0 if not shown."""
    ram = reading.answer.get("ram")
    total = ram.get("total") if isinstance(ram, Mapping) else None
    return float(total) if isinstance(total, int | float) and total > 0 else 0.0


def _is_one_size(totals: Floats) -> bool:
    """Whether all of these may be the RAM size of one guest, which does not change during a migration."""
    return not len(totals) or bool(totals.max() <= totals.min() * LEEWAY)


def _is_of_destination(reading: Reading, goes_on: bool) -> bool:
    """Whether this is the answer of a destination QEMU: it migrates or waits, and shows nothing about its RAM.

    While a migration `goes_on`, no other migration of the same guest is set up. Only a destination has an address.
    """
    status = reading.answer.get("status")
    is_told = status == "active" or (status == "setup" and (goes_on or "socket-address" in reading.answer))
    return is_told and not reading.answer.keys() & {"ram", "disk", "expected-downtime"}


class Courses:
    """The courses of all guests in a text, by their names in it. `last_guest` is the one whose figures came last."""

    def __init__(self, parameters: Mapping[str, Any] | None = None) -> None:
        self._shared = Facts(parameters=dict(parameters or {}))
        self._of: dict[str, Course] = {}
        self.last_guest = ""

    def __getitem__(self, of: str) -> Course:
        if of not in self._of:
            facts = self._shared
            self._of[of] = Course(Facts(facts.qemu, dict(facts.parameters), facts.capabilities, list(facts.remarks)))
        return self._of[of]

    def alone(self) -> Iterator[tuple[str, Row]]:
        """A row for each guest that has only a reading that counts if there is nothing else."""
        for of, course in self._of.items():
            if course.alone is not None and not course.has_samples:
                yield of, SampleRow(0.0, 0.0, course.alone)

    @property
    def remarks(self) -> Sequence[str]:
        """All remarks."""
        every = [self._shared, *(course.facts for course in self._of.values())]
        return list(dict.fromkeys(text for facts in every for text in facts.remarks))

    @property
    def in_vain(self) -> Sequence[str]:
        """The same of a text that tells of no migration, and why."""
        migrates_not = any(course.facts.migrates_not for course in self._of.values())
        return [*([NO_JOB] if migrates_not else []), *self.remarks]

    def rows_of(self, item: Item | Many) -> Iterator[tuple[str, Row | SampleRows]]:
        """The same for an item that may be many readings."""
        if not isinstance(item, Many):
            yield from self.rows(item)
        elif (rows := self[item.of].at_once(item)) is not None:
            self.last_guest = item.of
            yield item.of, rows
        else:
            for reading in item.readings():
                yield from self.rows(reading)

    def rows(self, item: Item) -> Iterator[tuple[str, Row]]:
        """The rows of `item`, each with its guest; an item without a guest counts for all."""
        if isinstance(item, Reading):
            self.last_guest = item.of
        elif not item.of and not isinstance(item, Happening):
            for _ in Course(self._shared).rows(item):
                pass
        of_all = not item.of and not isinstance(item, Reading)
        guests = [*self._of] if of_all and (self._of or not isinstance(item, Happening)) else [item.of]
        for of in guests:
            for row in self[of].rows(item):
                yield of, row
