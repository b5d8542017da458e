# SPDX-License-Identifier: GPL-2.0-or-later
"""The advice: what was found out about the downtime-limit that a migration needs."""

from dataclasses import dataclass
from enum import StrEnum

from ..basics.interval import Interval
from ..basics.qemu_constants import GREATEST_DOWNTIME_LIMIT_MS

STEP = 1.3
"""The factor between one limit to try and the next."""
BEYOND = f", beyond the {GREATEST_DOWNTIME_LIMIT_MS // 1000} s that QEMU takes as downtime-limit"
POSTCOPY = "postcopy finishes it whatever the guest dirties"


class Finding(StrEnum):
    """Is there a downtime-limit with which the migration finishes?"""

    FOUND = "found"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class BestPoint:
    """Where the smallest limit would have been enough: at the sync that began pass `number`, at `t_s` of the trace."""

    number: int
    t_s: float
    limit_ms: int


@dataclass(frozen=True)
class Help:
    """What makes the default limit of 300 ms enough; None if not needed, not known or out of QEMU's reach.

    `bandwidth_bytes_per_ms` is enough whatever the guest does in passes shorter than those seen. Stopping the guest for
    `throttle_percent` of its time (auto-converge) is enough if passes then dirty that much less; they do
    not if the guest rewrites the same pages, or catches up. If it is throttled already, this is how much in all. With
    less than `least_bandwidth_bytes_per_ms` and `least_throttle_percent` the migration cannot finish; in between it
    may.
    """

    bandwidth_bytes_per_ms: float | None = None
    throttle_percent: int | None = None
    least_bandwidth_bytes_per_ms: float | None = None
    least_throttle_percent: int | None = None


@dataclass(frozen=True)
class Down:
    """How long the guest is down for its RAM: `ms` at the present bandwidth.

    If `max-bandwidth` limits that bandwidth (`capped`, None if not known), the downtime is shorter: QEMU lifts
    max-bandwidth at the switchover, so only the link limits it.
    """

    ms: float
    capped: bool | None = None


@dataclass(frozen=True)
class Advice:
    """The answer for one trace, and what it is based on.

    `limit_ms` is the downtime-limit to set, in whole ms: with it, in 95 of 100 cases, the migration finishes at the
    next sync or the one after it. `range_ms` goes from the smallest limit that may be enough to the largest that may be
    needed. `steps_ms` are limits up to `limit_ms` in ascending order, each about STEP times the previous one. If the
    first is above 100 ms, a limit STEP times smaller cannot be enough. Setting them in turn, each for two passes, ends
    the migration at a limit at most about STEP times the smallest one that is enough. `down` is the downtime to expect.
    `bandwidth_bytes_per_ms` is the bandwidth by which QEMU multiplies the limit, `syncs_seen` the number of syncs with
    samples on both sides. The first of the `reasons` explains `finding`.
    """

    finding: Finding
    limit_ms: int | None = None
    range_ms: Interval | None = None
    steps_ms: tuple[int, ...] = ()
    best_point: BestPoint | None = None
    help: Help = Help()
    down: Down | None = None
    bandwidth_bytes_per_ms: float | None = None
    configured_ms: float | None = None
    syncs_seen: int = 0
    reasons: tuple[str, ...] = ()
    subject: str = ""


def megabytes(size_bytes: float) -> str:
    """A size in words."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e5 or not size_bytes else f"{size_bytes / 1e3:.1f} kB"
