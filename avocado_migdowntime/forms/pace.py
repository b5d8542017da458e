# SPDX-License-Identifier: GPL-2.0-or-later
"""The bandwidth of a migration whose log tells none: what was sent between two of its lines, by the time between."""

from collections.abc import Sequence

from ..basics.interval import Interval
from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS
from ..trace.reading import Stamp

SHARP = 1.15
"""Lines are far enough apart where the bandwidth may be this many times as much at most as it may be at least."""
LEAST_S = 1.0
"""Over less than this QEMU's bursts, one each 100 ms, and its pauses are no bandwidth."""
KEPT = 256
"""Of so many lines the sums are kept."""
_BYTES_PER_S_PER_MBPS = 1000 * BYTES_PER_MS_PER_MBPS
_Look = tuple[float, float, float, float]
"""When a line was written at least, how much later it may have been; what was sent by then at least, and at most."""
WHY = "what was sent since an earlier line ÷ the time between the two"


class Pace:
    """Takes what was sent until when, line by line, of one migration."""

    def __init__(self) -> None:
        self._looks: list[_Look] = []

    def begin(self, stamp: Stamp | None) -> None:
        """Nothing was sent yet."""
        if stamp is not None:
            self._looks = [(stamp.t_s, stamp.tick_s, 0, 0)]

    def mbps(self, stamp: Stamp | None, sent_bytes: float | Interval) -> Interval | None:
        """The bandwidth when so many bytes were sent in all: over the shortest time that tells it well, or the best.

        None where no earlier line is known from which anything was sent.
        """
        if stamp is None:
            return None
        sent = sent_bytes if isinstance(sent_bytes, Interval) else Interval(sent_bytes, sent_bytes)
        found = self.of_many([stamp.t_s], stamp.tick_s, [sent.low], [sent.high])[0]
        return None if found is None else Interval(*found)

    def of_many(
        self, times_s: Sequence[float], tick_s: float, least: Sequence[float], most: Sequence[float]
    ) -> list[tuple[float, float] | None]:
        """The least and the most that the bandwidth may be at each of many lines, by the same of what was sent."""
        looks = self._looks
        told: list[tuple[float, float] | None] = []
        for t_s, low, high in zip(times_s, least, most, strict=True):
            if looks and (high < looks[-1][2] or t_s < looks[-1][0]):
                looks.clear()
            found: tuple[float, float] | None = None
            for earlier_s, earlier_tick_s, low_before, high_before in reversed(looks):
                passed_s = t_s - earlier_s
                if passed_s < LEAST_S:
                    continue
                if passed_s > earlier_tick_s and low > high_before:
                    slowest = (low - high_before) / (t_s + tick_s - earlier_s) / _BYTES_PER_S_PER_MBPS
                    fastest = (high - low_before) / (passed_s - earlier_tick_s) / _BYTES_PER_S_PER_MBPS
                    if found is None or fastest * found[0] < found[1] * slowest:
                        found = slowest, fastest
                if found is not None and found[1] <= SHARP * found[0]:
                    break
            looks.append((t_s, tick_s, low, high))
            if len(looks) > KEPT:
                del looks[1 : KEPT // 2 : 2]
            told.append(found)
        return told

    def copy(self) -> "Pace":
        """Another one that knows the same."""
        other = Pace()
        other.become(self)
        return other

    def become(self, other: "Pace") -> None:
        """Know what another one does."""
        self._looks = [*other._looks]
