# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces as files: JSON lines, plain or gzip-compressed, written at once so that a killed run leaves a trace.

The first line is the header. Each later line is a sample (`t`, `latency_ms`, `query-migrate`, perhaps `on`) or an event
(`t`, `side`, `event`: a QMP message, or one of the harness's own). Times are seconds on a monotonic clock, counted from
just before `migrate`.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from ..basics.input_file import CHUNK_BYTES
from ..basics.whole_file import open_new
from ..errors import HarnessError, UsageError
from .bounds import LONGEST_LINE_BYTES, Counted, in_bounds, inflated_in_bounds
from .decode import LinesDecoder, blocks_of_lines, decoded
from .gunzip import MAGIC, Gunzip
from .model import Trace, checked_header
from .samples import Samples


class Writer(Protocol):
    """Receives a trace as it is recorded."""

    header: Mapping[str, Any]

    def sample(self, t_s: float, latency_ms: float, answer: Mapping[str, Any], on: str | None = None) -> None:
        """Take QEMU's whole `answer` to query-migrate."""

    def event(self, t_s: float, side: str, message: Mapping[str, Any]) -> None:
        """Take an asynchronous QMP message of the `source` or the `destination`."""

    def close(self) -> None:
        """Finish the trace."""


class TraceWriter:
    """Streams a trace into a new file; each line is passed to the system at once.

    `is_new` is false if it goes into an existing pipe or device. Raises UsageError for a header that could not be read
    back, OSError if the file cannot be created, and HarnessError if it cannot be written any further.
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        first = checked_header(header)
        self.header = header
        self._file, self.is_new = open_new(path)
        self._name = str(path)
        try:
            self._line(first)
        except HarnessError:
            if self.is_new:
                path.unlink()
            raise

    def sample(self, t_s: float, latency_ms: float, answer: Mapping[str, Any], on: str | None = None) -> None:
        """Append QEMU's whole `answer` to query-migrate."""
        cause = {"on": on} if on else {}
        row = {"t": round(t_s, 6), "latency_ms": round(latency_ms, 3), **cause, "query-migrate": answer}
        self._line(row, "the source QEMU")

    def event(self, t_s: float, side: str, message: Mapping[str, Any]) -> None:
        """Append an asynchronous QMP message of the `source` or the `destination`."""
        self._line({"t": round(t_s, 6), "side": side, "event": message}, f"the {side} QEMU")

    def close(self) -> None:
        """Close the file."""
        with self._writing():
            self._file.close()

    def _line(self, record: Mapping[str, Any], whose: str = "QEMU") -> None:
        line = json.dumps(record)
        if len(line) > LONGEST_LINE_BYTES:
            raise HarnessError(
                f"{whose} sent {len(line) / 1e6:.0f} MB in one message, which no QEMU does; use another QEMU, 5.2 or "
                "later"
            )
        with self._writing():
            self._file.write(f"{line}\n")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise HarnessError(
                f"{self._name} cannot be written any further: {error.strerror}; make room, or choose another place"
            ) from None


def is_recording(first: bytes) -> bool:
    """Whether a file is a recording, by its `first` bytes, which must not all be blanks.

    Its first line is an object with the keys of a header.
    """
    line = first.removeprefix("\ufeff".encode()).lstrip().partition(b"\n")[0]
    return line.startswith(b"{") and b'"migrate-parameters"' in line and b'"qemu"' in line


def plain_chunks(chunks: Iterator[bytes], notes: list[str]) -> Iterator[bytes]:
    """The chunks of a file as plain bytes, decompressed if needed; adds a note for each part that is left out.

    Raises UsageError if they are too much.
    """
    first = next(chunks, b"")
    whole: Iterator[bytes] = chain([first], chunks)
    if first[:2] == MAGIC:
        packed = Counted(whole)
        whole = inflated_in_bounds(_inflated(packed, notes), packed)
    return in_bounds(whole)


def _inflated(chunks: Iterator[bytes], notes: list[str]) -> Iterator[bytes]:
    """The plain bytes of one or more gzip members; a cut or foreign end is left out, with a note."""
    gunzip = Gunzip(CHUNK_BYTES, notes.append)
    try:
        for data in chunks:
            yield from gunzip.feed(data)
            if gunzip.is_over:
                return
        yield from gunzip.end()
    except zlib.error as error:
        raise UsageError(f"is a damaged gzip file ({error}); record or copy it again") from None


def recording(chunks: Iterator[bytes], notes: list[str]) -> Trace:
    """The trace in the plain bytes of a recording; raises UsageError if a line is wrong."""
    decoder: LinesDecoder | None = None
    header: Mapping[str, Any] = {}
    for block, is_last in blocks_of_lines(chunks):
        lines = block
        if decoder is None:
            blank = len(block) - len(block.lstrip())
            first, _, lines = block[blank:].removeprefix("\ufeff".encode()).partition(b"\n")
            line_number = 1 + block.count(b"\n", 0, blank)
            record = decoded(first.decode("utf-8", errors="replace"), line_number)
            header, decoder = _header(record or {}, line_number), LinesDecoder(line_number + 1)
        decoder.add(lines, is_last)
    samples = decoder.samples() if decoder is not None else Samples()
    if decoder is None or not len(samples):
        raise UsageError("has no answer to query-migrate in it; expected a recording")
    if decoder.cut_off:
        notes.append(f"cut off in line {decoder.cut_off}: used up to there")
    notes += decoder.notes
    return Trace(samples, tuple(decoder.events), header, tuple(notes))


def _header(record: Mapping[str, Any], line_number: int = 1) -> Mapping[str, Any]:
    try:
        return checked_header(record)
    except UsageError as error:
        raise UsageError(f"line {line_number}: {error}") from None
