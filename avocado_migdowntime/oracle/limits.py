# SPDX-License-Identifier: GPL-2.0-or-later
"""Which downtime-limit held when: the configured one, those tried by the harness, and those set by others."""

from dataclasses import dataclass
from math import inf

from ..trace.model import Trace


@dataclass(frozen=True)
class Limits:
    """Downtime-limits in ms, each with the earliest time at which it may have held, in seconds of the trace; in order.

    The first limit may be missing: `at` returns None for a time at which none is known.
    """

    steps: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, trace: Trace) -> "Limits":
        """The limits of `trace`; raises UsageError if its header or an event is malformed."""
        first = trace.downtime_limit_ms
        begin = [] if first is None else [(-inf, first)]
        later = [(event.since_s, event.limit_ms) for event in trace.events]
        return cls((*begin, *((since_s, limit_ms) for since_s, limit_ms in later if limit_ms is not None)))

    def at(self, t_s: float) -> float | None:
        """The limit that held at `t_s`; one that is set at that very moment does not count yet."""
        return next((limit_ms for since_s, limit_ms in reversed(self.steps) if since_s < t_s), None)
