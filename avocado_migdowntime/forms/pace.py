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
_FEW_LINES, _MANY_LINES = MOST_LINES // 4, 1 << 12
"""So many lines are compared at once with all that are kept, and at most with those nearby."""
_TRIED = 8
"""Where no line nearby gives a sharp bandwidth, that is tried again after this many times."""
NEAR = 16
"""In most logs, one of this many previous lines gives a sharp bandwidth."""
_BYTES_PER_S_PER_MBPS = 1000 * BYTES_PER_MS_PER_MBPS
WHY = "what was sent since an earlier line ÷ the time between the two"


class Pace:
    """Follows what one migration had sent at each line.

    If two lines are `doubtful_s` apart, the time that passed between them is only known to a multiple of ZONE_S.
    """

    def __init__(self, doubtful_s: float = ZONE_S) -> None:
        self._doubtful_s = doubtful_s
        self._looks: Floats = np.empty((5, 0))
        """For each line: its time, how much later it may be, the least and the most bytes sent until then, and how many
        times the clock may have been set by then.
        """

    def begin(self, stamp: Stamp | None) -> None:
        """Note that nothing had been sent at this time."""
        if stamp is not None:
            self._looks = np.array([[stamp.t_s], [stamp.tick_s], [0], [0], [0]])

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
        new = np.array([t_s, np.full(len(t_s), tick_s), least, most, np.zeros(len(t_s))])
        before_s, times_set = self._looks[[0, 4], -1] if self._looks.size else (new[0, 0], 0.0)
        new[4] = times_set + np.cumsum(np.diff(new[0], prepend=before_s) >= self._doubtful_s)
        mbps = np.empty((2, len(t_s)))
        is_back = (new[3, 1:] < new[2, :-1]) | (new[0, 1:] < new[0, :-1])
        begins = [*(np.flatnonzero(is_back) + 1).tolist(), len(t_s)]
        if self._looks.size and (new[3, 0] < self._looks[2, -1] or new[0, 0] < self._looks[0, -1]):
            begins.insert(0, 0)
        position, at_once, in_vain = 0, _FEW_LINES, 0
        while position < len(t_s):
            if position == begins[0]:
                self._looks = self._looks[:, :0]
                del begins[0]
            nearby = None
            if not in_vain % _TRIED:
                end = min(begins[0], position + at_once)
                looks = np.hstack([self._looks[:, -NEAR:], new[:, position:end]])
                nearby = _sharp_nearby(looks, end - position)
            if nearby is None:
                at_once, in_vain = _FEW_LINES, in_vain + 1
                end = min(begins[0], position + MOST_LINES + 1 - self._looks.shape[1], position + _FEW_LINES)
                looks = np.hstack([self._looks, new[:, position:end]])
                nearby = _since_earlier(looks, end - position)
            else:
                at_once, in_vain = min(4 * at_once, _MANY_LINES), 0
            mbps[:, position:end] = nearby
            self._keep(new[:, position:end])
            position = end
        mbps[:, mbps[0] > GREATEST_MBPS] = np.nan
        mbps[1] = np.minimum(mbps[1], GREATEST_MBPS)
        return mbps

    def _keep(self, new: Floats) -> None:
        """Keep these lines as well, but of the older ones only each second one if they become too many."""
        position = 0
        while position < new.shape[1]:
            end = min(new.shape[1], position + MOST_LINES + 1 - self._looks.shape[1])
            self._looks = np.hstack([self._looks, new[:, position:end]])
            if self._looks.shape[1] > MOST_LINES:
                self._looks = np.delete(self._looks, np.s_[1 : MOST_LINES // 2 : 2], axis=1)
            position = end

    def copy(self) -> "Pace":
        """A copy with the same knowledge."""
        other = Pace(self._doubtful_s)
        other.become(self)
        return other

    def become(self, other: "Pace") -> None:
        """Take over the knowledge of another one."""
        self._looks = other._looks


def _sharp_nearby(looks: Floats, new: int) -> Floats | None:
    """The bandwidths at the last `new` lines, each since the last line that makes it sharp; None if one is far."""
    old, most = looks.shape[1] - new, min(NEAR, looks.shape[1] - 1)
    rows = np.arange(old, looks.shape[1])
    far = rows[rows >= most]
    if not most or np.any(_open_by(looks[:, far], looks[:, far - most]) > SHARP):
        return None
    since = np.empty(new, np.int64)
    for back in range(1, most + 1):
        later = rows[rows >= back]
        is_sharp = _open_by(looks[:, later], looks[:, later - back]) == SHARP
        sharp = later[is_sharp]
        since[sharp - old] = sharp - back
        rows = np.concatenate([rows[rows < back], later[~is_sharp]])
        if not len(rows):
            return _bounds(looks[:, old:], looks[:, since])
    return None


def _since_earlier(looks: Floats, new: int) -> Floats:
    """The bandwidths at the last `new` lines, each since the last line that makes it sharp, or else sharpest."""
    old = looks.shape[1] - new
    t_s, _, low, high, _ = looks
    tell = (t_s <= np.max(t_s[old:]) - LEAST_S) & (high < np.max(low[old:]))
    count = max(1, int(np.max(np.flatnonzero(tell), initial=-1)) + 1)  # Later lines tell nothing about any of the new.
    open_by = _open_by(looks[:, old:, None], looks[:, None, count - 1 :: -1])
    best = np.argmin(open_by, axis=1)
    bounds = _bounds(looks[:, old:], looks[:, count - 1 - best])
    bounds[:, open_by[np.arange(new), best] == np.inf] = np.nan
    return bounds


def _bounds(looks: Floats, earlier: Floats) -> Floats:
    """The least and the greatest bandwidth between two lines."""
    t_s, tick_s, low, high, _ = looks
    earlier_s, earlier_tick_s, low_before, high_before, _ = earlier
    with np.errstate(divide="ignore", invalid="ignore"):
        slowest = (low - high_before) / (t_s + tick_s - earlier_s)
        fastest = (high - low_before) / (_shortest_s(looks, earlier) - earlier_tick_s)
        return np.stack([slowest, fastest]) / _BYTES_PER_S_PER_MBPS


def _open_by(looks: Floats, earlier: Floats) -> Floats:
    """The ratio of these two, but at least SHARP; infinite if nothing shows a bandwidth."""
    t_s, tick_s, low, high, _ = looks
    earlier_s, earlier_tick_s, low_before, high_before, _ = earlier
    passed_s, least = t_s - earlier_s, low - high_before
    tells = passed_s >= LEAST_S
    tells &= passed_s > earlier_tick_s
    tells &= least > 0
    ratio: Floats = high - low_before
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio *= passed_s + tick_s
        ratio /= np.multiply(least, _shortest_s(looks, earlier) - earlier_tick_s, out=least)
    np.maximum(ratio, SHARP, out=ratio)
    np.copyto(ratio, np.inf, where=~tells)
    return ratio


def _shortest_s(looks: Floats, earlier: Floats) -> Floats:
    """The shortest time that may have passed between two lines, up to the later one's time."""
    passed_s: Floats = looks[0] - earlier[0]
    may_be_set = looks[4] != earlier[4]
    if not np.any(may_be_set):
        return passed_s
    shortest_s: Floats = np.where(may_be_set, np.maximum(passed_s % ZONE_S, LEAST_S + earlier[1]), passed_s)
    return shortest_s
