# SPDX-License-Identifier: GPL-2.0-or-later
"""Replies to query-migrate in a log, decoded by types, many at once, if the result is the same as one by one."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from ..trace.figures import Column
from ..trace.plain import ABSENT, PlainAnswer, PlainDisk, PlainRam, Unusual, table_of
from ..trace.ram import WHOLE_BELOW
from ..trace.reading import Reading, Stamp
from ..trace.samples import Floats
from .form import Line
from .many import Many
from .objects import message_in
from .qmp import SAME_S, Qmp
from .qmp_messages import items_of
from .sieve import Raw

_LONGEST_BYTES = 4000
"""No reply of QEMU is longer."""
_ODD = bytes({*range(256)} - {*range(0x20, 0x7F)} | {*b"<>&=\\"})
"""Bytes that no reply written by QEMU or Python has; for other lines, some of them would be removed."""
_JSON_QUOTES = bytes.maketrans(b"'", b'"')
_LOGGED = (b'"msg"', b'"message"', b'"MESSAGE"', b'"log"', b'"textPayload"')
"""Keys of an object in which a program logs."""
_SINGLE_QUOTE = ord("'")


class _Answer(PlainAnswer, gc=False, rename="kebab", kw_only=True):
    """An answer with all that a sample needs, and its total time."""

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


class Reply(msgspec.Struct, gc=False):
    """A reply of `guest` as in the text, with all `lines` that repeat it."""

    text: bytes
    json: bytes
    guest: str
    t_s: float | None
    tick_s: float
    arrived_s: float
    lines: list[Raw]
    again_s: float
    """The time of the last of them."""
    first_copy_s: float | None = None
    """The time of libvirt's line with the same reply before it says whose monitor it is."""

    def plain_reading(self) -> Reading:
        """The reading as read line by line."""
        stamp = None if self.t_s is None else Stamp(self.t_s, self.tick_s)
        text = self.json.decode()
        item = next(items_of(message_in(text), Line(text, text, stamp, self.arrived_s)))
        assert isinstance(item, Reading)
        return Reading(item.answer, stamp, of=self.guest, arrived_s=self.arrived_s)

    def reading(self) -> Reading:
        """The same; nothing must be computed."""
        return self.plain_reading()


def plain_json(text: bytes, is_bare: bool) -> bytes:
    """A reply as JSON; empty if more than its quotes would have to be changed, or if it may be no reply."""
    if len(text) > _LONGEST_BYTES or len(text.translate(None, _ODD)) < len(text) or b"igration" in text:
        return b""
    if is_bare and any(name in text for name in _LOGGED):
        return b""
    if text[1] != _SINGLE_QUOTE:
        return text
    is_json_then = b'"' not in text and b"true" not in text and b"false" not in text
    return text.translate(_JSON_QUOTES) if is_json_then else b""


def batches_of(replies: Sequence[Reply], qmp: Qmp) -> list[Many] | None:
    """The readings of all but the last reply, one batch for each guest; None if a reply must be read by itself."""
    try:
        answers = [message.answer for message in _DECODER.decode_lines(b"\n".join([one.json for one in replies]))]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if any(one.running is not msgspec.UNSET or one.singlestep is not msgspec.UNSET for one in answers):
        return None
    if any(one.ram.normal % 1 or one.ram.duplicate % 1 for one in answers):
        return None
    of: dict[str, list[int]] = {}
    for number, one in enumerate(replies):
        of.setdefault(one.guest, []).append(number)
    batches = []
    for guest, numbers in of.items():
        total_s = np.array([answers[number].total_time for number in numbers]) / 1000
        if not _in_order([replies[number] for number in numbers], total_s, qmp.last_of(guest)):
            return None
        if numbers[-1] == len(replies) - 1:
            numbers, total_s = numbers[:-1], total_s[:-1]
        if not numbers:
            continue
        of_guest = [answers[number] for number in numbers]
        zeros = [0.0] * len(of_guest)
        try:
            table = table_of(of_guest, zeros, zeros, (zeros, [ABSENT] * len(of_guest)))
        except Unusual:
            return None
        if np.any(table[Column.REMAINING :] >= WHOLE_BELOW):
            return None
        statuses = [one.status for one in of_guest]
        batches.append(Many(guest, [replies[number] for number in numbers], table, statuses, total_s))
    return batches


def _in_order(replies: Sequence[Reply], total_s: Floats, before: Reading | None) -> bool:
    """Whether one guest's replies are in the order of time and none repeats another."""
    later_s = np.diff(total_s)
    if np.any(later_s < 0) or total_s[0] < 0:
        return False
    known_s = [one.t_s for one in replies if one.t_s is not None]
    if not known_s:
        return True
    since_s = np.array(known_s[1:]) - [one.again_s for one in replies[:-1]] if len(known_s) == len(replies) else None
    if since_s is None or np.any((later_s == 0) & ~(since_s > SAME_S)):
        return False
    return before is None or before.stamp is None or _is_later(total_s[0], before)


def _is_later(total_s: float, before: Reading) -> bool:
    """Whether an answer with this total time cannot be the one `before`."""
    total_ms = before.answer.get("total-time")
    return isinstance(total_ms, int | float) and total_s > total_ms / 1000
