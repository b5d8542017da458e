# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces made by hand, figure by figure.

They are written and read as recordings, so that they depend only on the file format:

    trace = made(precopy(Pass(30_000), Pass(20_000), Pass(20_000)), limit_ms=300)

In a `precopy` a millisecond of bandwidth is 10 pages, and nothing is random.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.trace.model import Trace

PAGE_BYTES = 4096
PAGES_PER_MS = 10
MBPS = PAGES_PER_MS * PAGE_BYTES / 125
"""The bandwidth in QEMU's unit: 1 Mbps is 125 bytes per millisecond."""
DIRTY_PAGES_PER_S = 3000
"""Far from what the passes find, so that formulas are not confused: dirty-rate gives 300 ms."""
SYNC_MS = 1
"""From the last page of a pass to the first sample of the next."""

Row = dict[str, Any]
"""A line of a recording."""


@dataclass(frozen=True)
class Pass:
    """A pass whose sync found `pages` and that ended with `unsent` of them; the last pages it sent were `unseen`.

    Its first sample comes when `at_once` are sent; after the last one nothing is sent for `rest_ms`, until the sync.
    `expected_ms` is QEMU's report from 100 ms on, as a function of the milliseconds into the pass; by default the right
    one, in whole milliseconds. `mbps` is the bandwidth that QEMU shows; the real one stays the same.
    """

    pages: int
    unsent: int = 0
    unseen: int = 0
    at_once: int = 0
    rest_ms: int = 0
    period_ms: int = 20
    expected_ms: float | Callable[[float], float] | None = None
    mbps: float = MBPS
    rate: int = DIRTY_PAGES_PER_S

    @property
    def sent(self) -> int:
        """The pages that it sends."""
        return self.pages - self.unsent

    def said_ms(self, into_ms: float) -> float:
        """QEMU's report at that time into the pass."""
        if callable(self.expected_ms):
            return self.expected_ms(into_ms)
        return int(self.pages / PAGES_PER_MS) if self.expected_ms is None else self.expected_ms


def precopy(*passes: Pass, limit_ms: float = 1) -> list[Row]:
    """The samples of these passes: at the sync of each, every `period_ms` until its `unseen` pages, and right there.

    Until the first pass has ended there is no dirty rate, and QEMU reports the downtime-limit.
    """
    rows: list[Row] = []
    begin_ms, sent_before, said_ms = 0.0, 0, limit_ms
    for number, one in enumerate(passes, 1):
        step = one.period_ms * PAGES_PER_MS
        seen = one.sent - one.unseen
        moments = [((sent - one.at_once) / PAGES_PER_MS, sent) for sent in [*range(one.at_once, seen, step), seen]]
        rests = range(one.period_ms, one.rest_ms + 1, one.period_ms)
        for into_ms, sent in [*moments, *((moments[-1][0] + rest_ms, seen) for rest_ms in rests)]:
            if number > 1 and into_ms >= 100:
                said_ms = one.said_ms(into_ms)
            rows.append(
                row(
                    round(begin_ms + into_ms, 6) / 1000,
                    number,
                    one.pages - sent,
                    sent_before + sent,
                    expected_ms=said_ms,
                    mbps=one.mbps,
                    rate=one.rate if number > 1 else 0,
                )
            )
        begin_ms += (one.sent - one.at_once) / PAGES_PER_MS + one.rest_ms + SYNC_MS
        sent_before += one.sent
    return rows


def from_the_second(*passes: Pass) -> list[Row]:
    """The same without the samples of the first pass."""
    return [one for one in precopy(*passes) if one["query-migrate"]["ram"]["dirty-sync-count"] > 1]


def row(
    t_s: float,
    sync: int,
    remaining: int,
    sent: int,
    *,
    expected_ms: float | None = None,
    mbps: float = MBPS,
    rate: int = DIRTY_PAGES_PER_S,
    status: str = "active",
    latency_ms: float = 0.5,
    **more: Any,
) -> Row:
    """One sample, with amounts in pages; `more` are other fields of the answer."""
    ram = {
        "remaining": remaining * PAGE_BYTES,
        "page-size": PAGE_BYTES,
        "normal": sent,
        "duplicate": 0,
        "dirty-sync-count": sync,
        "mbps": mbps,
        "dirty-pages-rate": rate,
    }
    answer = {"status": status, "ram": ram, **more}
    if expected_ms is not None:
        answer["expected-downtime"] = expected_ms
    return {"t": t_s, "latency_ms": latency_ms, "query-migrate": answer}


def completed(rows: Sequence[Row], after_ms: float = 50, dirtied: int = 0, syncs: int = 2, **more: Any) -> Row:
    """The answer after the last of `rows`: everything is sent, including pages `dirtied` after the last sync.

    QEMU syncs before it switches over, and when the guest is stopped: that many `syncs` come after those of `rows`.
    """
    ram = rows[-1]["query-migrate"]["ram"]
    sent = ram["normal"] + ram["remaining"] // PAGE_BYTES + dirtied
    number = ram["dirty-sync-count"] + syncs
    return row(rows[-1]["t"] + after_ms / 1000, number, 0, sent, status="completed", **more)


def event(t_s: float, side: str, name: str, data: Mapping[str, Any] | None = None, stamp_s: float | None = None) -> Row:
    """An event as in a recording, with QEMU's time stamp."""
    message: dict[str, Any] = {"event": name, "data": data or {}}
    if stamp_s is not None:
        seconds, microseconds = divmod(round(stamp_s * 1e6), 1_000_000)
        message["timestamp"] = {"seconds": seconds, "microseconds": microseconds}
    return {"t": t_s, "side": side, "event": message}


def made(
    rows: Iterable[Row],
    events: Iterable[Row] = (),
    limit_ms: float | None = 1,
    header: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Trace:
    """The trace of these samples and events, with the downtime-limit and other migrate-parameters in its header."""
    limit = {} if limit_ms is None else {"downtime-limit": limit_ms}
    first = {"qemu": {}, "migrate-parameters": {**limit, **(parameters or {})}, **(header or {})}
    return parse(b"\n".join(map(msgspec.json.encode, [first, *rows, *events])))


def answers(rows: Iterable[Row], sync: int) -> Iterator[dict[str, Any]]:
    """The answers of one pass, to be modified in place."""
    for one in rows:
        answer = one["query-migrate"]
        if answer["ram"]["dirty-sync-count"] == sync:
            yield answer
