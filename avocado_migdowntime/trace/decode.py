# SPDX-License-Identifier: GPL-2.0-or-later
"""Decodes the lines of a recording into columns: in whole blocks, or line by line for a block with a fault.

A block whose lines are all as this package writes them is decoded by types. Any other block is decoded again line by
line, which finds the wrong line and says what is wrong with it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from ..basics.printable import quoted
from ..errors import UsageError
from .bounds import EVENTS_BYTES
from .events import Event, event_of
from .figures import COLUMNS, Column, Labels, figures_of
from .plain import ABSENT, PlainAnswer, Unusual, table_of
from .ram import note_on, number
from .sample import Sample
from .samples import Floats, Samples


class _Line(msgspec.Struct, gc=False):
    t: float
    latency_ms: float = ABSENT
    answer: PlainAnswer | msgspec.UnsetType = msgspec.field(name="query-migrate", default=msgspec.UNSET)
    on: str | None = None
    side: Any = ""
    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_DECODER = msgspec.json.Decoder(_Line)
_LINE_END = ord("\n")


class LinesDecoder:
    """Decodes consecutive lines into samples and events.

    `line_number` is that of the next line. `add` raises UsageError for a line that is no part of a recording.
    """

    def __init__(self, line_number: int) -> None:
        self.line_number = line_number
        self.events: list[Event] = []
        self.notes: dict[str, None] = {}
        """Why samples lost their RAM figures."""
        self.cut_off = 0
        """The number of the last line if that was cut off, else 0."""
        self._labels = Labels()
        self._tables = _Tables()
        self._last_s = -np.inf
        self._events_bytes = 0

    def add(self, block: bytes, is_last: bool) -> None:
        """Decode the whole lines of `block`; only the last block (`is_last`) may end in a line that was cut off."""
        events_bytes = self._events_bytes
        try:
            samples, events = self._block(block)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, UsageError, Unusual):
            self._events_bytes = events_bytes
            samples, events = self._line_by_line(block, is_last)
        self.events += events
        self.line_number += int(np.count_nonzero(np.frombuffer(block, np.uint8) == _LINE_END))
        if samples.shape[1]:
            self._tables.add(samples)
            self._last_s = float(samples[Column.T, -1])

    def samples(self) -> Samples:
        """All samples in one table; call this once."""
        return Samples(self._tables.together(), tuple(self._labels))

    def _block(self, block: bytes) -> tuple[Floats, list[Event]]:
        lines = _DECODER.decode_lines(block)
        events = [line for line in lines if line.answer is msgspec.UNSET]
        if events:
            lines = [line for line in lines if line.answer is not msgspec.UNSET]
        if any(line.event is msgspec.UNSET for line in events):
            raise Unusual
        table = self._table(lines)
        return table, list(_in_order(map(self._event, events), self.events))

    def _table(self, lines: list[_Line]) -> Floats:
        answers: list[Any] = [line.answer for line in lines]
        numbers = self._numbered([answer.status for answer in answers]), self._numbered([line.on for line in lines])
        table = table_of(answers, [line.t for line in lines], [line.latency_ms for line in lines], numbers)
        t_s = np.append(self._last_s, table[Column.T])
        if np.any(t_s[1:] < t_s[:-1]) or np.any(np.isnan(table[Column.LATENCY])):
            raise Unusual
        return table

    def _numbered(self, texts: list[str | None]) -> list[float]:
        """The numbers that stand for `texts` in a table."""
        numbers = {text: ABSENT if text is None else self._labels[text] for text in dict.fromkeys(texts)}
        return [*numbers.values()] * len(texts) if len(numbers) == 1 else [numbers[text] for text in texts]

    def _line_by_line(self, block: bytes, is_last: bool) -> tuple[Floats, list[Event]]:
        rows: list[Sample] = []
        events: list[Event] = list(self.events[-1:])
        lines = block.decode(errors="replace").split("\n")
        for line_number, line in enumerate(lines, self.line_number):
            if not line.strip():
                continue
            rest = lines[line_number - self.line_number + 1 :]
            record = decoded(line, line_number, may_be_cut=is_last and not any(map(str.strip, rest)))
            if record is None:
                self.cut_off = line_number
                break
            try:
                if "query-migrate" in record:
                    rows.append(_sample(record, rows[-1].t_s if rows else self._last_s))
                    if note := note_on(record["query-migrate"].get("ram")):
                        self.notes[note] = None
                elif "event" in record:
                    self._count(len(line))
                    event = event_of(number(record, "t"), str(record.get("side", "")), record["event"])
                    events += _in_order([event], events)
                else:
                    raise UsageError("is neither a sample nor an event")
            except UsageError as error:
                raise UsageError(f"line {line_number}: {error}") from None
        table = np.array([figures_of(row, self._labels) for row in rows]).reshape(len(rows), COLUMNS).T
        return table, events[len(self.events[-1:]) :]

    def _event(self, line: _Line) -> Event:
        assert isinstance(line.event, msgspec.Raw)
        self._count(len(line.event))
        return event_of(line.t, str(line.side), msgspec.json.decode(line.event))

    def _count(self, event_bytes: int) -> None:
        self._events_bytes += event_bytes
        if self._events_bytes > EVENTS_BYTES:
            raise UsageError(f"is one event too many: a recording holds at most {EVENTS_BYTES >> 20} MiB of them")


class _Tables:
    """Joins tables side by side into one. It allocates more room than needed: memory that is not used costs nothing.

    A row of zeros costs nothing either, because nothing is written to it.
    """

    _GROWTH, _LARGE = 4, 1 << 18
    """Few recordings grow. One that does gets much room at once: while two tables exist, both take memory."""

    def __init__(self) -> None:
        self._table: Floats = np.zeros((COLUMNS, 1 << 12))
        self._count = 0

    def add(self, table: Floats) -> None:
        """Append a table."""
        begin, self._count = self._count, self._count + table.shape[1]
        if self._count > self._table.shape[1]:
            narrower = self._table[:, :begin]
            self._table = np.zeros((COLUMNS, max(self._LARGE, self._GROWTH * self._count)))
            self._put(0, narrower)
        self._put(begin, table)

    def _put(self, begin: int, table: Floats) -> None:
        for row in np.flatnonzero(table.any(axis=1)).tolist():
            self._table[row, begin : begin + table.shape[1]] = table[row]

    def together(self) -> Floats:
        """The joined table."""
        return self._table[:, : self._count]


def blocks_of_lines(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The whole lines of each of `chunks`, and whether only blank lines follow."""
    block, line_parts = b"", []
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if not end:
            line_parts.append(chunk)
            continue
        lines = b"".join([*line_parts, memoryview(chunk)[:end]])
        line_parts = [chunk[end:]]
        if _holds_text(block) and _holds_text(lines):
            yield block, False
            block = b""
        block += lines
    rest = b"".join(line_parts)
    if _holds_text(rest) and _holds_text(block):
        yield block, False
        block = b""
    yield block + rest, True


