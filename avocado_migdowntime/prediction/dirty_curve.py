# SPDX-License-Identifier: GPL-2.0-or-later
"""How much a guest dirties over time: the distinct bytes dirtied as a function of the time since a dirty sync.

Each complete pass gives one point of the curve: its duration, and what was dirtied meanwhile. For a steady guest the
curve starts at 0, never falls and is concave, because the longer the time, the more often a page is dirtied again. So
the curve lies below the ray from the origin through any shorter pass, and above the ray to any longer one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from ..basics.interval import Interval, span
from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..oracle.syncs import Sync

ALIKE = 1.1
"""Passes whose durations differ by less than this factor count as equally long: otherwise noise would make a slope."""
NOISE = 1.01
"""Amounts that differ by no more than this factor count as equal."""
_HALVINGS = 60


@dataclass(frozen=True)
class Point:
    """Distinct bytes that the guest dirtied in a time.

    Some of these pages were still unsent when the pass ended, so the sync did not count them as new; how many is
    unknown. `likely_bytes` assumes that they are spread evenly.
    """

    duration_ms: float
    dirtied_bytes: Interval
    likely_bytes: float


@dataclass(frozen=True)
class DirtyingCurve:
    """The curve through at least one point; `groups` are the means of passes of similar duration, shortest first.

    It approaches `asymptote_bytes` (infinite if no end is seen) with the time constant `time_constant_ms`, which is 0
    if even the shortest passes dirtied as much as the longest. `working_set_bytes` is all that the guest ever dirties,
    as far as seen; `found_bytes` is the most of it that a sync has found.
    """

    points: tuple[Point, ...]
    groups: tuple[Point, ...]
    asymptote_bytes: float
    time_constant_ms: float
    working_set_bytes: float
    found_bytes: float = 0.0

    @classmethod
    def through(cls, points: Sequence[Point], pending_bytes: float = 0.0) -> "DirtyingCurve":
        """The curve through `points`, of a guest of which a sync has found up to `pending_bytes`."""
        groups = _groups(points)
        time_constant_ms = _time_constant_ms(groups[0], groups[-1])
        if math.isinf(time_constant_ms):
            asymptote_bytes = math.inf
        elif time_constant_ms:
            asymptote_bytes = groups[-1].likely_bytes / _share(groups[-1].duration_ms, time_constant_ms)
        else:
            asymptote_bytes = max(group.likely_bytes for group in groups)
        whole = max(asymptote_bytes, pending_bytes)
        return cls(tuple(points), groups, asymptote_bytes, time_constant_ms, whole, pending_bytes)

    def bounds(self, duration_ms: float) -> Interval:
        """The least and the most that a steady guest dirties in `duration_ms`."""
        low, high = 0.0, math.inf
        for group in self.groups:
            dirtied, longer = group.dirtied_bytes, duration_ms / group.duration_ms
            low = max(low, min(dirtied.low, dirtied.low * longer))
            high = min(high, max(dirtied.high, dirtied.high * longer))
        return span((low, high))

    def likely(self, duration_ms: float) -> float:
        """The best guess within the bounds: asymptote_bytes × (1 - exp(-duration_ms ÷ time_constant_ms)).

        This is the expected number of cells hit by a Poisson process of writes to random pages. It includes both
        extremes: a guest that dirties in proportion to time, and one that soon has dirtied all it ever will.
        """
        bounds = self.bounds(duration_ms)
        return min(max(self._guess(duration_ms), bounds.low), bounds.high)

    def steady(self, duration_ms: float) -> float:
        """What a steady guest dirties in `duration_ms`, interpolated between passes of several lengths.

        The least concave curve over the groups has a corner at each group that is not below it. Between two corners,
        the amount lies above their chord and below the extended chords of both neighbours; the middle is taken. Before
        the first corner it is `likely`'s guess within those bounds; after the last corner it is what the longest passes
        dirtied.
        """
        knots = self._knots
        after = next((i for i in range(1, len(knots)) if knots[i][0] >= duration_ms), None)
        if after is None:
            return knots[-1][1]
        low = _line(knots[after - 1], knots[after], duration_ms)
        beside = (first for first in (after - 2, after) if 0 <= first < len(knots) - 1)
        extended = (_line(knots[first], knots[first + 1], duration_ms) for first in beside)
        high = max(low, min([knots[after][1], *extended]))
        return min(max(self._guess(duration_ms), low), high) if after == 1 else (low + high) / 2

    def likely_pending(self, duration_ms: float, unsent_bytes: float) -> float:
        """What a sync finds `duration_ms` after the previous one: what is still unsent, and what was dirtied besides.

        If no end of the dirtied memory is seen, the same share of it counts as unsent as when the points were made.
        """
        whole = self.working_set_bytes
        if math.isinf(whole) and self.found_bytes:
            whole = self.found_bytes
        share = unsent_bytes / max(whole, unsent_bytes, 1)
        return unsent_bytes + self.likely(duration_ms) * (1 - share)

    def least_pending(self, duration_ms: float, unsent_bytes: float) -> float:
        """The same if the guest dirties as little as possible, and the unsent pages first."""
        return max(unsent_bytes, self.bounds(duration_ms).low)

    def least_in_bursts(self, duration_ms: float, unsent_bytes: float) -> float:
        """The same if the pass ended earlier by one window: QEMU sends in bursts, each at the start of a window."""
        return self.least_pending(max(0.0, duration_ms - BUFFER_DELAY_MS), unsent_bytes)

    def most_pending(self, duration_ms: float, unsent_bytes: float) -> float:
        """The same if the guest dirties as much as possible, and the unsent pages last."""
        whole = max(self.working_set_bytes, unsent_bytes, *(group.dirtied_bytes.high for group in self.groups))
        return min(unsent_bytes + self.bounds(duration_ms).high, whole)

    def _guess(self, duration_ms: float) -> float:
        if math.isinf(self.time_constant_ms):
            return self.groups[-1].likely_bytes * duration_ms / self.groups[-1].duration_ms
        guess = self.asymptote_bytes * _share(duration_ms, self.time_constant_ms)
        if duration_ms <= self.groups[-1].duration_ms:
            return guess
        # A concave curve goes on no steeper than it was between the last corners.
        before, last = self._knots[-2:]
        return min(guess, max(last[1], _line(before, last, duration_ms)))

    @cached_property
    def _knots(self) -> "list[Knot]":
        """The corners of the least concave curve over the groups, from (0, 0) on."""
        return _hull([(0.0, 0.0), *((group.duration_ms, group.likely_bytes) for group in self.groups)])


def curve(syncs: Sequence[Sync]) -> DirtyingCurve:
    """The curve through the passes that ended with these syncs, at least one.

    What the first pass leaves unsent can be any RAM, not only what the guest dirties. If that blurs its point, and
    there are others, the point is left out.
    """
    later = [sync for sync in syncs if sync.before.number > 1]
    if not later:
        return DirtyingCurve.through([_point(sync, 0.0) for sync in syncs])
    working_set_bytes = max(pending_bytes(sync) for sync in later)
    first = [point for sync in syncs if sync.before.number == 1 if _sharp(point := _point(sync, 0.0))]
    return DirtyingCurve.through([*first, *(_point(sync, working_set_bytes) for sync in later)], working_set_bytes)


def pending_bytes(sync: Sync) -> float:
    """What the sync found pending. It is the upper bound, because a limit based on it is never too small.

    For the sync that ended the first pass it is the middle, because its bounds may be far apart.
    """
    return sync.at_sync_bytes.high if sync.before.number > 1 else sync.at_sync_bytes.middle


def unsent_bytes(sync: Sync) -> float:
    """The part of that which was still unsent when the pass ended."""
    return max(0.0, pending_bytes(sync) - _new_bytes(sync))


def _new_bytes(sync: Sync) -> float:
    return max(0.0, sync.after.begin_bytes - sync.before.end_bytes)


def _point(sync: Sync, working_set_bytes: float) -> Point:
    new_bytes = _new_bytes(sync)
    blur = (sync.before.spread_bytes + sync.after.spread_bytes) / 2
    dirtied = span((max(0.0, new_bytes - blur), new_bytes, max(new_bytes, sync.at_sync_bytes.high)))
    share = min(unsent_bytes(sync) / working_set_bytes, 0.99) if working_set_bytes else 0.0
    return Point(sync.length_ms, dirtied, min(new_bytes / (1 - share), dirtied.high))


def _sharp(point: Point) -> bool:
    return point.dirtied_bytes.high <= NOISE * point.dirtied_bytes.low


def _groups(points: Sequence[Point]) -> tuple[Point, ...]:
    alike: list[list[Point]] = []
    for point in sorted(points, key=lambda point: point.duration_ms):
        if alike and point.duration_ms < ALIKE * alike[-1][0].duration_ms:
            alike[-1].append(point)
        else:
            alike.append([point])
    # A group's longest pass and the next group's shortest one may be nearly as long, and so may most of both.
    groups = alike[:1]
    for group in alike[1:]:
        if _mean(group).duration_ms < ALIKE * _mean(groups[-1]).duration_ms:
            groups[-1].extend(group)
        else:
            groups.append(group)
    return tuple(_mean(group) for group in groups)


def _mean(group: Sequence[Point]) -> Point:
    return Point(
        fmean(point.duration_ms for point in group),
        Interval(fmean(point.dirtied_bytes.low for point in group), fmean(point.dirtied_bytes.high for point in group)),
        fmean(point.likely_bytes for point in group),
    )


def _time_constant_ms(shortest: Point, longest: Point) -> float:
    """The time constant of the curve through both points, found by bisection because there is no closed formula.

    It is 0 if the longest pass did not clearly dirty more than the shortest one. The curve is then flat, which is the
    hardest case for a migration.
    """
    if longest.likely_bytes <= NOISE * shortest.likely_bytes:
        return 0.0
    if longest.likely_bytes * shortest.duration_ms >= shortest.likely_bytes * longest.duration_ms:
        return math.inf
    low, high = shortest.duration_ms / 100, longest.duration_ms * 1e6
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        ratio = _share(longest.duration_ms, middle) / _share(shortest.duration_ms, middle)
        low, high = (middle, high) if ratio * shortest.likely_bytes < longest.likely_bytes else (low, middle)
    return high


Knot = tuple[float, float]
"""A time in ms, and the bytes dirtied in it."""


def _hull(knots: Sequence[Knot]) -> list[Knot]:
    """The corners of the least concave curve over `knots`, which are sorted by time."""
    hull: list[Knot] = []
    for knot in knots:
        while len(hull) > 1 and hull[-1][1] <= _line(hull[-2], knot, hull[-1][0]):
            hull.pop()
        hull.append(knot)
    return hull


def _line(first: Knot, second: Knot, at_ms: float) -> float:
    (first_ms, first_bytes), (second_ms, second_bytes) = first, second
    return first_bytes + (second_bytes - first_bytes) * (at_ms - first_ms) / (second_ms - first_ms)


def _share(duration_ms: float, time_constant_ms: float) -> float:
    """The share of the asymptote that is dirty after `duration_ms`."""
    return -math.expm1(-duration_ms / time_constant_ms) if time_constant_ms else 1.0
