# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts the oldest part of a text first: mails quote earlier mails below, and some logs have the newest line first."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

from ..errors import UsageError
from ..trace.reading import Item, Reading, Stamp
from . import documents
from .clock import SET_BACK_S
from .dated_below import dates_moved_up
from .diffs import sides
from .encoding import Utf8
from .lines import Lines
from .log import Log
from .many import Many
from .reader import Reader
from .records import several_logged

MAIL_BYTES = 1 << 20
"""No mail and no forum post is longer."""
MOST_BYTES = 1 << 26
"""A log with its newest line first must be read completely; longer ones are refused."""
_LOOKED_AT = 100
"""The number of lines examined to see their order."""
_LONGEST_LOOKED_AT = 1 << 12
_LEAST_TIMES = 3
"""This many different times that only fall are no coincidence."""
_JITTER_S = 1.0
"""A line may be older by this than the one above it, if another thread logged it."""
_DATE = re.compile(
    r"^.*?(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d|(?<=, )\d{4} @ \d\d:\d\d:\d\d)(?:[.,]\d+)?\s?(Z|[+-]\d\d:?\d\d)?",
    re.MULTILINE,
)
"""The first date of a line with its time, and its zone."""
_LONGEST_PARAGRAPH = 1 << 14
_IS_PARAGRAPH = re.compile(
    r"(?:(?:transferred|remaining) ram: +\d+ kbytes|Memory (?:processed|remaining): +[\d.]+ [KMG]?i?B) +[A-Za-z]"
)
"""A line with a figure of `info migrate` or virsh and the name of another one behind it."""
_DEEPEST = 20
"""The deepest quoting that is told apart."""
_QUOTED = re.compile(r"(?:[ \t]?>)*")
_IS_QUOTED = re.compile(r"^[ \t]?>", re.MULTILINE)
_WROTE = "wrote|schrieb|\u00e9crit|escribi\u00f3|scritto|escreveu|schreef|skrev|napisa\u0142"
_ORIGINAL = "Original|Forwarded|Urspr\u00fcngliche|Weitergeleitete|Message d|Mensaje|Messaggio|Wiadomo"
_DATE_LABELS = "Sent|Gesendet|Envoy\u00e9|Enviado|Inviato|Verzonden|Wys\u0142ano"
_OLDER_BELOW = re.compile(
    rf"^[ \t>]*(?:[-_]{{3,}} ?(?:{_ORIGINAL}).*"
    rf"|(?:On|Am|Le|El|Il|Em|Op|Den|W dniu) .{{5,200}}\b(?:{_WROTE})\b.{{0,80}}:"
    rf"|(?:{_DATE_LABELS})(?: [a-z]+)?\s?: .*\d{{4}}.*)[ \t\r]*$",
    re.MULTILINE,
)
"""What mail programs put above the mail that is answered; the last pattern is Outlook's."""


def items_in_order(reader: Reader, chunks: Iterator[bytes]) -> Iterator[Item | Many]:
    """The items that `reader` reads from a text, the oldest first.

    Raises UsageError if the text is too long to be reversed.
    """
    turned, chunks = _in_order(chunks)
    items = reader.whole(chunks)
    return items if turned else _newest_last(items, reader)


def _in_order(chunks: Iterator[bytes]) -> tuple[bool, Iterator[bytes]]:
    """Whether the lines of a text are visibly out of order, and its bytes in the order in which they were written."""
    read: list[bytes] = []
    size_bytes = 0
    for data in chunks:
        read.append(data)
        size_bytes += len(data)
        if size_bytes >= MAIL_BYTES:
            break
    head = _utf8(read)
    in_documents = documents.are_newest_first(head)
    if in_documents or _is_newest_first(head):
        for data in chain([b""], chunks):
            read.append(data)
            size_bytes += len(data)
            if size_bytes > MOST_BYTES:
                raise UsageError("is a log with its newest line first; give it as `tac FILE` prints it")
        turned_round = documents.turned_round if in_documents else _turned_round
        return True, iter([turned_round(_utf8(read))])
    if size_bytes < MAIL_BYTES:
        text = head.decode(errors="replace")
        for order in (_exported, _of_diff, _as_written, dates_moved_up, _by_time, _unbroken):
            ordered = order(text)
            if ordered is not None:
                return True, iter([ordered.encode()])
    return False, chain(read, chunks)


