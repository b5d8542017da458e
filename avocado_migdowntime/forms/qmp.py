# SPDX-License-Identifier: GPL-2.0-or-later
"""QMP messages within a text: JSON on one line or several, or Python's repr of it, as in test logs.

A message is found anywhere in a line, so prompts, log prefixes and names such as libvirt's `reply=` do not matter.
Everything else is skipped.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ..trace.reading import Happening, Item, Reading
from .form import MAYBE, Form, Line
from .objects import Depth, closed, decoded, message_in, parsed
from .qmp_messages import is_of_qmp, items_of, with_ram

_GREATEST_CHARACTERS = 1 << 20
_WRAPPED = 60
"""A terminal may have cut a line of at least this many characters and continued it on the next; all have the same
length.
"""
_GREATEST_CUT = 1 << 14
_RETURN = re.compile(r"[\"'](?:return|total-time|expected-downtime)[\"']")
_GREATEST_TRIES = 50
"""The most braces and brackets of a line that are tried as the start of a message."""
_GREATEST_VAIN = 1 << 20
"""A line is searched no further after this many characters of what starts like a message in it and is none."""
_OPENS = re.compile(r"[\[{](?=\s*(?:$|u?[\"']|[{}\[\]]))")
_PART = re.compile(
    r"""u?["'](?:expected-downtime|total-time|setup-time|ram|dirty-sync-count|dirty-pages-rate)["']\s*:"""
)
"""How a line starts that belongs to a reply whose start is missing."""
_GOES_ON = re.compile(
    r"\s*(?:\.{3}|\u2026|u?[\"']|[{}\[\],:]|-?\d|-?(?:nan|inf)\b|(?:true|false|null|True|False|None)\b|$)"
)
_BY_VIRSH = re.compile(
    r"event (?P<event>[A-Z_]+) at (?P<seconds>\d{1,12})\.(?P<microseconds>\d{6}) for domain [^{]+?"
    r"(?:: (?P<data>\{.*\}))?"
)
"""What `virsh qemu-monitor-event` prints of an event."""
_GUEST = re.compile(r"\bmon=(0x[0-9a-f]+)")
_LIBVIRT_LINE = re.compile(r"\bqemuMonitorJSONIOProcessLine:\d+ : Line \[")
"""What libvirt logs of a message before it says whose monitor it is."""
SAME_S = 0.05
"""Log lines with the same message are at most this far apart."""


