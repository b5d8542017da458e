# SPDX-License-Identifier: GPL-2.0-or-later
"""Recent histories of figures, one value for each second."""

from collections import deque
from dataclasses import dataclass

from ..trace.sample import Sample

LENGTH = 120
Course = tuple[float | None, ...]
"""One value for each second, the newest last; None if no sample was taken."""


@dataclass(frozen=True)
class Histories:
    """What was left, the bandwidth and QEMU's dirty-pages-rate at the end of each second, in bytes and bytes per ms."""

    remaining_bytes: Course = ()
    bandwidth_bytes_per_ms: Course = ()
    dirty_bytes_per_ms: Course = ()


class HistoryWriter:
    """Takes samples in the order of time, each at the same cost, and keeps the last `LENGTH` seconds."""

    def __init__(self) -> None:
        self._second: int | None = None
        self._figures: deque[tuple[float, float, float] | None] = deque(maxlen=LENGTH)

    def sample(self, sample: Sample) -> None:
        """Take a sample; one without RAM figures is ignored."""
        ram, second = sample.ram, int(sample.t_s)
        if ram is None or sample.status != "active":
            return
        if self._second is not None and second == self._second:
            self._figures.pop()
        elif self._second is not None:
            self._figures.extend([None] * min(max(0, second - self._second - 1), LENGTH))
        self._second = second
        self._figures.append((ram.remaining_bytes, ram.wire_bytes_per_ms, ram.dirty_bytes_per_ms))

    def histories(self) -> Histories:
        """The histories so far."""
        if not self._figures:
            return Histories()
        return Histories(*(tuple(None if row is None else row[i] for row in self._figures) for i in range(3)))
