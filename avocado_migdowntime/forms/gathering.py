# SPDX-License-Identifier: GPL-2.0-or-later
"""From the items of a whole text to one trace: of the guest that was told of last, its last migration."""

from collections import deque
from collections.abc import Iterable, Sequence

from ..trace.events import Event, event_of
from ..trace.model import ENDED, SEVERAL, Trace, checked_header
from ..trace.reading import Item, Reading
from ..trace.samples import Sample, SamplesWriter
from .course import Begins, Course, EventRow, SampleRow
from .filling import COUNTED
from .reader import Reader
from .refusal import nothing_told, too_little

MANY = 1000
"""Of so many samples, the last ones, a trace keeps the readings."""


class _Migration:
    """The rows of one guest's last migration, as they come."""

    def __init__(self) -> None:
        self.course = Course()
        self.several = False
        self._begin()

    def _begin(self) -> None:
        self.samples = SamplesWriter()
        self.events: list[Event] = []
        self.readings: deque[Reading] = deque(maxlen=MANY)
        self.lacks: tuple[str, ...] = ()
        self.count = 0

    def add(self, item: Item) -> None:
        """Add what an item tells."""
        for row in self.course.rows(item):
            self._row(row)

    def end(self) -> None:
        """Add what no reading followed."""
        for row in self.course.rest():
            self._row(row)

    def _row(self, row: SampleRow | EventRow | Begins) -> None:
        if isinstance(row, Begins):
            self.several = True
            self._begin()
        elif isinstance(row, EventRow):
            self.events.append(event_of(row.t_s, row.side, row.message))
        else:
            reading = row.filled.reading
            self.samples.append(Sample.from_query(row.t_s, row.latency_ms, reading.answer))
            self.readings.append(reading)
            self.lacks = row.filled.lacks
            self.count += 1


def trace_of(items: Iterable[Item], reader: Reader, notes: Sequence[str] = ()) -> Trace:
    """The trace that the items of a text make, which `reader` reads.

    Raises UsageError where they tell of no migration or of too little, and says what was recognised then.
    """
    guests: dict[str, _Migration] = {}
    told_last = ""
    for item in items:
        if item.of not in guests:
            guests[item.of] = _Migration()
        guests[item.of].add(item)
        if isinstance(item, Reading):
            told_last = item.of
    known = guests.get(told_last)
    if known is None or not known.count:
        raise nothing_told(reader, [text for one in guests.values() for text in one.course.known.remarks])
    known.end()
    samples = known.samples.samples()
    last = known.readings[-1]
    if last.answer.get("status") not in ENDED and last.answer.get("ram") is None and "ram" not in _shown(last):
        raise too_little(reader, str(last.answer.get("status")))
    several = [SEVERAL] if known.several else []
    others = sum(1 for one in guests.values() if one.count) - 1
    if others:
        several.append(f"{others + 1} guests are migrated in this text: {told_last or 'the last one'} is judged")
    header = _with_shared(known.course.header, guests.get("", known))
    return Trace(
        samples=samples,
        events=tuple(sorted(known.events, key=lambda event: event.t_s)),
        header=checked_header(header),
        notes=(*notes, *several, *known.course.known.remarks, *_worked_out(last, known.lacks)),
        snapshot=len(samples) == 1 or any(name in known.lacks for name in COUNTED),
        readings=tuple(known.readings),
        lacks=known.lacks,
    )


def _shown(reading: Reading) -> Sequence[str]:
    """The parts of an answer of which something is shown, be it of no use."""
    return [part for part in ("ram", "disk") if part in reading.answer]


def _with_shared(header: dict[str, object], shared: _Migration) -> dict[str, object]:
    """The header with what the text tells of no guest in particular."""
    of_all = shared.course.known.header()
    return {name: header.get(name) or value for name, value in {**header, **of_all}.items()}


def _worked_out(reading: Reading, lacks: Sequence[str]) -> list[str]:
    """What the last reading has that was not shown, for people."""
    names = {**reading.derived, **{name: f"about: {how}" for name, how in reading.estimated.items()}}
    notes = [f"{name.removeprefix('ram.')} is not shown: taken from {how}" for name, how in names.items()]
    if lacks:
        notes.append(f"not shown: {', '.join(name.removeprefix('ram.') for name in lacks)}")
    return notes