class Qmp(Form):
    """Reads QMP messages; of those sent to QEMU, the ones that set a limit count."""

    NAME = "a text with QMP replies"
    NEEDLES = (b"emain", b"owntime")
    ALSO = (b'"event"', b"'event'", b'"QMP"')

    def __init__(self) -> None:
        super().__init__()
        self._open: _OpenMessage | None = None
        self._queue: list[Reading | Happening] = []
        self._last_items: dict[str, Reading | Happening] = {}
        self._last: tuple[Reading, bool] | None = None
        """The last reply, and whether it was within a string."""
        self._origin: tuple[Line, str, bool] | None = None

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        if self._open is not None:
            return self._going_on(self._open, line)
        text = line.message
        if text.startswith("event ") and (match := _BY_VIRSH.fullmatch(text)):
            stamp = {"seconds": int(match["seconds"]), "microseconds": int(match["microseconds"])}
            data = message_in(match["data"] or "{}")
            return [Happening({"event": match["event"], "timestamp": stamp, "data": data}, line.stamp)]
        if _PART.match(text):
            self._open = _OpenMessage(line, "", f"{{{text}")
            return MAYBE
        output: list[Item | Line] = []
        position, is_qmp, vain = 0, False, 0
        for _ in range(_GREATEST_TRIES):
            match = _OPENS.search(text, position) if vain < _GREATEST_VAIN else None
            if match is None:
                break
            begin = match.start()
            message, end = decoded(text, begin)
            if end is None and match[0] == "{":
                if is_qmp or not _may_go_on(text[begin:]):
                    break
                self._open = _OpenMessage(line, text[:begin].rstrip(), text[begin:])
                return MAYBE
            # The messages of an array that spans many lines are read one by one.
            if message is None or end is None:
                position = begin + 1
                vain += (len(text) if end is None else end) - begin
            else:
                position = end
            items = list(self._items(message, line))
            is_qmp = is_qmp or bool(items) or is_of_qmp(message)
            output += items
        return output if is_qmp else None

    def end(self) -> Iterable[Item]:
        opening, self._open = self._open, None
        return [*self._cut_off(opening), *self.settle()]

    def _cut_off(self, opening: "_OpenMessage | None") -> Iterable[Item]:
        """The items of a reply whose end is missing, from the fields that are complete."""
        message = None if opening is None else with_ram(closed("\n".join(opening.pieces)))
        if opening is None or message is None:
            return []
        self.recognised = True
        return [item for item in self._items(message, opening.with_stamp(opening.line)) if not isinstance(item, Line)]

    def settle(self) -> Iterable[Item]:
        queue, self._queue = self._queue, []
        return queue

    def _going_on(self, opening: "_OpenMessage", line: Line) -> Sequence[Item | Line] | None:
        text = line.message.removeprefix(opening.head).strip()
        if opening.is_cut:
            message, _ = decoded("".join([*opening.pieces, text]), 0)
            if message is not None:
                self._open = None
                return list(self._items(message, opening.with_stamp(line)))
            opening.is_cut = abs(len(line.text) - len(opening.line.text)) <= 1 and opening.characters < _GREATEST_CUT
        if not opening.is_cut and not _GOES_ON.match(text):
            self._open = None
            return [*self._cut_off(opening), line]
        if text.startswith(("{", "[{")) and _RETURN.search(text) and decoded(text, 0)[0] is not None:
            # A reply within another program's output.
            self._open = None
            return [line]
        end = opening.add(text)
        if end is None or opening.is_cut:
            if opening.characters > _GREATEST_CHARACTERS:
                self._open = None
            return MAYBE
        self._open = None
        message = parsed("\n".join([*opening.pieces[:-1], text[:end]]))
        message = message if is_of_qmp(message) else with_ram(message) or message
        items: list[Item | Line] = list(self._items(message, opening.with_stamp(line)))
        if _OPENS.search(text, end):
            items.append(line.containing(text[end:]))
        return items if items or is_of_qmp(message) else MAYBE

    def _items(self, message: Any, line: Line) -> Iterator[Item | Line]:
        guest, is_of_libvirts = self.origin_of(line)
        for item in items_of(message, line):
            if isinstance(item, Line):
                yield item
                continue
            if guest:
                item = _of_guest(item, guest)
            if self._is_repeated(item) or self._is_told_again(item, line):
                continue
            if isinstance(item, Reading | Happening) and not guest and is_of_libvirts:
                self._queue.append(item)
            else:
                yield from (earlier for earlier in self.settle() if not _is_same(earlier, item))
                yield item

    @property
    def is_idle(self) -> bool:
        """Whether no message is unfinished, and none is held back."""
        return not self._open and not self._queue

    def last_of(self, guest: str) -> Reading | None:
        """The last reply of a guest in a log."""
        last = self._last_items.get(_kind(Reading, guest))
        return last if isinstance(last, Reading) else None

    def saw(self, reading: Reading) -> None:
        """Note a reply of a log that was read elsewhere."""
        self._last_items[_kind(Reading, reading.of)] = reading

    def origin_of(self, line: Line) -> tuple[str, bool]:
        """The guest that a line names, and whether libvirt logged the line before it names one.

        The result is cached for the line, which may hold a whole recording.
        """
        if self._origin is None or self._origin[0] is not line:
            match = _GUEST.search(line.message) if "mon=0x" in line.message else None
            # To find nothing, patterns take several times as long as this.
            is_of_libvirts = "JSONIOProcessLine:" in line.text and _LIBVIRT_LINE.search(line.text) is not None
            self._origin = line, match[1] if match else "", is_of_libvirts
        return self._origin[1:]

    def _is_repeated(self, item: Item) -> bool:
        """Whether it repeats a message: libvirt logs one up to three times, as raw input, as a line, and as a reply."""
        if not isinstance(item, Reading | Happening) or item.stamp is None or item.stamp.from_begin:
            return False
        kind = _kind(type(item), item.of)
        before, self._last_items[kind] = self._last_items.get(kind), item
        return before is not None and _is_same(before, item)

    def _is_told_again(self, item: Item, line: Line) -> bool:
        """Whether `item` repeats the last reply in another wrapping; Ansible, say, shows a command's output twice."""
        if not isinstance(item, Reading):
            return False
        last, self._last = self._last, (item, line.is_within)
        if last is None or not (last[1] or line.is_within) or "total-time" not in item.answer:
            return False
        return (last[0].of, last[0].answer, last[0].stamp) == (item.of, item.answer, item.stamp)


def _kind(item: type, guest: str) -> str:
    return item.__name__ + guest


def _of_guest(item: Item, guest: str) -> Item:
    """The same for that guest; avoids the slow `replace` for the most frequent kind."""
    if isinstance(item, Reading):
        return Reading(item.answer, item.stamp, item.rounding, item.derived, item.estimated, guest, item.arrived_s)
    return replace(item, of=guest)


def _is_same(one: Item, other: Item) -> bool:
    """Whether both are the same message, logged twice."""
    if isinstance(one, Reading) and isinstance(other, Reading):
        alike = one.answer == other.answer
    else:
        alike = isinstance(one, Happening) and isinstance(other, Happening) and one.message == other.message
    if not alike or not isinstance(one, Reading | Happening) or not isinstance(other, Reading | Happening):
        return False
    return one.stamp is not None and other.stamp is not None and abs(one.stamp.t_s - other.stamp.t_s) <= SAME_S


class _OpenMessage:
    """An unfinished message: the line in which it starts, the text before it there, and its pieces."""

    def __init__(self, line: Line, head: str, text: str) -> None:
        self.line, self.head = line, head
        self.is_cut = len(line.text) >= _WRAPPED and _RETURN.search(text) is not None
        """Whether a terminal may have cut it, judging by what was read so far."""
        self.pieces: list[str] = []
        self.characters = 0
        self._depth = Depth()
        self.add(text)

    def with_stamp(self, line: Line) -> Line:
        """The line in which it ends, with the time of the line in which it starts, if that has one."""
        return replace(line, stamp=self.line.stamp or line.stamp)

    def add(self, text: str) -> int | None:
        """Add `text`, the continuation; return where the message ends in it, if it does."""
        self.pieces.append(text)
        self.characters += len(text)
        return self._depth.add(text, 0)


def _may_go_on(text: str) -> bool:
    """Whether an unfinished object may continue on the next line."""
    return text.rstrip()[-1:] in "{[,:\"'}]0123456789" or (len(text) >= _WRAPPED and bool(_RETURN.search(text)))
