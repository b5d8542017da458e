# SPDX-License-Identifier: GPL-2.0-or-later
"""Records a migration from a text about it that arrives through a pipe."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing

from ..errors import UsageError
from ..forms.course import Courses
from ..forms.filling import AS_READ
from ..forms.many import Many
from ..forms.order import MAIL_BYTES, items_in_order
from ..forms.reader import Reader
from ..forms.refusal import nothing_told
from ..forms.rows import Begins, EventRow, Row
from ..trace.file import Writer
from ..trace.model import FROM_A_PIPE
from ..trace.reading import Item
from ..trace.sample import Sample
from .new_trace import NewTrace, Show, runs
from .pipe import Pipe

SILENCE_S = 0.5
"""After this long without a byte, a text counts as ended even if its last line has no end."""
_AT_ONCE_S = 0.1
"""Within this time, all of a text has arrived that somebody pipes from a file."""


def record(
    pipe: int,
    new_trace: NewTrace,
    wait_s: float,
    limit_ms: int | None,
    show: Show,
    say: Callable[[str], object] = lambda _: None,
) -> None:
    """Record the migration whose figures come over the descriptor `pipe`, until it or they end.

    A sample's time is the migration's own, or the log's; the time of reading only if the text has neither. `limit_ms`
    is the downtime-limit, if known. `show` gets each sample, `say` what of a gzip file is not used. Raises UsageError
    if no migration comes within `wait_s`, or nothing about one; what was recorded until then is kept.
    """
    reader = Reader()
    with closing(new_trace):
        remarks = consume(_items(Pipe(pipe, say), reader, new_trace, wait_s), new_trace, limit_ms, show)
    if not new_trace.samples:
        raise nothing_told(reader, remarks)


def consume(items: Iterable[Item], new_trace: NewTrace, limit_ms: int | None, show: Show) -> Sequence[str]:
    """Record the first migration in `items` that has not ended yet, until it ends or another one begins.

    Returns the reader's remarks about the text.
    """
    courses = Courses({} if limit_ms is None else {"downtime-limit": limit_ms})
    recording = _Recording(courses, new_trace, show)
    for item in items:
        for of, row in courses.rows(item):
            if recording.ends_with(of, row):
                return courses.remarks
    for row in courses[recording.of].rest() if recording.has_begun else ():
        recording.ends_with(recording.of, row)
    return [*courses.in_vain, *recording.over]


class _Recording:
    """Takes the rows of a text, and writes those of the first migration that has not ended yet."""

    def __init__(self, courses: Courses, new_trace: NewTrace, show: Show) -> None:
        self._courses, self._new_trace, self._show = courses, new_trace, show
        self._writer: Writer | None = None
        self.of = ""
        self.over: Sequence[str] = ()
        """What to say about a migration that had ended before anything of it was read."""
        self._ahead: list[tuple[str, EventRow]] = []
        """By guest, what happened in a migration before its first sample."""

    @property
    def has_begun(self) -> bool:
        """Whether recording has begun."""
        return self._writer is not None

    def ends_with(self, of: str, row: Row) -> bool:
        """Write the row if it belongs to the recorded migration; return whether it ends that."""
        if self.has_begun and of != self.of:
            return False
        if isinstance(row, Begins):
            self._new_trace.is_followed = self.has_begun
            self._ahead = [one for one in self._ahead if one[0] != of]
            return self.has_begun
        if isinstance(row, EventRow):
            if self._writer is None:
                self._ahead.append((of, row))
            else:
                self._writer.event(row.t_s, row.side, row.message)
            return False
        answer = row.filled.recordable
        sample = Sample.from_query(row.t_s, row.latency_ms, row.filled.figures)
        if self._writer is None:
            if not runs(sample.status):
                self.over = [f"the migration in this text is over: its status is {sample.status}"]
                return False
            self.of = of
            as_read = {"read": True} if AS_READ in answer else {}
            header = self._courses[of].header
            self._writer = self._new_trace.open({**header, "recorded": FROM_A_PIPE, **as_read})
            for its, ahead in self._ahead:
                if its == of:
                    self._writer.event(ahead.t_s, ahead.side, ahead.message)
        self._writer.sample(row.t_s, row.latency_ms, answer)
        self._new_trace.count(sample)
        self._show(sample)
        return self._new_trace.ended or self._new_trace.is_gone


def _items(pipe: Pipe, reader: Reader, new_trace: NewTrace, wait_s: float) -> Iterator[Item]:
    zero_s, is_first, is_empty = time.monotonic(), True, True
    while True:
        now_s = time.monotonic() - zero_s
        left_s = SILENCE_S if new_trace.samples else wait_s - now_s
        if left_s < 0:
            raise UsageError(f"no running migration was read within {wait_s:g} s; start it, or use a larger --wait")
        if not pipe.has_more(min(left_s, SILENCE_S)):
            yield from reader.settle()
            continue
        chunk = pipe.read()
        if pipe.is_at_end:
            break
        if is_first:
            is_first = False
            chunk, is_whole = _at_once(pipe, chunk)
            if is_whole and chunk.strip():
                yield from whole(reader, chunk)
                return
        is_empty = is_empty and not chunk.strip()
        yield from reader.feed(chunk, time.monotonic() - zero_s)
    if is_empty:
        raise UsageError("standard input is empty; pipe the output of `virsh domjobinfo GUEST` in a loop into it")
    yield from reader.end(time.monotonic() - zero_s)


def whole(reader: Reader, text: bytes) -> Iterator[Item]:
    """The items that `reader` reads from a complete text, in the order of time."""
    for item in items_in_order(reader, iter([text])):
        yield from item.readings() if isinstance(item, Many) else (item,)


def _at_once(pipe: Pipe, first: bytes) -> tuple[bytes, bool]:
    """Read what comes without a pause; return it, and whether it is everything."""
    read, size_bytes = [first], len(first)
    end_s = time.monotonic() + _AT_ONCE_S
    while size_bytes < MAIL_BYTES and pipe.has_more(max(0.0, end_s - time.monotonic())):
        read.append(pipe.read())
        if pipe.is_at_end:
            return b"".join(read), True
        size_bytes += len(read[-1])
    return b"".join(read), False
