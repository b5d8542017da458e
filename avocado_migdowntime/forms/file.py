# SPDX-License-Identifier: GPL-2.0-or-later
"""The single entry point for all input about a migration: a recording, or a text of any known form."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from ..basics import input_file
from ..errors import UsageError
from ..trace.bounds import pipe_in_bounds
from ..trace.file import is_recording, plain_chunks, recording
from ..trace.model import FROM_A_PIPE, Trace
from .foreign import of_bytes

_EXPECTED = "expected a recording, or a text about a migration"


def read(name: str) -> Trace:
    """The trace in the file `name` (`-`: standard input): a recording, or a text about a migration.

    The content decides which form it is: see `forms.catalogue`. Raises UsageError if the file cannot be read, has no
    known form, shows too little, contradicts itself, or is a pipe that holds too much. A recording that was cut off is
    used up to there; Trace.notes say so.
    """
    called = "standard input" if name == "-" else name
    try:
        return _parse(input_file.chunks(name), input_file.may_never_end(name))
    except OSError as error:
        raise UsageError(f"{called}: {error.strerror or error}; {_EXPECTED}{_instead_of(name, error)}") from None
    except UsageError as error:
        raise UsageError(f"{called}: {error}") from None


def parse(data: bytes) -> Trace:
    """The trace in the bytes of a file; raises UsageError as `read` does, without a file name."""
    size_bytes = input_file.CHUNK_BYTES
    return _parse(data[begin : begin + size_bytes] for begin in range(0, len(data), size_bytes))


def _instead_of(name: str, error: OSError) -> str:
    """What to give in place of what is no file."""
    if "://" in name:
        return f"; of a URL, give the content: curl -L {name}, and - for the file"
    if isinstance(error, IsADirectoryError):
        return "; of a directory of jobs' results, give its recordings, or make a page of them with `report`"
    return ""


def _was_read(first: bytes) -> bool:
    """Whether a recording was made from a text, so that its answers also say how they were read."""
    return b'"read": true' in first.lstrip().partition(b"\n")[0]


def _parse(source: Iterator[bytes], is_pipe: bool = False) -> Trace:
    notes: list[str] = []
    chunks = plain_chunks(source, notes)
    if is_pipe:
        chunks = pipe_in_bounds(chunks)
    first = next(chunks, b"")
    while not first.strip():
        more = next(chunks, b"")
        if not more:
            raise UsageError(f"is empty; {_EXPECTED}")
        first += more
    chunks = chain([first], chunks)
    was_read = is_recording(first) and _was_read(first)
    if is_recording(first) and not was_read:
        return recording(chunks, notes)
    if foreign := of_bytes(first):
        raise UsageError(foreign.sentence)
    trace = _of_text(chunks, notes)
    return replace(trace, header={**trace.header, "recorded": FROM_A_PIPE}) if was_read else trace


def _of_text(chunks: Iterator[bytes], notes: list[str]) -> Trace:
    """The trace in a text. Only a text needs all forms: to import them takes longer than to read most recordings."""
    from .gathering import trace_of
    from .order import items_in_order
    from .reader import Reader

    reader = Reader()
    return trace_of(items_in_order(reader, chunks), reader, notes)
