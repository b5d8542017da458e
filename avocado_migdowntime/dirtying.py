# SPDX-License-Identifier: GPL-2.0-or-later
"""How much a guest dirties in how long: the distinct bytes dirtied as a function of the time since a dirty sync.

Each complete pass gives one point of the curve: how long it was, and what was dirtied meanwhile. For a steady guest
the curve begins at 0, never falls and is concave, since the longer the time, the more often a page is dirtied again.
So it lies below the ray from the origin through any shorter pass and above that to any longer one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from .interval import Interval, span
from .oracle import Sync

ALIKE = 1.25
"""Passes whose durations differ by less than this factor count as equally long: else noise would make a slope."""
_HALVINGS = 60


@dataclass(frozen=True)
class Point:
    """What was dirtied in a time, in distinct pages.

    It is open how many of them were unsent when the pass ended, so that the sync did not count them as new:
    `likely_bytes` takes those to be spread evenly.
    """

    duration_ms: float
    dirtied_bytes: Interval
    likely_bytes: float


@dataclass(frozen=True)
class DirtyingCurve:
    """The curve through at least one point; `groups` are the means of passes of like duration, the shortest first.

    `set_bytes` is the best guess of all that the guest ever dirties (infinite where no end of it is seen), approached
    with the time constant `constant_ms`: 0 where already the shortest passes dirtied as much as the longest.
    """

    points: tuple[Point, ...]
    groups: tuple[Point, ...]
    set_bytes: float
    constant_ms: float

    @classmethod
    def through(cls, points: Sequence[Point]) -> "DirtyingCurve":
        """The curve that `points` make."""
        groups = _groups(points)
        constant_ms = _constant_ms(groups[0], groups[-1])
        if math.isinf(constant_ms):
            set_bytes = math.inf
        elif constant_ms:
            set_bytes = groups[-1].likely_bytes / _share(groups[-1].duration_ms, constant_ms)
        else:
            set_bytes = max(group.likely_bytes for group in groups)
        return cls(tuple(points), groups, set_bytes, constant_ms)

    def bounds(self, duration_ms: float) -> Interval:
        """What a steady guest dirties in `duration_ms`, at least and at most."""
        low, high = [0.0], [math.inf]
        for group in self.groups:
            ray = group.dirtied_bytes.scaled(duration_ms / group.duration_ms)
            low.append(min(group.dirtied_bytes.low, ray.low))
            high.append(max(group.dirtied_bytes.high, ray.high))
        return span((max(low), min(high)))

    def likely(self, duration_ms: float) -> float:
        """The best guess within the bounds: set_bytes × (1 - exp(-duration_ms ÷ constant_ms)).

        That many cells are hit by a Poisson process of writes to pages taken at random. It holds both extremes: the
        guest that dirties in proportion to time, and the one that has soon dirtied all that it ever will.
        """
        if math.isinf(self.constant_ms):
            guess = self.groups[-1].likely_bytes * duration_ms / self.groups[-1].duration_ms
        else:
            guess = self.set_bytes * _share(duration_ms, self.constant_ms)
        bounds = self.bounds(duration_ms)
        return min(max(guess, bounds.low), bounds.high)

    @property
    def scatter(self) -> tuple[float, ...]:
        """What each pass dirtied, as a share of the mean of those of like duration."""
        means = [
            min(self.groups, key=lambda group: abs(group.duration_ms - point.duration_ms)) for point in self.points
        ]
        return tuple(
            point.likely_bytes / mean.likely_bytes if mean.likely_bytes else 1.0
            for point, mean in zip(self.points, means, strict=True)
        )

    def likely_pending(self, duration_ms: float, unsent_bytes: float) -> float:
        """What a sync finds `duration_ms` after the one before: what is still unsent, and what was dirtied besides."""
        share = unsent_bytes / max(self.set_bytes, unsent_bytes, 1)
        return unsent_bytes + self.likely(duration_ms) * (1 - share)

    def least_pending(self, duration_ms: float, unsent_bytes: float) -> float:
        """The same where the guest dirties as little as can be, and what is unsent first."""
        return max(unsent_bytes, self.bounds(duration_ms).low)

    def most_pending(self, duration_ms: float, unsent_bytes: float) -> float:
        """The same where it dirties as much as can be, and what is unsent last."""
        whole = max(self.set_bytes, unsent_bytes, *(group.dirtied_bytes.high for group in self.groups))
        return min(unsent_bytes + self.bounds(duration_ms).high, whole)


def points(found: Sequence[Sync]) -> list[Point]:
    """The points that the passes which ended with these syncs make."""
    later = [sync for sync in found if sync.before.number > 1]
    set_bytes = max((sync.at_sync_bytes.middle for sync in later or found), default=0.0)
    return [_point(sync, set_bytes) for sync in found]


def _point(sync: Sync, set_bytes: float) -> Point:
    duration_ms = (sync.after.samples[0].t_s - sync.before.samples[0].t_s) * 1000
    new_bytes = max(0.0, sync.after.begin_bytes - sync.before.end_bytes)
    blur = (sync.before.spread_bytes + sync.after.spread_bytes) / 2
    dirtied = span((max(0.0, new_bytes - blur), new_bytes, max(new_bytes, sync.at_sync_bytes.high)))
    likely = new_bytes
    if sync.before.number > 1:  # What the first pass leaves unsent is any RAM, not what the guest dirties.
        unsent = max(0.0, sync.at_sync_bytes.middle - new_bytes)
        likely = min(new_bytes / max(1 - unsent / max(set_bytes, 1), 1e-9), dirtied.high)
    return Point(max(duration_ms, 1.0), dirtied, likely)


def _groups(points: Sequence[Point]) -> tuple[Point, ...]:
    alike: list[list[Point]] = []
    for point in sorted(points, key=lambda point: point.duration_ms):
        if alike and point.duration_ms < ALIKE * alike[-1][0].duration_ms:
            alike[-1].append(point)
        else:
            alike.append([point])
    return tuple(_mean(group) for group in alike)


def _mean(group: Sequence[Point]) -> Point:
    return Point(
        fmean(point.duration_ms for point in group),
        Interval(fmean(point.dirtied_bytes.low for point in group), fmean(point.dirtied_bytes.high for point in group)),
        fmean(point.likely_bytes for point in group),
    )


def _constant_ms(shortest: Point, longest: Point) -> float:
    """The time constant with which the curve goes through both; found by halving, as no formula gives it.

    It is 0 where nothing says that the longest dirtied more: the guess then is what makes a migration hardest.
    """
    if longest.dirtied_bytes.low <= shortest.dirtied_bytes.high or longest.likely_bytes <= shortest.likely_bytes:
        return 0.0
    if longest.likely_bytes * shortest.duration_ms >= shortest.likely_bytes * longest.duration_ms:
        return math.inf
    low, high = shortest.duration_ms / 100, longest.duration_ms * 1e6
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        ratio = _share(longest.duration_ms, middle) / _share(shortest.duration_ms, middle)
        low, high = (middle, high) if ratio * shortest.likely_bytes < longest.likely_bytes else (low, middle)
    return high


def _share(duration_ms: float, constant_ms: float) -> float:
    """The share of the set that is dirty after `duration_ms`."""
    return -math.expm1(-duration_ms / constant_ms) if constant_ms else 1.0
