# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs coroutines, and protects their cleanup from signals, other threads, and cancellations."""

import asyncio
import signal
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

SAME_SIGNAL_S = 1.0
"""timeout(1) sends its signal to the process and then to its group: two signals this close count as one."""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what `coroutine` returns. SIGINT, SIGTERM and SIGHUP (its terminal is gone) cancel it; KeyboardInterrupt
    is raised once it has cleaned up.

    It is cancelled between two steps of the event loop. With asyncio.run() alone, KeyboardInterrupt would be raised
    inside whatever is running when a second signal comes, or if SIGINT was ignored from the start. If that is a task of
    a library, such as qemu.qmp, nobody awaits the exception, and it is printed with its traceback.

    After a KeyboardInterrupt these signals are ignored, so that none cuts off the process's last lines; a signal that
    was ignored before stays ignored. In another thread than the main one, no signals are handled.
    """
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(coroutine)
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:  # The kernel would not keep how a child process ended.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    cancellable = Cancellable()
    interruption = _Interruption(cancellable)
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    numbers = [number for number in ending if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interruption.come) for number in numbers}
    try:
        result = cancellable.run(coroutine)
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


class Cancellable:
    """Runs one coroutine in the thread that calls `run`; a signal handler or another thread may cancel it."""

    def __init__(self) -> None:
        self._cancelled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._ended = threading.Event()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return or raise what `coroutine` does; raises asyncio.CancelledError after `cancel`, even if that came
        before.
        """
        try:
            return asyncio.run(self._remember(coroutine))
        finally:
            self._ended.set()

    def cancel(self) -> None:
        """Cancel the coroutine between two steps of its event loop; one that has ended stays as it is."""
        self._cancelled = True
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # The loop may have just been closed.
                self._loop.call_soon_threadsafe(self._task.cancel)

    def has_ended(self, patience_s: float) -> bool:
        """Wait up to `patience_s` until it runs no further step; return whether that is so. Not for the thread of
        `run`.
        """
        return self._task is None or self._ended.wait(patience_s)

    async def _remember(self, coroutine: Coroutine[Any, Any, T]) -> T:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        if self._cancelled:
            coroutine.close()
            raise asyncio.CancelledError
        return await coroutine


class _Interruption:
    """Cancels a coroutine when signals come."""

    def __init__(self, cancellable: Cancellable) -> None:
        self.came = False
        self._cancellable = cancellable
        self._last_s = float("-inf")

    def come(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        self.came = True
        now_s = time.monotonic()
        if now_s >= self._last_s + SAME_SIGNAL_S:
            self._last_s = now_s
            self._cancellable.cancel()


async def to_its_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what `coroutine` returns, without interruption: cancellations take effect when it is done."""
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
