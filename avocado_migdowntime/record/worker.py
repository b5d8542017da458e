# SPDX-License-Identifier: GPL-2.0-or-later
"""Blocking calls in a thread of their own, so that a call that never returns delays no exit."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

_Call = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


class Worker:
    """Makes one call after another.

    Not asyncio.to_thread: the event loop and the interpreter wait for its threads at their end.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call `function`; returns or raises what it does."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._calls.put((loop, future, function, arguments))
        return await future

    def _run(self) -> None:
        while True:
            loop, future, function, arguments = self._calls.get()
            result, error = None, None
            try:
                result = function(*arguments)
            except BaseException as raised:  # The caller gets it, whatever it is.
                error = raised
            with suppress(RuntimeError):  # The loop is closed, so nobody waits.
                loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
