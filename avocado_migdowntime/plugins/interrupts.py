# SPDX-License-Identifier: GPL-2.0-or-later
"""Ctrl-C while Avocado runs its event loop.

Python raises KeyboardInterrupt in whatever it runs. Within a task of the loop that task ends of it, and with Avocado's
worker a test is lost, with its updater of the status all that tests tell from then on: the job waits for both forever.
"""

import asyncio
import signal
import time
from math import inf
from types import FrameType

from ..basics.event_loop import SAME_SIGNAL_S


def raise_between_callbacks() -> None:
    """From now on the loop that runs raises KeyboardInterrupt itself, when no task of it is at work.

    One that comes so soon again that it is the same is left. A later one is raised at once where the loop has not come
    to the first, as is any when no loop runs. Nothing is changed where SIGINT is ignored or somebody else sees to it.
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
