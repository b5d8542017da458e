# SPDX-License-Identifier: GPL-2.0-or-later
"""When the guest's heart beat last at the source and first at the destination, on this host's clock.

Each side is looked at by itself, so that one of them may be on another host. The destination's copy of the count is
overwritten by what arrives until the switchover, and is never ahead of the source's last one until then: a count above
that is a beat of the destination's own.
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
"""For a look that is due, on a busy host."""


@dataclass(frozen=True)
class Beat:
    """The heart has beaten for the `number`th time after `after_s` and by `by_s`, of `time.monotonic` of this host."""

    number: int
    after_s: float
    by_s: float


class Heart(Protocol):
    """The beats on one side."""

    async def last(self) -> Beat | None:
        """The last one so far."""

    async def first_above(self, number: int) -> Beat | None:
        """The first one after that number."""


class HeartHere:
    """The heart of a guest on this host."""

    def __init__(self, log: BeatLog) -> None:
        self._log = log

    async def last(self) -> Beat | None:
        """The last one so far."""
        return _beat(self._log.last())

    async def first_above(self, number: int) -> Beat | None:
        """The first one after that number."""
        return _beat(self._log.first_above(number))


def _beat(change: tuple[int, float, float] | None) -> Beat | None:
    return Beat(*change) if change else None


@asynccontextmanager
async def heart_here(ram: SharedRam, address: int, byte_order: str) -> AsyncIterator[HeartHere]:
    """Look at a heart from a thread of its own while the block runs; `address` is that of the telemetry page."""
    log = BeatLog(word(byte_order, lambda: ram.now(address + HEARTBEAT_COUNT_OFFSET, 8)))
    log.begin()
    try:
        yield HeartHere(log)
    finally:
        log.end()


async def beats(source: Heart, destination: Heart) -> tuple[Beat, Beat] | None:
    """The last beat at the source, where the guest is stopped, and the first at the destination, where it goes on."""
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
