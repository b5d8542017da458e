# SPDX-License-Identifier: GPL-2.0-or-later
"""Computes the bandwidth if a log shows none: the bytes sent between two of its lines ÷ the time between them."""

from collections.abc import Sequence

import numpy as np

from ..basics.interval import Interval
from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS, GREATEST_MBPS
from ..trace.reading import Stamp
from ..trace.samples import Floats

SHARP = 1.15
"""Two lines are far enough apart if the upper bound of the bandwidth is at most this many times the lower bound."""
LEAST_S = 1.0
"""Over a shorter time, QEMU's bursts (one each 100 ms) and pauses do not show the bandwidth."""
ZONE_S = 1800.0
"""Zones and summer time differ by multiples of this: between lines this far apart, a log's clock may have been set."""
MOST_LINES = 256
"""The most lines whose sums are kept."""
NEAR = 16
"""In most logs, one of this many previous lines gives a sharp bandwidth."""
_BYTES_PER_S_PER_MBPS = 1000 * BYTES_PER_MS_PER_MBPS
WHY = "what was sent since an earlier line ÷ the time between the two"


class Pace:
    """Follows what one migration had sent at each line.

    Between lines `doubtful_s` apart, the time that passed is only known to a multiple of ZONE_S.
    """

    def __init__(self, doubtful_s: float = ZONE_S) -> None:
        self._doubtful_s = doubtful_s
        self._looks: Floats = np.empty((4, 0))
        """For each line: its time, how much later it may be, and the least and the most bytes sent until then."""

    def begin(self, stamp: Stamp | None) -> None:
        """Note that nothing had been sent at this time."""
        if stamp is not None:
            self._looks = np.array([[stamp.t_s], [stamp.tick_s], [0], [0]])

    def mbps(self, stamp: Stamp | None, sent_bytes: float | Interval) -> Interval | None:
        """The bandwidth, given all bytes sent so far: over the shortest time that makes it sharp, or as sharp as
        possible.

        None if there is no earlier line since which something was sent, or if no link carries so much.
        """
        if stamp is None:
            return None
        transferred = sent_bytes if isinstance(sent_bytes, Interval) else Interval(sent_bytes, sent_bytes)
        ((low, high),) = self.of_many([stamp.t_s], stamp.tick_s, [transferred.low], [transferred.high]).T.tolist()
        return Interval(low, high) if low == low else None

    def of_many(self, t_s: Sequence[float], tick_s: float, least: Sequence[float], most: Sequence[float]) -> Floats:
        """The same at each of many lines, as two rows: the least and the most; NaN instead of None."""
        new = np.array([t_s, np.full(len(t_s), tick_s), least, most])
        mbps = np.empty((2, len(t_s)))
        is_back = (new[3, 1:] < new[2, :-1]) | (new[0, 1:] < new[0, :-1])
        begins = [*(np.flatnonzero(is_back) + 1).tolist(), len(t_s)]
        if self._looks.size and (new[3, 0] < self._looks[2, -1] or new[0, 0] < self._looks[0, -1]):
            begins.insert(0, 0)
        position = 0
        while position < len(t_s):
            if position == begins[0]:
                self._looks = self._looks[:, :0]
                del begins[0]
            count = self._looks.shape[1]
            end = min(begins[0], position + MOST_LINES + 1 - count, position + MOST_LINES // 4)
            self._looks = np.hstack([self._looks, new[:, position:end]])
            nearby = _sharp_nearby(self._looks, end - position, self._doubtful_s)
            mbps[:, position:end] = (
                _since_earlier(self._looks, end - position, self._doubtful_s) if nearby is None else nearby
            )
            if self._looks.shape[1] > MOST_LINES:
                self._looks = np.delete(self._looks, np.s_[1 : MOST_LINES // 2 : 2], axis=1)
            position = end
        mbps[:, mbps[0] > GREATEST_MBPS] = np.nan
        mbps[1] = np.minimum(mbps[1], GREATEST_MBPS)
        return mbps

    def copy(self) -> "Pace":
        """A copy with the same knowledge."""
        other = Pace(self._doubtful_s)
        other.become(self)
        return other

    def become(self, other: "Pace") -> None:
        """Take over the knowledge of another one."""
        self._looks = other._looks


def _sharp_nearby(looks: Floats, new: int, doubtful_s: float) -> Floats | None:
    """The bandwidths at the last `new` lines, each since the last line that makes it sharp; None if one is far."""
    count = looks.shape[1]
    old = count - new
    bounds, is_open = np.empty((2, new)), np.ones(new, np.bool_)
    for back in range(1, min(NEAR, count - 1) + 1):
        first = max(0, back - old)
        slowest, fastest, open_by = _since(
            looks[:, old + first :], looks[:, old + first - back : count - back], doubtful_s
        )
        is_sharp = is_open[first:] & (open_by == SHARP)
        bounds[:, first:][:, is_sharp] = slowest[is_sharp], fastest[is_sharp]
        is_open[first:] &= ~is_sharp
        if not np.any(is_open):
            return bounds
    return None


def _since_earlier(looks: Floats, new: int, doubtful_s: float) -> Floats:
    """The bandwidths at the last `new` lines, each since the last line that makes it sharp, or else sharpest."""
    old, count = looks.shape[1] - new, looks.shape[1]
    slowest, fastest, open_by = _since(looks[:, old:, None], looks[:, None, ::-1], doubtful_s)
    open_by[np.arange(count)[::-1] >= np.arange(old, count)[:, None]] = np.inf
    best = np.argmin(open_by, axis=1)[:, None]
    bounds = np.stack([np.take_along_axis(one, best, axis=1)[:, 0] for one in (slowest, fastest)])
    bounds[:, np.take_along_axis(open_by, best, axis=1)[:, 0] == np.inf] = np.nan
    return bounds


def _since(looks: Floats, earlier: Floats, doubtful_s: float) -> tuple[Floats, Floats, Floats]:
    """The least and greatest bandwidth between two lines, and their ratio: infinite if nothing shows a bandwidth."""
    t_s, tick_s, low, high = looks
    earlier_s, earlier_tick_s, low_before, high_before = earlier
    passed_s = t_s - earlier_s
    tells = (passed_s >= LEAST_S) & (passed_s > earlier_tick_s) & (low > high_before)
    with np.errstate(divide="ignore", invalid="ignore"):
        slowest = (low - high_before) / (t_s + tick_s - earlier_s) / _BYTES_PER_S_PER_MBPS
        least_s = np.where(passed_s < doubtful_s, passed_s, np.maximum(passed_s % ZONE_S, LEAST_S + earlier_tick_s))
        fastest = (high - low_before) / (least_s - earlier_tick_s) / _BYTES_PER_S_PER_MBPS
        return slowest, fastest, np.where(tells, np.maximum(fastest / slowest, SHARP), np.inf)
