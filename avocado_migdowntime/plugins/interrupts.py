# SPDX-License-Identifier: GPL-2.0-or-later
"""Ctrl-C while Avocado runs its event loop.

Python raises KeyboardInterrupt in whatever code is running. Inside a task of the loop, it ends that task. If the task
is Avocado's worker, a test is lost; if it is the status updater, every later message is lost. The job then waits
forever.
"""

import asyncio
import signal
import time
from math import inf
from types import FrameType

from ..basics.event_loop import SAME_SIGNAL_S


def raise_between_callbacks() -> None:
    """Make the running event loop raise KeyboardInterrupt itself, between two callbacks.

    A second SIGINT that follows too soon to be another key press is ignored. A later one raises at once if the loop has
    not got round to the first. Any SIGINT raises at once if no loop is running. Nothing changes if SIGINT is ignored or
    already has another handler.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _Handler())


class _Handler:
    def __init__(self) -> None:
        self._handle: asyncio.Handle | None = None
        self._last_s = -inf

    def __call__(self, number: int, frame: FrameType | None) -> None:
        before_s, self._last_s = self._last_s, time.monotonic()
        if self._last_s < before_s + SAME_SIGNAL_S:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is None or self._handle is not None:
            raise KeyboardInterrupt
        self._handle = loop.call_soon_threadsafe(self._raise)

    def _raise(self) -> None:
        self._handle = None
        raise KeyboardInterrupt
