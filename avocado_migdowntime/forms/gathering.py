# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds one trace from the items of a whole text: the last migration of the guest that was shown last."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from ..trace.events import Event, event_of
from ..trace.impossible import why_impossible
from ..trace.model import LIMITS_LOGGED, SEVERAL, Trace, checked_header
from ..trace.ram import note_on
from ..trace.reading import Item, Reading, is_without_passes
from ..trace.sample import ENDED
from ..trace.samples import SamplesWriter
from .clock import SET_BACK_S
from .course import Courses
from .form import ANOTHER
from .many import Many, OneOfMany
from .reader import Reader
from .refusal import in_another_language, lacking, nothing_told, table_of_other_units, too_little
from .rows import Begins, EventRow, Row, SampleRows

MANY = 1000
"""A trace keeps the readings of this many samples, the last ones."""
_WITHOUT_WHAT_IS_LEFT = "the last figures do not show what is left, so those before them are judged"


@dataclass
class _Migration:
    """The rows of one guest's last migration, as they come."""

    samples: SamplesWriter = field(default_factory=SamplesWriter)
    events: list[Event] = field(default_factory=list)
    last_readings: deque[Reading | OneOfMany] = field(default_factory=lambda: deque(maxlen=MANY))
    lacks: tuple[str, ...] = ()
    lacked: deque[tuple[str, ...]] = field(default_factory=lambda: deque(maxlen=2))
    """The same of each of the last two readings."""

    def readings(self) -> tuple[Reading, ...]:
        """The last readings."""
        return tuple(one if isinstance(one, Reading) else one.reading() for one in self.last_readings)

    def add(self, row: Row | SampleRows) -> None:
        """Add one row, or many."""
        if isinstance(row, SampleRows):
            many = row.many
            self.samples.extend(row.t_s, row.latency_ms, many.statuses, many.table)
            self.last_readings.extend(many.rows[-MANY:])
            self.lacks = many.lacks
            self.lacked.extend([many.lacks] * min(2, len(many.rows)))
        elif isinstance(row, EventRow):
            self.events.append(event_of(row.t_s, row.side, row.message))
        elif not isinstance(row, Begins):
            reading = row.filled.reading
            self.samples.append_answer(row.t_s, row.latency_ms, row.filled.figures)
            self.last_readings.append(reading)
            if "ram" in reading.answer:
                self.lacks = row.filled.lacks
            self.lacked.append(row.filled.lacks if "ram" in reading.answer else ("ram.remaining",))

    def drop_end_without_what_is_left(self) -> bool:
        """Drop the last reading if it lacks what is left and the one before has it; return whether that was so."""
        if len(self.lacked) < 2:
            return False
        before, last = self.lacked
        if "ram.remaining" not in last or "ram.remaining" in before:
            return False
        self.last_readings.pop()
        self.lacks = before
        return True


