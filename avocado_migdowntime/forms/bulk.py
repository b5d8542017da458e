# SPDX-License-Identifier: GPL-2.0-or-later
"""Many replies to query-migrate of a long log, read at once.

Of such a log most lines that tell something are replies behind the same head, but for the time. Once one of them was
read as any line is, those that follow are kept as they are, and decoded by types, many at once; what comes of them is
what comes of them line by line. Where one of them is not plain, or any other line follows, they are read line by line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ..trace.figures import Column
from ..trace.plain import PlainAnswer, PlainDisk, PlainRam, Unusual, table_of
from ..trace.reading import Reading, Stamp
from ..trace.samples import Floats
from .form import Line
from .qmp import SAME_S, Qmp, message_in
from .qmp_messages import items_of
from .sieve import SHORT_BYTES, Raw
from .stamps import second_s

MOST = 256
"""So many replies are decoded at once."""
_FEW = 4
"""Fewer are read line by line."""
_LONGEST_BYTES = 4000
"""No reply of QEMU's is longer."""
_HEAD = re.compile(
    rb"(?:(\d{4}[-/]\d\d[-/]\d\d[ T][012]\d:[0-5]\d:[0-6]\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d{2}:?\d{2})?"
    rb"([^{\"'\\(\r\n]{0,200})|(?=\{\"))(?=\{[\"'](?:return|id)[\"'])"
)
"""What is before a reply: nothing, or a date with a time, as in `stamps`, and more that may be alike in many lines."""
_ODD = bytes({*range(256)} - {*range(0x20, 0x7F)} | {*b"<>&=\\"})
"""What a reply does not have that is written as QEMU and Python do; of other lines, some would be taken off."""
_JSON_QUOTES = bytes.maketrans(b"'", b'"')
_LOGGED = (b'"msg"', b'"message"', b'"MESSAGE"', b'"log"', b'"textPayload"')
"""What an object has in which a program logs."""
_EXACT = 2.0**53
_SINGLE_QUOTE, _CLOSING = ord("'"), ord("]")


class _Answer(PlainAnswer, gc=False, rename="kebab", kw_only=True):
    """An answer with all that a sample is made of, and its clock."""

    status: str
    total_time: float
    ram: PlainRam
    disk: PlainDisk | None = None
    running: Any = msgspec.UNSET
    singlestep: Any = msgspec.UNSET


