# SPDX-License-Identifier: GPL-2.0-or-later
"""Sampling a migration over QMP: at a steady rate, and at once when a pass begins."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from typing import Any

from qemu.qmp import EventListener

from ..errors import HarnessError
from ..trace import ENDED, Sample
from ..trace_file import TraceWriter
from .process import QemuProcess

_LAST_EVENTS_S = 0.2
"""What both sides announce of the switchover arrives soon after it."""


class Recorder:
    """Writes what the source answers and what both sides announce into a trace, from just before `migrate`."""

    def __init__(self, source: QemuProcess, destination: QemuProcess, writer: TraceWriter, rate_hz: float) -> None:
        self._sides = {"source": source, "destination": destination}
        self._writer = writer
        self._period_s = 1 / rate_hz
        self._zero_s = time.monotonic()
        self._events: asyncio.Queue[tuple[float, str, dict[str, Any]]] = asyncio.Queue()

    async def samples(self, uri: str) -> AsyncGenerator[Sample, None]:
        """Start the migration to `uri` and yield each sample as it is written, until the migration has ended.

        An answer is one sample; the one that MIGRATION_PASS asked for comes between two of the steady ones. Raises
        HarnessError where the source ends or refuses, and where the migration fails or is cancelled.
        """
        with contextlib.ExitStack() as listeners:
            pumps = [
                asyncio.create_task(self._pump(side, listeners.enter_context(qemu.qmp.listener())))
                for side, qemu in self._sides.items()
            ]
            try:
                self._zero_s = time.monotonic()
                await self._sides["source"].execute("migrate", {"uri": uri})
                async for sample in self._sample_until_ended():
                    yield sample
                await asyncio.sleep(_LAST_EVENTS_S)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
                while not self._events.empty():
                    self._writer.event(*self._events.get_nowait())

    async def _sample_until_ended(self) -> AsyncGenerator[Sample, None]:
        due_s = 0.0
        while True:
            cause = await self._wait_until(due_s)
            if cause is None:
                due_s = max(due_s + self._period_s, self._now_s())
            sample = await self._sample(cause)
            yield sample
            if sample.status in ENDED:
                return

    async def _sample(self, cause: str | None) -> Sample:
        asked_s = self._now_s()
        answer = await self._sides["source"].execute("query-migrate")
        latency_ms = (self._now_s() - asked_s) * 1000
        self._writer.sample(asked_s, latency_ms, answer, cause)
        if answer.get("status") in ENDED - {"completed"}:
            why = answer.get("error-desc", "QEMU does not say why")
            last_words = self._sides["destination"].last_words()
            raise HarnessError(f"the migration is {answer['status']}: {why}; the destination said: {last_words}")
        return Sample.from_query(asked_s, latency_ms, answer, cause)

    async def _wait_until(self, due_s: float) -> str | None:
        """Write events until it is time for a sample; gives MIGRATION_PASS when that event asks for one at once."""
        while True:
            left_s = due_s - self._now_s()
            try:
                if left_s > 0:
                    arrived_s, side, message = await asyncio.wait_for(self._events.get(), left_s)
                else:
                    arrived_s, side, message = self._events.get_nowait()
            except (TimeoutError, asyncio.QueueEmpty):
                return None
            self._writer.event(arrived_s, side, message)
            if message["event"] == "MIGRATION_PASS" and side == "source":
                return "MIGRATION_PASS"

    async def _pump(self, side: str, listener: EventListener) -> None:
        async for message in listener:
            self._events.put_nowait((self._now_s(), side, dict(message)))

    def _now_s(self) -> float:
        return time.monotonic() - self._zero_s