def _newest_last(items: Iterable[Item | Many], reader: Reader) -> Iterator[Item | Many]:
    """The items of a text, reversed if all of them go backwards through one migration."""
    beginning: list[Item | Many] = []
    readings: list[Reading] = []
    rest = iter(items)
    for item in rest:
        beginning.append(item)
        if isinstance(item, Reading):
            readings.append(item)
        if isinstance(item, Many) or (len(readings) > 1 and not _goes_back(*readings[-2:])):
            yield from beginning
            yield from rest
            return
    is_log = any(isinstance(form, Log) for form in reader.forms)
    yield from reversed(beginning) if not is_log and _are_of_one(readings) else beginning


def _goes_back(newer: Reading, older: Reading) -> bool:
    """Whether `newer` was taken later than `older`, of the same guest: its time and its sent bytes are greater."""
    pairs = [(_figure(newer, name), _figure(older, name)) for name in ("total-time", "ram.transferred", "ram.total")]
    if newer.of != older.of or any(None in pair for pair in pairs):
        return False
    (newer_ms, older_ms), (newer_bytes, older_bytes), (total, same) = pairs
    return bool(newer_ms > older_ms and newer_bytes > older_bytes and total == same)


def _are_of_one(backwards: Sequence[Reading]) -> bool:
    """Whether these are of one migration: two are if their setups took equally long and found as many zero pages."""
    if len(backwards) != 2:
        return len(backwards) > 2
    pairs = [{_figure(one, name) for one in backwards} for name in ("setup-time", "ram.duplicate")]
    return all(len(pair) == 1 and None not in pair for pair in pairs) and pairs[1] != {0}


def _figure(reading: Reading, name: str) -> Any:
    part, _, inner = name.rpartition(".")
    figures = reading.answer.get(part) if part else reading.answer
    value = figures.get(inner) if isinstance(figures, Mapping) else None
    return value if isinstance(value, int | float) else None


def _utf8(chunks: Iterable[bytes]) -> bytes:
    utf8 = Utf8()
    return b"".join([*map(utf8.feed, chunks), utf8.end()])


def _is_newest_first(text: bytes) -> bool:
    """Whether the times of the first lines only fall, but for a few that rise a little."""
    if text.count(b"\n") < _LEAST_TIMES - 1:
        return False
    lines, count = Lines(), 0
    times_s: list[float] = []
    begin = 0
    while count < _LOOKED_AT and begin < len(text):
        end = text.find(b"\n", begin) + 1 or len(text)
        count += 1
        if end - begin <= _LONGEST_LOOKED_AT:
            stamp = next((line.stamp for line in lines.of(text[begin:end], 0.0)), None)
            if stamp is not None:
                if times_s and stamp.t_s > times_s[-1] + _JITTER_S:
                    return False
                times_s.append(stamp.t_s)
        begin = end
    rises = sum(later > earlier for earlier, later in pairwise(times_s))
    falls = sum(later < earlier for earlier, later in pairwise(times_s))
    return falls >= (_LEAST_TIMES - 1) * (1 + 2 * rises)


def _turned_round(text: bytes) -> bytes:
    """The lines in reverse order; lines without a time stay after the one before them."""
    first, *groups = _groups(text.decode(errors="replace"))
    return "".join([*first[1], *chain.from_iterable(lines for _, lines in reversed(groups))]).encode()


def _groups(text: str) -> list[tuple[Stamp | None, list[str]]]:
    """The lines of a text in groups: each line with a time, and those without one after it. The first group precedes
    all.
    """
    reading = Lines()
    groups: list[tuple[Stamp | None, list[str]]] = [(None, [])]
    for line in text.splitlines(keepends=True):
        whole = line if line.endswith("\n") else f"{line}\n"
        stamp = next((one.stamp for one in reading.of(whole.encode(), 0.0) if one.stamp is not None), None)
        if stamp is not None:
            groups.append((stamp, []))
        groups[-1][1].append(whole)
    return groups


def _by_time(text: str) -> str | None:
    """A log whose parts are out of order, for example rotated files that were concatenated, in the order of time.

    None if no parts are, if parts overlap in time, as logs of two hosts do, if times are written in two ways, or if it
    is one migration during which the clock was set back, as summer time ends.
    """
    dates = _DATE.findall(text)
    if all(later >= earlier for (earlier, _), (later, _) in pairwise(dates)) or len({zone for _, zone in dates}) > 1:
        return None
    (_, head), *groups = _groups(text)
    blocks: list[_Block] = []
    for stamp, lines in groups:
        if stamp is None or stamp.period_s:
            return None
        if not blocks or stamp.t_s < blocks[-1].end_s - _JITTER_S:
            blocks.append(_Block(stamp.t_s))
        blocks[-1].add(stamp.t_s, lines)
    ordered = sorted(blocks, key=lambda block: block.begin_s)
    if ordered == blocks or any(later.begin_s < earlier.end_s for earlier, later in pairwise(ordered)):
        return None
    by_time = "".join([*head, *chain.from_iterable(block.lines for block in ordered)])
    was_set = any(earlier.end_s - later.begin_s <= SET_BACK_S for earlier, later in pairwise(blocks))
    return None if was_set and _is_sent_in_order(text) and not _is_sent_in_order(by_time) else by_time


