# SPDX-License-Identifier: GPL-2.0-or-later
"""The content of a picture of one migration: curves over time with their units, independent of how they are drawn."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from ..trace.samples import Floats
from .downsample import rows_to_keep


class Role(StrEnum):
    """The role of a series, which decides how it is drawn."""

    REMAINING = "remaining"
    AT_SYNC = "at-sync"
    REPORTED = "reported"
    CONTRACT = "contract"
    OTHER = "other"
    LIMIT = "limit"
    EFFECTIVE_LIMIT = "effective-limit"
    UNSENT = "unsent"
    DOWN = "down"
    DROPPED = "dropped"
    BANDWIDTH = "bandwidth"
    DIRTYING = "dirtying"
    SOURCE_CPU = "source-cpu"
    VCPUS = "vcpus"
    DESTINATION_CPU = "destination-cpu"
    SOURCE_GUEST = "source-guest"
    DESTINATION_GUEST = "destination-guest"


STEPPED = frozenset(
    {
        *(Role.REPORTED, Role.CONTRACT, Role.LIMIT, Role.EFFECTIVE_LIMIT, Role.BANDWIDTH, Role.DIRTYING),
        *(Role.SOURCE_CPU, Role.VCPUS, Role.DESTINATION_CPU, Role.SOURCE_GUEST, Role.DESTINATION_GUEST),
    }
)
"""Values that hold until the next one: steps, not slopes."""
POINTS = frozenset({Role.AT_SYNC, Role.UNSENT, Role.DOWN, Role.DROPPED})
"""Values of single moments: nothing is known in between."""
MARKER_BUCKETS = 10
"""The width of a marker in buckets."""


@dataclass(frozen=True, eq=False)
class Series:
    """A curve: `values` in the unit of its panel over `t_s`, in seconds of the trace; NaN is a gap.

    `low` and `high` are the bounds of values that are not known exactly.
    """

    name: str
    role: Role
    t_s: Floats
    values: Floats
    low: Floats | None = None
    high: Floats | None = None

    def thinned(self, buckets: int) -> "Series":
        """The series with fewer points, keeping all extremes."""
        curves = [curve for curve in (self.values, self.low, self.high) if curve is not None]
        keep = rows_to_keep(self.t_s, curves, max(1, buckets // MARKER_BUCKETS) if self.role in POINTS else buckets)
        bounds = (None if bound is None else bound[keep] for bound in (self.low, self.high))
        return Series(self.name, self.role, self.t_s[keep], self.values[keep], *bounds)


@dataclass(frozen=True, eq=False)
class Panel:
    """Curves with the same unit; `top` is the greatest value that must be visible at first."""

    title: str
    unit: str
    series: tuple[Series, ...]
    top: float


@dataclass(frozen=True, eq=False)
class Chart:
    """The panels of one migration, one above the other over the same time axis.

    `begins_s` has the starts of its passes, with their numbers; `down_s` is from the guest's stop until it continued.
    """

    panels: tuple[Panel, ...]
    begins_s: tuple[tuple[int, float], ...]
    down_s: tuple[float, float] | None
    end_s: float

    def thinned(self, buckets: int) -> "Chart":
        """The same with fewer points, and at most one start of a pass in each of `buckets` stretches of time."""
        panels = tuple(replace(p, series=tuple(s.thinned(buckets) for s in p.series)) for p in self.panels)
        t_s = np.array([at_s for _, at_s in self.begins_s])
        begins_s = tuple(self.begins_s[index] for index in rows_to_keep(t_s, [t_s], buckets))
        return replace(self, panels=panels, begins_s=begins_s)
