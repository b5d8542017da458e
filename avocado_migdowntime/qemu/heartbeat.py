# SPDX-License-Identifier: GPL-2.0-or-later
"""The times of the guest's last heartbeat at the source and its first at the destination, on this host's clock.

Each side is watched separately, so one of them may be on another host. Until the switchover, incoming pages overwrite
the destination's copy of the beat count, so it never exceeds the source's last count. A count above that is therefore a
beat at the destination.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from ..agent.memory import BeatLog, word
from ..guest_memory.telemetry import HEARTBEAT_COUNT_OFFSET
from .guest_ram import SharedRam

_LOOK_AGAIN_S = 0.005
_PATIENCE_S = 0.5
"""How long to wait for the next look at the heart, on a busy host."""


@dataclass(frozen=True)
class Beat:
    """Beat `number` of the heart: later than `after_s`, no later than `by_s`, both in `time.monotonic` of this host."""

    number: int
    after_s: float
    by_s: float


class Heart(Protocol):
    """The heartbeats on one side."""

    async def last(self) -> Beat | None:
        """The last beat so far."""

    async def first_above(self, number: int) -> Beat | None:
        """The first beat after that number."""


class HeartHere:
    """The heart of a guest on this host."""

    def __init__(self, log: BeatLog) -> None:
        self._log = log

    async def last(self) -> Beat | None:
        """The last beat so far."""
        return _beat(self._log.last())

    async def first_above(self, number: int) -> Beat | None:
        """The first beat after that number."""
        return _beat(self._log.first_above(number))


def _beat(change: tuple[int, float, float] | None) -> Beat | None:
    return Beat(*change) if change else None


@asynccontextmanager
async def heart_here(ram: SharedRam, address: int, byte_order: str) -> AsyncIterator[HeartHere]:
    """Watch a heart from its own thread while the block runs; `address` is that of the telemetry page."""
    log = BeatLog(word(byte_order, lambda: ram.now(address + HEARTBEAT_COUNT_OFFSET, 8)))
    log.begin()
    try:
        yield HeartHere(log)
    finally:
        log.end()


async def beats(source: Heart, destination: Heart) -> tuple[Beat, Beat] | None:
    """The last beat at the source, where the guest is stopped, and the first at the destination, where it continues.

    None if the source has no beat, or the destination shows none in time.
    """
    last = await source.last()
    if last is None:
        return None
    first = None
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while (first := await destination.first_above(last.number)) is None:
                await asyncio.sleep(_LOOK_AGAIN_S)
    except TimeoutError:
        return None
    return last, first