def _is_sent_in_order(text: str) -> bool:
    """Whether what was sent of each guest's RAM never falls."""
    sent_bytes: dict[str, Any] = {}
    for item in _read([text]):
        for reading in item.readings() if isinstance(item, Many) else [item] if isinstance(item, Reading) else []:
            sent = _figure(reading, "ram.transferred")
            if sent is not None and sent < sent_bytes.get(reading.of, 0):
                return False
            sent_bytes[reading.of] = sent_bytes.get(reading.of, 0) if sent is None else sent
    return bool(sent_bytes)


class _Block:
    """Lines that are in order, and the time span in which they were written."""

    def __init__(self, begin_s: float) -> None:
        self.begin_s = self.end_s = begin_s
        self.lines: list[str] = []

    def add(self, at_s: float, lines: Sequence[str]) -> None:
        """Add lines of that time."""
        self.begin_s, self.end_s = min(self.begin_s, at_s), max(self.end_s, at_s)
        self.lines += lines


def _exported(text: str) -> str | None:
    """An object or a list of log records as one line, of which the oldest is read first; None if it is none."""
    if text.lstrip()[:1] not in ("[", "{") or "\n" not in text.strip() or not several_logged(text):
        return None
    return json.dumps(json.loads(text)) + "\n"


def _of_diff(text: str) -> str | None:
    """Both texts of a diff, one below the other; None unless both have figures."""
    both = sides(text)
    return "\n".join(both) if both is not None and all(_tells([side]) for side in both) else None


def _as_written(text: str) -> str | None:
    """A mail with quoted parts moved above the answers to them; None unless both have figures."""
    if _IS_QUOTED.search(text) is None and _OLDER_BELOW.search(text) is None:
        return None
    parts: dict[int, list[str]] = {}
    older = 0
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        match = _QUOTED.match(line)
        depth = min(match[0].count(">"), _DEEPEST) if match else 0
        if _OLDER_BELOW.match(line) and not _is_quoted(lines, number + 1, depth):
            older += 1
        parts.setdefault(older + depth, []).append(line)
    if len(parts) < 2 or sum(map(_tells, parts.values())) < 2:
        return None
    ordered = "\n".join("".join(parts[depth]) for depth in sorted(parts, reverse=True))
    is_mail = _OLDER_BELOW.search(text) is not None
    return ordered if is_mail or (_goes_forward([ordered]) and not _goes_forward([text])) else None


def _unbroken(text: str) -> str | None:
    """The text as one line, if all its lines were joined and then broken anew; None unless it has figures only then."""
    if len(text) > _LONGEST_PARAGRAPH or _IS_PARAGRAPH.search(text) is None:
        return None
    joined = " ".join(_QUOTED.sub("", line, count=1).strip() for line in text.splitlines())
    return f"{joined}\n" if not _tells_of_ram(text) and _tells_of_ram(joined) else None


def _tells_of_ram(text: str) -> bool:
    """Whether a text by itself shows what is left of RAM."""
    try:
        readings = [item for item in _read([text]) if isinstance(item, Reading)]
    except UsageError:
        return False
    return any(_figure(one, "ram.remaining") is not None for one in readings)


def _goes_forward(lines: Sequence[str]) -> bool:
    """Whether the total times in these lines never fall."""
    times_ms = [_figure(one, "total-time") for one in _read(lines) if isinstance(one, Reading)]
    return all(None in pair or pair[0] <= pair[1] for pair in pairwise(times_ms))


def _is_quoted(lines: Sequence[str], number: int, depth: int) -> bool:
    """Whether the next line with content is quoted more deeply than `depth`."""
    following = next((line for line in lines[number : number + 5] if line.strip(" \t>\r\n")), "")
    match = _QUOTED.match(following)
    return match is not None and match[0].count(">") > depth


def _tells(lines: Sequence[str]) -> bool:
    """Whether these lines by themselves have figures."""
    return any(isinstance(item, Reading | Many) for item in _read(lines))


def _read(lines: Sequence[str]) -> Iterator[Item | Many]:
    return Reader().whole(["".join(lines).encode()])
