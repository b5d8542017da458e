# SPDX-License-Identifier: GPL-2.0-or-later
"""Recording a migration from what a repeated command prints, over a pipe."""

import codecs
import os
import reprlib
import select
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

from ..errors import UsageError
from ..oracle.growing import GrowingEvidence
from ..trace.file import Writer
from ..trace.samples import Sample
from .documents import Documents
from .new_trace import NewTrace, Show, runs

_CHUNK_BYTES = 1 << 16


def record(pipe: int, new_trace: NewTrace, wait_s: float, limit_ms: int | None, show: Show) -> None:
    """Record the migration whose figures come over the descriptor `pipe`, until it or they end.

    A sample's time is that of its reading; `limit_ms` is the downtime-limit, if known. `show` gets each sample.
    Raises UsageError where something else comes, or no migration within `wait_s`; what is on record until then is kept.
    """
    with closing(new_trace):
        consume(_messages(pipe, new_trace, wait_s), new_trace, limit_ms, show)


def consume(
    messages: Iterable[tuple[float, Mapping[str, Any]]],
    new_trace: NewTrace,
    limit_ms: int | None,
    show: Show,
) -> None:
    """Record the migration that `messages` tell of, QMP's answers with their times in seconds.

    An answer to query-version or query-migrate-parameters that comes first goes into the trace's header.
    """
    known = {} if limit_ms is None else {"downtime-limit": limit_ms}
    header: dict[str, Any] = {"qemu": {}, "migrate-parameters": known, "recorded": "from a pipe"}
    writer: Writer | None = None
    growing = GrowingEvidence(header)
    for t_s, message in messages:
        answer = _answer(message)
        sample = Sample.from_query(t_s, 0, answer)
        if "downtime-limit" in answer:
            header["migrate-parameters"] = answer
        elif "qemu" in answer:
            header["qemu"] = answer
        elif writer is None and not runs(sample.status):
            continue
        elif sample.status == "none":
            return  # libvirt knows of no job any more
        else:
            if writer is None:
                writer, growing = new_trace.open(header), GrowingEvidence(header)
            writer.sample(t_s, 0, answer)
            new_trace.count(sample)
            growing.sample(sample)
            show(sample, growing.evidence)
            if new_trace.ended:
                return


def _answer(message: Mapping[str, Any]) -> Mapping[str, Any]:
    if "error" in message:
        raise UsageError(f"QEMU answered with the error {reprlib.repr(message['error'])}")
    answer = message.get("return", message)
    if not isinstance(answer, Mapping) or not _is_known(answer):
        raise UsageError(f"{reprlib.repr(answer)} is no answer to query-migrate")
    return answer


def _is_known(answer: Mapping[str, Any]) -> bool:
    # query-status has a status as well
    return not answer or (bool(answer.keys() & {"status", "downtime-limit", "qemu"}) and "running" not in answer)


def _messages(pipe: int, new_trace: NewTrace, wait_s: float) -> Iterator[tuple[float, Mapping[str, Any]]]:
    documents, decoder = Documents(), codecs.getincrementaldecoder("utf-8")(errors="replace")
    zero_s = time.monotonic()
    while True:
        if not new_trace.samples:
            left_s = zero_s + wait_s - time.monotonic()
            if left_s < 0 or not select.select([pipe], [], [], left_s)[0]:
                raise UsageError(f"no running migration was read within {wait_s:g} s; start it, or --wait longer")
        try:
            chunk = os.read(pipe, _CHUNK_BYTES)
        except OSError as error:
            raise UsageError(f"the pipe cannot be read: {error.strerror}") from None
        if not chunk:
            break
        yield from documents.feed(decoder.decode(chunk), time.monotonic() - zero_s)
    yield from documents.end()
