# SPDX-License-Identifier: GPL-2.0-or-later
"""The bandwidth of a migration whose log tells none: what was sent between two of its lines, by the time between."""

from ..basics.interval import Interval
from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS
from ..trace.reading import Stamp

SHARP = 1.15
"""Lines are far enough apart where the bandwidth may be this many times as much at most as it may be at least."""
LEAST_S = 1.0
"""Over less than this QEMU's bursts, one each 100 ms, and its pauses are no bandwidth."""
KEPT = 256
"""Of so many lines the sums are kept."""
WHY = "what was sent since an earlier line ÷ the time between the two"


class Pace:
    """Takes what was sent until when, line by line, of one migration."""

    def __init__(self) -> None:
        self._looks: list[tuple[Stamp, Interval]] = []

    def begin(self, stamp: Stamp | None) -> None:
        """Nothing was sent yet."""
        if stamp is not None:
            self._looks = [(stamp, Interval(0, 0))]

    def mbps(self, stamp: Stamp | None, sent_bytes: float | Interval) -> Interval | None:
        """The bandwidth when so many bytes were sent in all: over the shortest time that tells it well, or the best.

        None where no earlier line is known from which anything was sent.
        """
        if stamp is None:
            return None
        sent = sent_bytes if isinstance(sent_bytes, Interval) else Interval(sent_bytes, sent_bytes)
        if self._looks and (sent.high < self._looks[-1][1].low or stamp.t_s < self._looks[-1][0].t_s):
            self._looks.clear()
        found: Interval | None = None
        for earlier, before in reversed(self._looks):
            if stamp.t_s - earlier.t_s < LEAST_S:
                continue
            one = _between(earlier, before, stamp, sent)
            if one is not None and (found is None or one.high * found.low < found.high * one.low):
                found = one
            if found is not None and found.high <= SHARP * found.low:
                break
        self._looks.append((stamp, sent))
        if len(self._looks) > KEPT:
            del self._looks[1 : KEPT // 2 : 2]
        return found


def _between(earlier: Stamp, before: Interval, stamp: Stamp, sent: Interval) -> Interval | None:
    least_s = stamp.t_s - earlier.t_s - earlier.tick_s
    most_s = stamp.t_s + stamp.tick_s - earlier.t_s
    if least_s <= 0 or sent.low <= before.high:
        return None
    per_mbps = 1000 * BYTES_PER_MS_PER_MBPS
    return Interval((sent.low - before.high) / most_s / per_mbps, (sent.high - before.low) / least_s / per_mbps)
