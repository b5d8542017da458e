# SPDX-License-Identifier: GPL-2.0-or-later
"""Which downtime-limit held when: the configured one, those that were tried, and what somebody else set."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..trace.events import HARNESS, SETS_LIMIT, Event
from ..trace.model import Trace
from ..trace.ram import number

_NAME = "downtime-limit"


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
        begin = [] if first is None else [(float("-inf"), first)]
        return cls((*begin, *_set_later(trace.events)))

    def at(self, t_s: float) -> float | None:
        """The limit that held at `t_s`; what is set at that very moment does not yet."""
        return next((limit_ms for since_s, limit_ms in reversed(self.steps) if since_s < t_s), None)


def _set_later(events: Sequence[Event]) -> list[tuple[float, float]]:
    setting = [event for event in events if event.side == HARNESS and event.name in SETS_LIMIT and _NAME in event.data]
    return [(event.since_s, number(event.data, _NAME)) for event in setting]