def trace_of(items: Iterable[Item | Many], reader: Reader, notes: Sequence[str] = ()) -> Trace:
    """The trace of the items of a text; `reader` reads the text.

    Raises UsageError, which names what was recognised, if the items show no migration, or too little of one.
    """
    courses, migrations, several = Courses(), dict[str, _Migration](), set[str]()
    for item in items:
        for of, row in courses.rows_of(item):
            if isinstance(row, Begins):
                several.add(of)
                migrations[of] = _Migration()
            migrations.setdefault(of, _Migration()).add(row)
    if not any(one.last_readings for one in migrations.values()):
        for of, row in courses.alone():
            migrations.setdefault(of, _Migration()).add(row)
    with_readings = {of: one for of, one in migrations.items() if one.last_readings}
    if wrong := table_of_other_units(reader):
        raise wrong
    if not with_readings:
        raise nothing_told(reader, courses.in_vain)
    of = courses.last_guest if courses.last_guest in with_readings else next(reversed(with_readings))
    logged_s = {one: courses[one].clock.last_logged_s for one in with_readings}
    newest = max(logged_s, key=lambda one: logged_s[one])
    if isfinite(logged_s[of]) and logged_s[newest] > logged_s[of] + SET_BACK_S:
        of = newest  # The older of two files came last.
    migration, course = with_readings[of], courses[of]
    for row in course.rest():
        migration.add(row)
    last = migration.readings()[-1]
    status = str(last.answer.get("status"))
    goes_on = status not in (*ENDED, "none") and not status.startswith("postcopy")
    lacks_what_is_left = status == "active" and migration.drop_end_without_what_is_left()
    readings = migration.readings()
    last = readings[-1]
    if goes_on and "ram" not in last.answer:
        raise too_little(reader, status, course.facts.remarks)
    if goes_on and "ram.remaining" in migration.lacks and (refused := in_another_language(reader)):
        raise refused
    remarks = [SEVERAL] if of in several else []
    if len(with_readings) > 1:
        remarks.append(_of_several(with_readings, of, any(form.OF_MIGRATIONS for form in reader.forms)))
    if why := last.answer.get("error-desc"):
        remarks.append(f"the reason shown: {why}")
    remarks += dict.fromkeys(filter(None, (note_on(one.answer.get("ram")) for one in readings)))
    if contradiction := course.clock.contradiction:
        remarks.append(contradiction)
    samples = migration.samples.samples()[: -1 if lacks_what_is_left else None]
    if lacks_what_is_left:
        remarks.append(_WITHOUT_WHAT_IS_LEFT)
    header = {**course.header, **({LIMITS_LOGGED: True} if any(form.LOGS_LIMITS for form in reader.forms) else {})}
    if len(samples) > 1 and not course.clock.has_times:
        remarks.append(f"{course.clock.untimed} no time, so only the last one is judged")
    return Trace(
        samples=samples,
        events=tuple(sorted(migration.events, key=lambda event: event.t_s)),
        header=checked_header(header),
        notes=(
            *notes,
            *remarks,
            *course.facts.remarks,
            *(_worked_out(last, migration.lacks, reader) if goes_on else []),
        ),
        snapshot=len(samples) == 1 or not course.clock.has_times or is_without_passes(migration.lacks),
        readings=readings,
        lacks=migration.lacks,
        doubt=why_impossible(samples if course.clock.has_times else samples[-1:], from_begin=True),
    )


def _worked_out(reading: Reading, lacks: Sequence[str], reader: Reader) -> list[str]:
    """Notes for people about the last reading's figures that were not shown."""
    notes = [*_beside(reading.answer)]
    notes += [f"{_short(name)} is not shown; {how}" for name, how in reading.derived.items()]
    notes += [f"{_short(name)} is not shown; estimated: {how}" for name, how in reading.estimated.items()]
    if lacks:
        notes.append(f"not shown: {', '.join(map(_short, lacks))}{lacking(reader)}")
    return notes


def _beside(answer: Mapping[str, Any]) -> Iterator[str]:
    """What else an answer shows that affects the downtime."""
    percent, vfio = answer.get("cpu-throttle-percentage"), answer.get("vfio")
    if isinstance(percent, int | float) and percent > 0:
        yield f"auto-converge stops the guest's CPUs for {percent:g} % of their time, so that it dirties less"
    if isinstance(vfio, Mapping) and vfio.get("transferred"):
        # Since 11.1, the report and the `remaining` next to RAM's include it.
        caveat = "" if "remaining" in answer else ": no figure here has what is left of it"
        yield f"a VFIO device is migrated as well{caveat}"


def _short(name: str) -> str:
    return name.removeprefix("ram.")


def _of_several(names: Collection[str], of: str, of_migrations: bool) -> str:
    """Which of several guests or migrations is judged."""
    guests = {name.partition(ANOTHER)[0] for name in names}
    may_be_one = of_migrations or len(guests) < len(names) or "" in guests
    are = "migrations are" if may_be_one else "guests are migrated"
    return f"{len(names)} {are} in this text: {of or 'the last one'} is judged"
