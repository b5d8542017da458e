# SPDX-License-Identifier: GPL-2.0-or-later
"""A coroutine that another thread can end."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Interruptible:
    """Runs one coroutine, in the thread that calls `run`."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._ended = threading.Event()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What `coroutine` returns or raises; asyncio.CancelledError after `cancel`."""
        try:
            return asyncio.run(self._remember(coroutine))
        finally:
            self._ended.set()

    async def _remember(self, coroutine: Coroutine[Any, Any, T]) -> T:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        return await coroutine

    def cancel(self, patience_s: float) -> bool:
        """Cancel the coroutine, from any other thread, and wait for it; whether it has ended in `patience_s`.

        Does nothing to one that has ended or never begun.
        """
        if self._loop is None or self._task is None or self._ended.is_set():
            return True
        with suppress(RuntimeError):  # The loop may have been closed just now.
            self._loop.call_soon_threadsafe(self._task.cancel)
        return self._ended.wait(patience_s)
