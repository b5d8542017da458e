# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces as files: JSON lines, plain or gzip-compressed, written as they come so that a killed run leaves a trace.

The first line is the header; each later one is a sample (`t`, `latency_ms`, `query-migrate`, perhaps `on`) or an
event (`t`, `side`, `event`: a QMP message, or one of the harness's own). Times are seconds on a monotonic clock
since just before `migrate`.
"""

import json
import reprlib
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from ..errors import HarnessError, UsageError
from .info_migrate import looks_like_info_migrate, parse_info_migrate
from .model import Event, Sample, Trace, number

_GZIP = b"\x1f\x8b"


class TraceWriter:
    """Streams a trace into a file; each line is handed to the system at once.

    Raises UsageError for a header that could not be read again, OSError where the file cannot be made, and HarnessError
    where it cannot be written any further.
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        first = _header(header)
        self._file: TextIO = path.open("w", encoding="utf-8", buffering=1)
        self._line(first)

    def sample(self, t_s: float, latency_ms: float, answer: Mapping[str, Any], on: str | None = None) -> None:
        """Append QEMU's whole `answer` to query-migrate."""
        cause = {"on": on} if on else {}
        self._line({"t": round(t_s, 6), "latency_ms": round(latency_ms, 3), **cause, "query-migrate": answer})

    def event(self, t_s: float, side: str, message: Mapping[str, Any]) -> None:
        """Append an asynchronous QMP message of the `source` or the `destination`."""
        self._line({"t": round(t_s, 6), "side": side, "event": message})

    def close(self) -> None:
        """End the file."""
        with self._writing():
            self._file.close()

    def _line(self, record: Mapping[str, Any]) -> None:
        with self._writing():
            self._file.write(json.dumps(record) + "\n")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise HarnessError(
                f"{self._file.name} cannot be written any further: {error.strerror}; make room, or choose another place"
            ) from None


def read(name: str) -> Trace:
    """The trace in the file `name` (`-`: standard input): a recording, or the text of HMP `info migrate`.

    Raises UsageError where it cannot be read, is empty, is something else, or contradicts itself. A recording that
    was cut off is used up to there; Trace.notes say so.
    """
    try:
        data = _standard_input() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        expected = "expected a recorded migration or `info migrate` text"
        raise UsageError(f"{name}: {error.strerror or error}; {expected}") from None
    try:
        return parse(data)
    except UsageError as error:
        raise UsageError(f"{'standard input' if name == '-' else name}: {error}") from None


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise OSError("standard input is closed")
    return sys.stdin.buffer.read()


def parse(data: bytes) -> Trace:
    """The trace that the bytes of a file hold; raises UsageError as `read` does, without naming a file."""
    notes: list[str] = []
    if data[:2] == _GZIP:
        data = _inflate(data, notes)
    if not data.strip():
        raise UsageError("is empty; expected a recorded migration or `info migrate` text")
    text = data.decode("utf-8-sig", errors="replace")
    if looks_like_info_migrate(text):
        return parse_info_migrate(text)
    return _parse_lines(text, notes)


def _inflate(data: bytes, notes: list[str]) -> bytes:
    """The plain bytes of one or more gzip members; what is cut or foreign behind them is left out with a note."""
    plain = b""
    while data[:2] == _GZIP:
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            plain += stream.decompress(data)
        except zlib.error as error:
            raise UsageError(f"is a damaged gzip file ({error}); record or copy it again") from None
        if not stream.eof:
            notes.append("the gzip file is cut off: used up to there")
            return plain
        data = stream.unused_data
    if data.strip(b"\0"):
        notes.append("bytes behind the gzip file's end are left out")
    return plain


def _parse_lines(text: str, notes: list[str]) -> Trace:
    header: Mapping[str, Any] | None = None
    samples: list[Sample] = []
    events: list[Event] = []
    for line_number, record in _records(text, notes):
        try:
            if header is None:
                header = _header(record)
            elif "query-migrate" in record:
                samples.append(_sample(record, samples))
            elif "event" in record:
                events.append(_event(record, events))
            else:
                raise UsageError("is neither a sample nor an event")
        except UsageError as error:
            raise UsageError(f"line {line_number}: {error}") from None
    if header is None or not samples:
        raise UsageError("holds no query-migrate sample; expected a recorded migration")
    return Trace(tuple(samples), tuple(events), header, tuple(notes))


def _records(text: str, notes: list[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    lines = text.split("\n")
    for line_number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            if line_number > 1 and not any(rest.strip() for rest in lines[line_number:]):
                notes.append(f"cut off in line {line_number}: used up to there")
                return
            hint = "is no JSON; expected a recorded migration or `info migrate` text"
            raise UsageError(f"line {line_number} {hint}") from None
        if not isinstance(record, Mapping):
            raise UsageError(f"line {line_number} is not a JSON object; expected a recorded migration")
        yield line_number, record


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _header(record: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(record.get("qemu"), Mapping) or not isinstance(record.get("migrate-parameters"), Mapping):
        raise UsageError(
            "has no 'qemu' and 'migrate-parameters' objects; this is not the header of a recorded migration"
        )
    Trace((), header=record).downtime_limit_ms  # noqa: B018 - raises on a wrong type
    if not isinstance(record["qemu"].get("qemu", {}), Mapping):
        raise UsageError(f"'qemu' is {reprlib.repr(record['qemu'])} where the answer to query-version was expected")
    Trace((), header=record).host_page_bytes  # noqa: B018 - raises on a wrong type
    capabilities = record.get("capabilities", [])
    if not isinstance(capabilities, list) or not all(isinstance(name, str) for name in capabilities):
        raise UsageError(f"'capabilities' is {reprlib.repr(capabilities)} where a list of names was expected")
    return record


def _sample(record: Mapping[str, Any], before: list[Sample]) -> Sample:
    answer = record["query-migrate"]
    if not isinstance(answer, Mapping):
        raise UsageError(f"'query-migrate' is {reprlib.repr(answer)} where an object was expected")
    cause = record.get("on")
    if cause is not None and not isinstance(cause, str):
        raise UsageError(f"'on' is {reprlib.repr(cause)} where an event's name was expected")
    sample = Sample.from_query(number(record, "t"), number(record, "latency_ms"), answer, cause)
    if before and sample.t_s < before[-1].t_s:
        raise UsageError(f"is out of order: a sample at {sample.t_s} s after one at {before[-1].t_s} s")
    return sample


def _event(record: Mapping[str, Any], before: list[Event]) -> Event:
    message, data = record["event"], {}
    if isinstance(message, Mapping):
        data = message.get("data", {})
    if not isinstance(message, Mapping) or not isinstance(message.get("event"), str) or not isinstance(data, Mapping):
        raise UsageError(f"'event' is {reprlib.repr(message)} where a QMP event was expected")
    event = Event(number(record, "t"), str(record.get("side", "")), message["event"], data, _stamp_s(message))
    if before and event.t_s < before[-1].t_s:
        raise UsageError(f"is out of order: an event at {event.t_s} s after one at {before[-1].t_s} s")
    return event


def _stamp_s(message: Mapping[str, Any]) -> float | None:
    stamp = message.get("timestamp")
    if not isinstance(stamp, Mapping):
        return None
    return number(stamp, "seconds") + number(stamp, "microseconds") / 1e6
