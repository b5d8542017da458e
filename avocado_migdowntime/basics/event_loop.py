# SPDX-License-Identifier: GPL-2.0-or-later
"""Coroutines and what would cut them short: signals, and cancellations while they clean up."""

import asyncio
import signal
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

_SAME_SIGNAL_S = 1.0
"""timeout(1) sends its signal to the process and then to its group: what comes so soon again is the same one."""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What `coroutine` returns; SIGINT and SIGTERM cancel it, and KeyboardInterrupt is raised when it has cleaned up.

    It is cancelled between two steps of the event loop. asyncio.run() alone would raise KeyboardInterrupt amidst
    whatever runs, where a signal comes for the second time or SIGINT was ignored from the start: if that is a task of
    somebody else's, such as qemu.qmp's, nobody waits for the exception, and it is printed with its traceback.
    After a KeyboardInterrupt both signals are ignored, so that none cuts the process's last lines short; what was
    ignored before stays so. In another thread than the main one no signal comes.
    """
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(coroutine)
    interruption = _Interruption()
    numbers = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interruption.come) for number in numbers}
    try:
        result = asyncio.run(interruption.over(coroutine))
    except BaseException:
        if interruption.came:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if interruption.came else handler)
    if interruption.came:
        raise KeyboardInterrupt
    return result


class _Interruption:
    """Cancels one coroutine, of the event loop in this thread, when signals come."""

    def __init__(self) -> None:
        self.came = False
        self._last_s = float("-inf")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    def come(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        self.came = True
        now_s = time.monotonic()
        if self._loop is None or self._task is None or now_s < self._last_s + _SAME_SIGNAL_S:
            return
        self._last_s = now_s
        with suppress(RuntimeError):  # The loop may have been closed just now.
            self._loop.call_soon_threadsafe(self._task.cancel)

    async def over(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What `coroutine` returns or raises; asyncio.CancelledError after a signal."""
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        if self.came:
            coroutine.close()
            raise asyncio.CancelledError
        return await coroutine


async def to_its_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """What `coroutine` returns; it is not cut short by cancellations, which take effect when it is done."""
    task = asyncio.ensure_future(coroutine)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()
