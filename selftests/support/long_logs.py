# SPDX-License-Identifier: GPL-2.0-or-later
"""Long logs, read at once and line by line, to compare the results."""

from collections.abc import Callable
from itertools import chain
from typing import Any

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.gathering import trace_of
from avocado_migdowntime.forms.many import Many
from avocado_migdowntime.forms.reader import Reader
from avocado_migdowntime.trace.model import Trace

PIECE_BYTES = 1 << 14


def pieces(data: bytes) -> list[bytes]:
    """The same bytes in pieces, as they are read from a file."""
    return [data[begin : begin + PIECE_BYTES] for begin in range(0, len(data), PIECE_BYTES)]


def line_by_line(data: bytes) -> Trace:
    """The trace of a text whose lines are all read one by one."""
    reader = Reader()
    return trace_of(chain(chain.from_iterable(map(reader.feed, pieces(data))), reader.end()), reader)


def at_once(data: bytes) -> int:
    """The number of a text's lines that are read together with others."""
    return sum(len(item.rows) for item in Reader().whole(pieces(data)) if isinstance(item, Many))


def told(trace: Trace) -> tuple[Any, ...]:
    """Everything in a trace."""
    samples = [repr(one) for one in trace.samples]
    return samples, trace.events, trace.header, trace.notes, trace.snapshot, trace.readings, trace.lacks


def outcome(read: Callable[[bytes], Trace], data: bytes) -> Any:
    """Everything in the resulting trace, or why there is none."""
    try:
        return told(read(data))
    except UsageError as error:
        return str(error)