class _Message(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    answer: _Answer = msgspec.field(name="return")
    id: str | None = None


_DECODER = msgspec.json.Decoder(_Message)


class _Head(NamedTuple):
    """What the lines behind a head are: of which guest, told twice by libvirt, whether nothing of it is left."""

    guest: str
    is_held: bool
    is_bare: bool


@dataclass(slots=True)
class Reply:
    """A reply of `guest`, as it is in the text, with all `lines` that tell it."""

    text: bytes
    json: bytes
    guest: str
    t_s: float | None
    tick_s: float
    arrived_s: float
    lines: list[Raw]
    again_s: float
    """The time of the last of them."""
    held_s: float | None = None
    """The time of libvirt's line that tells the same before it says of whose monitor it is."""

    def reading(self) -> Reading:
        """What is read of it line by line."""
        stamp = None if self.t_s is None else Stamp(self.t_s, self.tick_s)
        text = self.text.decode()
        item = next(items_of(message_in(text), Line(text, text, stamp, self.arrived_s)))
        assert isinstance(item, Reading)
        return Reading(item.answer, stamp, of=self.guest, arrived_s=self.arrived_s)


@dataclass(frozen=True, eq=False, slots=True)
class Replies:
    """Replies of one guest, none of which tells the same as another.

    `table` has a column for each, as that of `Samples`, without its time and the number of its status.
    """

    replies: Sequence[Reply]
    table: Floats
    statuses: Sequence[str]
    total_s: Floats
    """The total time of each, which is none less than the one before."""

    @property
    def of(self) -> str:
        """What the text calls the guest."""
        return self.replies[0].guest

    @property
    def last(self) -> Reading:
        """The last one."""
        return self.replies[-1].reading()

    def readings(self) -> Iterator[Reading]:
        """The same one by one."""
        return (one.reading() for one in self.replies)


class Bulk:
    """The replies that were kept, in their order; only while it `is_open` are there any."""

    def __init__(self, qmp: Qmp) -> None:
        self.is_open = False
        self._qmp = qmp
        self._kept: list[Reply] = []
        self._held: tuple[bytes, float, Raw] | None = None
        self._heads: dict[bytes, _Head] = {}
        self._begun = b""

    def open(self, raw: bytes, line: Line) -> None:
        """Begin behind a line that was read, and told by QMP alone, if it is a plain reply: `line` is all of `raw`."""
        match = _HEAD.match(raw)
        if match is None or len(raw) <= SHORT_BYTES or b"igration" in raw:
            return
        text = raw[match.end() :].rstrip()
        if not text.isascii() or not line.message.endswith(text.decode()):
            return
        guest, is_held = self._qmp.origin_of(line)
        self._heads.setdefault(match[4] or b"", _Head(guest, is_held, len(line.message) == len(text)))
        self._begun = text
        self.is_open = not is_held and self._qmp.is_idle

    def take(self, raw: bytes, came_s: float) -> bool:
        """Keep a line that is a reply as those before; false where it has to be read as any line is."""
        match = _HEAD.match(raw)
        if match is None or len(raw) <= SHORT_BYTES or len(self._kept) == MOST:
            return False
        second, part, zone, head = match.groups()
        known = self._heads.get(head or b"")
        if known is None:
            return False
        text = raw[match.end() :].rstrip()
        t_s = None if second is None else second_s(second, zone) + (float(b"0." + part) if part else 0.0)
        if known.is_held:
            if self._held is not None or t_s is None or text[-1] != _CLOSING:
                return False
            self._held = text[:-1], t_s, (raw, came_s)
            return True
        last = self._kept[-1] if self._kept else None
        if self._held is None and last is not None and last.text == text and t_s is not None:
            is_same = last.guest == known.guest and last.t_s is not None and abs(t_s - last.again_s) <= SAME_S
            if is_same:
                last.again_s, last.lines = t_s, [*last.lines, (raw, came_s)]
            return is_same
        json = _plain(text, known.is_bare)
        if not json or text == self._begun:
            return False
        reply = Reply(text, json, known.guest, t_s, 10.0 ** -len(part or b""), came_s, [(raw, came_s)], t_s or 0.0)
        if self._held is not None:
            told, reply.held_s, before = self._held
            if told != text or t_s is None or not abs(t_s - reply.held_s) <= SAME_S:
                return False
            self._held, reply.lines = None, [before, *reply.lines]
        self._kept.append(reply)
        return True

    def close(self) -> tuple[list[Replies], list[Raw]]:
        """What the kept ones are, but for lines that are to be read behind that: those of the last one at least.

        What is held of a text is known then by reading these.
        """
        kept, held = self._kept, self._held
        self.is_open, self._kept, self._held, self._begun = False, [], None, b""
        made = _made(kept, self._qmp) if len(kept) > _FEW else None
        left = [line for one in (kept if made is None else kept[-1:]) for line in one.lines]
        if held is not None:
            left.append(held[2])
        if made:
            self._tell(kept[:-1])
        return made or [], left

    def _tell(self, replies: Sequence[Reply]) -> None:
        """Have QMP's reader know the last ones, as if it had read them."""
        for last in {one.guest: one for one in replies}.values():
            if last.t_s is not None:
                self._qmp.saw(replace(last.reading(), stamp=Stamp(last.again_s, last.tick_s)))
        held = next((one for one in reversed(replies) if one.held_s is not None), None)
        if held is not None:
            self._qmp.saw(replace(held.reading(), stamp=Stamp(held.held_s or 0.0, held.tick_s), of=""))


def _plain(text: bytes, is_bare: bool) -> bytes:
    """A reply as JSON; nothing where more than its quotes would have to be changed, or it may be none."""
    if len(text) > _LONGEST_BYTES or len(text.translate(None, _ODD)) < len(text) or b"igration" in text:
        return b""
    if is_bare and any(name in text for name in _LOGGED):
        return b""
    if text[1] != _SINGLE_QUOTE:
        return text
    is_json_then = b'"' not in text and b"true" not in text and b"false" not in text
    return text.translate(_JSON_QUOTES) if is_json_then else b""


def _made(kept: Sequence[Reply], qmp: Qmp) -> list[Replies] | None:
    """What all of these are but the last one, guest by guest; None where one has to be read by itself."""
    try:
        answers = [message.answer for message in _DECODER.decode_lines(b"\n".join([one.json for one in kept]))]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if any(one.running is not msgspec.UNSET or one.singlestep is not msgspec.UNSET for one in answers):
        return None
    if any(one.ram.normal % 1 or one.ram.duplicate % 1 for one in answers):
        return None
    of: dict[str, list[int]] = {}
    for number, one in enumerate(kept):
        of.setdefault(one.guest, []).append(number)
    made = []
    for guest, numbers in of.items():
        total_s = np.array([answers[number].total_time for number in numbers]) / 1000
        if not _in_order([kept[number] for number in numbers], total_s, qmp.last_of(guest), qmp.last_of("")):
            return None
        if numbers[-1] == len(kept) - 1:
            numbers, total_s = numbers[:-1], total_s[:-1]
        if not numbers:
            continue
        chosen = [answers[number] for number in numbers]
        zeros = [0.0] * len(chosen)
        try:
            table = table_of(chosen, zeros, zeros, (zeros, repeat(np.nan, len(chosen))))
        except Unusual:
            return None
        if np.any(table[Column.REMAINING :] >= _EXACT):
            return None
        made.append(Replies([kept[number] for number in numbers], table, [one.status for one in chosen], total_s))
    return made


def _in_order(replies: Sequence[Reply], total_s: Floats, before: Reading | None, held: Reading | None) -> bool:
    """Whether none of one guest's replies is of an earlier time than the one before, or tells the same again."""
    later_s = np.diff(total_s)
    if np.any(later_s < 0) or total_s[0] < 0:
        return False
    known_s = [one.t_s for one in replies if one.t_s is not None]
    if not known_s:
        return True
    since_s = np.array(known_s[1:]) - [one.again_s for one in replies[:-1]] if len(known_s) == len(replies) else None
    if since_s is None or np.any((later_s == 0) & ~(since_s > SAME_S)):
        return False
    if any(one.held_s is not None for one in replies) and (np.any(later_s == 0) or not _is_later(total_s[0], held)):
        return False
    return before is None or before.stamp is None or _is_later(total_s[0], before)


def _is_later(total_s: float, before: Reading | None) -> bool:
    """Whether an answer with this total time cannot be the one `before`."""
    total_ms = None if before is None else before.answer.get("total-time")
    return before is None or (isinstance(total_ms, int | float) and total_s > total_ms / 1000)
