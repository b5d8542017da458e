# SPDX-License-Identifier: GPL-2.0-or-later
"""Repeats an action while something else is going on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def looking(look: Callable[[], Awaitable[None]], every_s: float) -> AsyncIterator[None]:
    """Call `look` every `every_s` seconds, and at both ends of the block."""

    async def again() -> None:
        while True:
            await asyncio.sleep(every_s)
            await look()

    await look()
    task = asyncio.create_task(again())
    try:
        yield
        await look()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
