# SPDX-License-Identifier: GPL-2.0-or-later
"""The one way in for whatever tells of a migration: a recording, or a text of any form that is known."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from ..errors import UsageError
from ..trace.file import is_recording, plain_chunks, recording
from ..trace.model import Trace
from .gathering import trace_of
from .reader import Reader

_CHUNK_BYTES = 1 << 18


def read(name: str) -> Trace:
    """The trace in the file `name` (`-`: standard input): a recording, or a text that tells of a migration.

    What it is shows in what is in it: see `forms.catalogue`. Raises UsageError where it cannot be read, is none of
    these, tells too little or contradicts itself. A recording that was cut off is used up to there; Trace.notes say so.
    """
    try:
        with _standard_input() if name == "-" else Path(name).open("rb") as file:
            return _parse(file)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}; expected a recorded migration or a text of one") from None
    except UsageError as error:
        raise UsageError(f"{'standard input' if name == '-' else name}: {error}") from None


def parse(data: bytes) -> Trace:
    """The trace that the bytes of a file hold; raises UsageError as `read` does, without naming a file."""
    return _parse(io.BytesIO(data))


@contextmanager
def _standard_input() -> Iterator[BinaryIO]:
    if sys.stdin is None:
        raise OSError("standard input is closed")
    yield sys.stdin.buffer


def _parse(file: BinaryIO) -> Trace:
    notes: list[str] = []
    chunks = plain_chunks(iter(lambda: file.read(_CHUNK_BYTES), b""), notes)
    first = next(chunks, b"")
    while not first.strip():
        more = next(chunks, b"")
        if not more:
            raise UsageError("is empty; expected a recorded migration or a text of one")
        first += more
    chunks = chain([first], chunks)
    if is_recording(first):
        return recording(chunks, notes)
    reader = Reader()
    return trace_of(chain(chain.from_iterable(map(reader.feed, chunks)), reader.end()), reader, notes)
