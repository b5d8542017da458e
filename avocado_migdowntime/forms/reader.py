# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads any text about migrations, completely or as it arrives: bytes in, items out."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from ..trace.reading import Item, Stamp
from .alike import Alike
from .below import Below
from .bulk import Bulk
from .catalogue import FORMS
from .dates import date_line
from .encoding import Utf8
from .form import MAYBE, Form, Line
from .guests import Guests
from .lines import Lines
from .log import Log
from .many import Many
from .qmp import Qmp
from .sieve import Raw, Sieve
from .stamps import Calendar
from .virsh_errors import ended_by
from .wrapped import Unwrapper

FIRST_LINES = 200
"""The number of non-empty lines kept, to say what a text is that shows nothing."""


class Reader:
    """Reads one text. `forms` are those recognised in it so far."""

    def __init__(self) -> None:
        self._forms = tuple(form() for form in FORMS)
        self._qmp = next(form for form in self._forms if isinstance(form, Qmp))
        self._holding: list[Form] = []
        """Forms that have taken a line since they were last asked for all that they held."""
        self._of_replies = tuple(sorted(self._forms, key=lambda form: not isinstance(form, Qmp)))
        self._utf8 = Utf8()
        self._sieve = Sieve(needle for form in FORMS for needle in form.NEEDLES)
        self._calendar = Calendar()
        self._above: Stamp | None = None
        """The last line that shows only a time; it counts for lines without one."""
        self._unwrapper = Unwrapper(FORMS)
        self._lines, self._below = Lines(), Below()
        self._alone: Line | None = None
        """The last line whose items were returned, if it is a single unmodified line of the text."""
        self._is_told = False
        self._is_ended = True
        """Whether the last line has a line end, so that nothing of it is missing."""
        self._guests = Guests()
        self._bulk, self._alike = Bulk(self._qmp), Alike()
        self._open: Bulk | Alike | None = None
        """The one of these two that is collecting similar lines."""
        self.first_lines: list[str] = []
        self.first_bytes: list[bytes] = []

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms of which lines were seen."""
        return tuple(form for form in self._forms if form.recognised)

    def feed(self, data: bytes, now_s: float = 0.0) -> Iterator[Item]:
        """The items that `data`, which arrived at `now_s`, completes."""
        if plain := self._utf8.feed(data):
            yield from self._read(self._sieve.feed(plain, now_s))

    def end(self, now_s: float = 0.0) -> Iterator[Item]:
        """The items that are complete because nothing follows."""
        yield from self._read(self._sieve.feed(self._utf8.end(), now_s))
        yield from self._read(self._sieve.end(now_s))
        if self._is_ended:
            yield from self._of_line(b"", now_s)
        yield from self._last_items()
        for form in self._forms:
            yield from map(self._guests.of, form.end())

    def settle(self) -> Iterator[Item]:
        """The items that are complete if nothing follows for long, although the last line may not have ended."""
        yield from self._last_items()
        for form in self._forms:
            yield from map(self._guests.of, form.settle())

    def whole(self, chunks: Iterable[bytes]) -> Iterator[Item | Many]:
        """The items of a whole text, instead of `feed` and `end`; many readings may come as one item."""
        for data in chunks:
            if plain := self._utf8.feed(data):
                yield from self._read_at_once(self._sieve.feed(plain, 0.0))
        yield from self._read_at_once(self._sieve.feed(self._utf8.end(), 0.0))
        yield from self._read_at_once(self._sieve.end(0.0))
        if self._open is not None:
            yield from self._in(self._open)
        yield from self.end()

    def _read_at_once(self, lines: Iterator[Raw]) -> Iterator[Item | Many]:
        for raw, came_s in lines:
            if self._open is not None:
                yield from self._in(self._open)
                if self._open is not None and self._open.take(raw, 0, len(raw), came_s):
                    self._sieve.mark_useful()
                    continue
                self._keep_by(None)
            yield from self._of_line(raw, came_s)
            if self._is_told:
                self._sieve.mark_useful()
                self._begin(raw)

    def _in(self, store: Bulk | Alike) -> Iterator[Item | Many]:
        """The items that were collected there."""
        self._keep_by(None)
        many, lines = store.close()
        yield from many
        for raw, came_s in lines:
            yield from self._of_line(raw, came_s)
            self._begin(raw)

    def _begin(self, raw: bytes) -> None:
        """Start to collect lines similar to the last one, if nothing before it is left open."""
        self._keep_by(None)
        line, holding = self._alone, self._holding
        if self._above or self._guests.has_names or line is None or len(holding) != 1 or not holding[0].recognised:
            return
        if not self._lines.is_plain or len(self.first_lines) < FIRST_LINES:
            return
        form = holding[0]
        if isinstance(form, Log) and self._alike.begin(raw, line, form):
            self._keep_by(self._alike)
        elif form is self._qmp and self._bulk.begin(raw, line):
            self._keep_by(self._bulk)

    def _keep_by(self, store: Bulk | Alike | None) -> None:
        self._open = store
        self._sieve.take = None if store is None else store.take

    def _read(self, lines: Iterator[Raw]) -> Iterator[Item]:
        for raw, came_s in lines:
            yield from self._of_line(raw, came_s)
            if self._is_told:
                self._sieve.mark_useful()

    def _of_line(self, raw: bytes, came_s: float) -> Iterator[Item]:
        """The items that a line of the text completes."""
        self._is_told, self._alone, self._is_ended = False, None, raw.endswith(b"\n")
        if len(self.first_bytes) < FIRST_LINES:
            self.first_bytes.append(raw)
        lines = [*self._lines.of(raw, came_s)]
        for line in lines:
            if line.text and len(self.first_lines) < FIRST_LINES:
                self.first_lines.append(line.text)
        for line in chain.from_iterable(map(self._below.take, lines)):
            for whole in self._unwrapper.take(line):
                items = self._dated(whole)
                if items is not None:
                    self._is_told = True
                    self._unwrapper.mark_useful()
                    self._alone = line if whole is line and len(lines) == 1 else None
                yield from items or ()

    def _last_items(self) -> Iterator[Item]:
        """The items of lines that were kept because they may have been cut off."""
        lines = [whole for line in self._below.settle() for whole in self._unwrapper.take(line)]
        for line in (*lines, *self._unwrapper.settle()):
            yield from self._dated(line) or ()

    def _dated(self, line: Line) -> list[Item] | None:
        is_log = line.stamp is not None and line.message and not line.message.startswith("up ")
        if not is_log and (above := date_line(line.text)) is not None:
            self._above = self._calendar.dated(above)
            return self._offered(replace(line, stamp=self._above))
        if line.stamp is None:
            return self._offered(line if self._above is None else replace(line, stamp=self._above))
        if (dated := self._calendar.dated(line.stamp)) is not line.stamp:
            line = replace(line, stamp=dated)
        items = self._offered(line)
        if items is not None:
            self._above = None
        return items

    def _offered(self, line: Line) -> list[Item] | None:
        """The items of a line; None if it tells nothing."""
        items = self._by_forms(line)
        ended = ended_by(line)
        if ended is None or not any(form.recognised for form in self._forms):
            return items
        return [*(items or ()), *self._settled(), self._guests.of(_timed(ended, line))]

    def _by_forms(self, line: Line) -> list[Item] | None:
        """The items of the first form that takes the line; None if none does."""
        items: list[Item] = []
        # A log counts the time by itself if its lines have none.
        own = replace(line, stamp=None) if line.stamp is not None and line.stamp.is_above else line
        if self._guests.is_named_in(line.text):
            items += self._settled()
            self._guests.name(line.text)
        for form in self._of_replies if '"return"' in line.message else self._forms:
            results = form.take(own if isinstance(form, Log) else line)
            if results is not None:
                if form not in self._holding:
                    if results is not MAYBE:
                        # What other forms hold precedes it.
                        items += self._settled()
                        self._holding = []
                    self._holding.append(form)
                if not form.recognised and results is not MAYBE:
                    form.recognised = True
                    self._sieve.look_for(form.ALSO)
                if any(not isinstance(one, Line) for one in results):
                    items += self._settled(form)
                    self._holding = [form]
                for one in results:
                    if isinstance(one, Line):
                        items += self._by_forms(one) or ()
                    else:
                        items.append(self._guests.of(_timed(one, line)))
                return items
        return items or None

    def _settled(self, but: Form | None = None) -> list[Item]:
        """What the forms other than `but` hold, as if something else followed."""
        if self._holding in ([], [but]):
            return []
        settled = (form.settle() for form in self._forms if form is not but and form in self._holding)
        return [self._guests.of(item) for items in settled for item in items]


def _timed(item: Item, line: Line) -> Item:
    """The item with the time at which its last line was read, unless it has its own."""
    return item if item.arrived_s is not None else replace(item, arrived_s=line.arrived_s)
