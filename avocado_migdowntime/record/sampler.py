# SPDX-License-Identifier: GPL-2.0-or-later
"""Samples a migration over QMP: at a steady rate, and at once when a pass begins."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, Self

from ..errors import HarnessError, UsageError
from ..oracle.evidence import Evidence
from ..oracle.growing import GrowingEvidence
from ..trace.events import HARNESS, Event, event_of
from ..trace.file import Writer
from ..trace.model import Trace
from ..trace.sample import ENDED, Sample
from ..trace.samples import Samples
from .pace import Pace

_TRY = "use another QEMU, 5.2 or later"
_LAST_EVENTS_S = 0.2
"""Events of the switchover arrive soon after it: within this time, or until the sides end."""


class Listened(Protocol):
    """A connection over which QMP events come."""

    def listener(self) -> AbstractContextManager[AsyncIterable[Mapping[str, Any]]]:
        """The events that come within the block."""


class Announcing(Protocol):
    """A source of events."""

    @property
    def qmp(self) -> Listened:
        """The connection to listen to."""


class Answering(Protocol):
    """A QEMU that answers QMP."""

    async def execute(self, command: str, arguments: Mapping[str, object] | None = None) -> Any:
        """QMP's answer to `command`; raises HarnessError if QEMU refuses or is gone."""


class Sampler:
    """Writes the answers of `source` and the events of all in `announcing` into a trace, within an `async with` block.

    `announcing` maps sides to event sources. The trace's time is zero when the block is entered.
    """

    def __init__(self, source: Answering, writer: Writer, rate_hz: float, announcing: Mapping[str, Announcing]) -> None:
        self._source = source
        self._announcing = announcing
        self._writer = writer
        begin = Trace(Samples(), header=writer.header)
        self._pace = Pace(1 / rate_hz, begin.downtime_limit_ms, begin.switchover_bytes_per_ms)
        self._growing = GrowingEvidence(writer.header)
        self._zero_s = time.monotonic()
        self._events: asyncio.Queue[tuple[float, str, Mapping[str, Any]]] = asyncio.Queue()
        self._listeners = contextlib.ExitStack()
        self._pumps: list[asyncio.Task[None]] = []
        self._going_on = set(self._announcing)
        self._all_ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._pumps = [
            asyncio.create_task(self._pump(side, self._listeners.enter_context(each.qmp.listener())))
            for side, each in self._announcing.items()
        ]
        self._zero_s = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LAST_EVENTS_S):
                        await self._all_ended.wait()
        finally:
            for pump in self._pumps:
                pump.cancel()
            await asyncio.gather(*self._pumps, return_exceptions=True)
            self._listeners.close()
            while not self._events.empty():
                with contextlib.suppress(*(() if kind is None else (HarnessError,))):  # One is already raised.
                    self._write(*self._events.get_nowait())

    async def answered_samples(self) -> AsyncGenerator[tuple[Sample, Mapping[str, Any]], None]:
        """Yield each sample with the answer that it was made from, as it is written, until the migration has ended.

        Each answer is one sample; the sample that a MIGRATION_PASS event triggers comes between two steady ones. Raises
        HarnessError if the source ends, refuses, or leaves out what every QEMU answers.
        """
        due_s = 0.0
        while True:
            cause = await self._wait_until(due_s)
            asked_s = self.now_s()
            answer = await self._source.execute("query-migrate")
            latency_ms = (self.now_s() - asked_s) * 1000
            if _is_torn(answer):
                continue
            sample = _sample(asked_s, latency_ms, answer, cause)
            self._writer.sample(asked_s, latency_ms, answer, cause)
            self._growing.sample(sample)
            due_s = self._pace.next_s(sample)
            yield sample, answer
            # QEMU reports `completed` a moment before it computes the downtime.
            if sample.status in ENDED and answer.get("total-time") != 0:
                return

    def note(self, name: str, data: Mapping[str, Any]) -> None:
        """Record what the harness itself does or finds, at this moment."""
        self._events.put_nowait((self.now_s(), HARNESS, {"event": name, "data": data}))

    def evidence(self) -> Evidence:
        """The evidence from the samples and events so far."""
        return self._growing.evidence()

    def now_s(self) -> float:
        """Seconds since the trace's zero."""
        return self.at_s(time.monotonic())

    def at_s(self, monotonic_s: float) -> float:
        """A time of `time.monotonic` in seconds since the trace's zero."""
        return monotonic_s - self._zero_s

    async def _wait_until(self, due_s: float) -> str | None:
        """Write events until it is time for a sample; return MIGRATION_PASS if that event triggers one at once."""
        while True:
            left_s = due_s - self.now_s()
            try:
                if left_s > 0:
                    # Not wait_for: in Python 3.11 it loses a cancellation that comes together with an event.
                    async with asyncio.timeout(left_s):
                        arrived_s, side, message = await self._events.get()
                else:
                    arrived_s, side, message = self._events.get_nowait()
            except (TimeoutError, asyncio.QueueEmpty):
                return None
            event = self._write(arrived_s, side, message)
            self._growing.event(event)
            if event.limit_ms is not None:
                self._pace.limit_ms = event.limit_ms
            if event.name == "MIGRATION_PASS" and side == "source":
                return "MIGRATION_PASS"

    def _write(self, arrived_s: float, side: str, message: Mapping[str, Any]) -> Event:
        try:
            event = event_of(arrived_s, side, message)
        except UsageError as error:
            raise HarnessError(
                f"an event of the {side} QEMU differs from QEMU's documentation: {error}; {_TRY}"
            ) from None
        self._writer.event(arrived_s, side, message)
        return event

    async def _pump(self, side: str, listener: AsyncIterable[Mapping[str, Any]]) -> None:
        async for message in listener:
            self._events.put_nowait((self.now_s(), side, dict(message)))
            if _ends(message):
                self._going_on.discard(side)
                if not self._going_on:
                    self._all_ended.set()


def _ends(message: Mapping[str, Any]) -> bool:
    data = message.get("data")
    return message["event"] == "MIGRATION" and isinstance(data, Mapping) and data.get("status") in tuple(ENDED)


def _is_torn(answer: Mapping[str, Any]) -> bool:
    """Whether the migration completed while QEMU built this answer.

    QEMU reads the state once for `status`, and again to choose which of the two downtimes to report
    (migration/migration.c: fill_source_migration_info, populate_time_info).
    """
    return answer.get("status") == "active" and "downtime" in answer and "expected-downtime" not in answer


def _sample(asked_s: float, latency_ms: float, answer: Mapping[str, Any], cause: str | None) -> Sample:
    try:
        sample = Sample.from_query(asked_s, latency_ms, answer, cause)
    except UsageError as error:
        raise HarnessError(
            f"QEMU's answer to query-migrate differs from QEMU's documentation: {error}; {_TRY}"
        ) from None
    lacking = [name for name in ("ram", "expected-downtime") if name not in answer]
    if sample.status == "active" and lacking:
        raise HarnessError(
            f"QEMU's answer to query-migrate has no {lacking[0]!r}, as that of an active migration should; {_TRY}"
        )
    return sample
