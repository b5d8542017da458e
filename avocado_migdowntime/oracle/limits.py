# SPDX-License-Identifier: GPL-2.0-or-later
"""Which downtime-limit held when: the configured one, those that were tried, and what somebody else set."""

from dataclasses import dataclass
from math import inf

from ..trace.model import Trace


@dataclass(frozen=True)
class Limits:
    """Downtime-limits, ms, each with the time from which it may have held, seconds into the trace; in their order.

    The first may be missing: `at` gives None where none is known to have held.
    """

    steps: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, trace: Trace) -> "Limits":
        """Those of `trace`; raises UsageError where its header or an event is not as a harness writes them."""
        first = trace.downtime_limit_ms
        begin = [] if first is None else [(-inf, first)]
        later = [(event.since_s, event.limit_ms) for event in trace.events]
        return cls((*begin, *((since_s, limit_ms) for since_s, limit_ms in later if limit_ms is not None)))

    def at(self, t_s: float) -> float | None:
        """The limit that held at `t_s`; what is set at that very moment does not yet."""
        return next((limit_ms for since_s, limit_ms in reversed(self.steps) if since_s < t_s), None)
