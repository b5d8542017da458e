# SPDX-License-Identifier: GPL-2.0-or-later
"""When the guest's heart beat last at the source and first at the destination, on the host's clock."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ..errors import HarnessError
from .guest_ram import SharedRam, heartbeat_count

_LOOK_S = 0.004
_PATIENCE_S = 0.5
"""For a look that is due, on a busy host."""


@dataclass(frozen=True)
class Beat:
    """A beat came after `after_s` and was there by `by_s`: the two looks between which it was seen."""

    after_s: float
    by_s: float


class HeartbeatWatch:
    """Looks at the hearts on both sides from a thread of its own, within a `with` block.

    The destination's copy of the count is overwritten by what arrives until the switchover, and is never ahead of the
    source's until then: so it is looked at first, and a beat of its own is one that the source never had.
    """

    def __init__(
        self, source: SharedRam, destination: SharedRam, address: int, byte_order: str, clock: Callable[[], float]
    ) -> None:
        self._last: Beat | None = None
        self._first: Beat | None = None
        self._ends = (destination, source)
        self._where = (address, byte_order)
        self._clock = clock
        self._over = False
        self._thread = threading.Thread(target=self._look, name="heartbeats", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._thread.join()

    def beats(self) -> tuple[Beat | None, Beat | None]:
        """The last beat at the source and the first at the destination, as soon as the latter was looked at."""
        self._thread.join(_PATIENCE_S)
        return self._last, self._first

    def _look(self) -> None:
        before_s, count = self._clock(), None
        try:
            while not self._over:
                time.sleep(_LOOK_S)
                asked_s = self._clock()
                arrived, left = (heartbeat_count(ram, *self._where) for ram in self._ends)
                now_s = self._clock()
                if left != count:
                    count, self._last = left, Beat(before_s, now_s)
                if arrived > left:
                    self._first = Beat(before_s, now_s)
                    return
                before_s = asked_s
        except HarnessError:
            return  # QEMU's file has gone with it; whoever waits for it says so.