def _holds_text(data: bytes) -> bool:
    return bool(data) and not data.isspace()


def decoded(line: str, line_number: int, may_be_cut: bool = False) -> Mapping[str, Any] | None:
    """The object in a line, or None if the line was cut off and `may_be_cut`.

    Raises UsageError for any other content.
    """
    try:
        record = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        if may_be_cut:
            return None
        hint = "is not JSON; expected a recording"
        raise UsageError(f"line {line_number} {hint}") from None
    if not isinstance(record, Mapping):
        raise UsageError(f"line {line_number} is not a JSON object; expected a recording")
    return record


def _no_constant(name: str) -> float:
    raise ValueError


def _sample(record: Mapping[str, Any], before_s: float) -> Sample:
    answer = record["query-migrate"]
    if not isinstance(answer, Mapping):
        raise UsageError(f"'query-migrate' is {quoted(answer)} where an object was expected")
    cause = record.get("on")
    if cause is not None and not isinstance(cause, str):
        raise UsageError(f"'on' is {quoted(cause)} where an event's name was expected")
    sample = Sample.from_query(number(record, "t"), number(record, "latency_ms"), answer, cause)
    if sample.t_s < before_s:
        raise UsageError(f"is out of order: a sample at {sample.t_s:.12g} s after one at {before_s:.12g} s")
    return sample


def _in_order(events: Iterable[Event], before: Sequence[Event]) -> Iterator[Event]:
    last_s = before[-1].t_s if before else -np.inf
    for event in events:
        if event.t_s < last_s:
            raise UsageError(f"is out of order: an event at {event.t_s:.12g} s after one at {last_s:.12g} s")
        last_s = event.t_s
        yield event
