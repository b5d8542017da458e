# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened between the samples: QMP's events, and what the harness itself did or found."""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..basics.printable import in_a_line, printable
from ..errors import UsageError
from .ram import number, optional_number

HARNESS = "harness"
LIMIT, FINISH = "LIMIT", "FINISH"
"""Events of the harness: a limit is tried; the migration is let complete."""
POSTCOPY, BROKEN, RECOVERED = "POSTCOPY", "BROKEN", "RECOVERED"
"""The migration is let end by postcopy; its channel breaks; it goes on over another."""
FIRST_PASS = "FIRST_PASS"
"""The first pass, which nobody judges, is held back by another max-bandwidth, and then let go on."""
BANDWIDTH = "BANDWIDTH"
"""Another max-bandwidth holds for the rest of the pass, to see whether the report follows."""
SOUNDING, STOP_NOW = "SOUNDING", "STOP_NOW"
"""The next pass is to be of another length; the guest is stopped in mid-pass."""
LIMIT_CHANGED = "LIMIT_CHANGED"
"""Somebody else has set another downtime-limit; it may have held from `since` on."""
CAP_CHANGED = "CAP_CHANGED"
"""Somebody else has set another max-bandwidth; it may have held from `since` on."""
THROTTLE_CHANGED = "THROTTLE_CHANGED"
"""Somebody else has set something else of how auto-converge slows the guest."""
AIMED = "AIMED"
"""For one look of QEMU's another downtime-limit holds, beside what is left then; or the usual one does again."""
LAGGING, HEARTBEAT, INTEGRITY = "LAGGING", "HEARTBEAT", "INTEGRITY"
"""What the harness noticed: a guest that cannot keep to its rate; its heartbeat; the check of its pages."""
CLOCK = "CLOCK"
"""The real-time clock of a `side` on another host is ahead of the one here by `ahead_s`, [least, most]."""
CPU = "CPU"
"""CPU seconds of each side's QEMU since it began, `qemu_s`, and of its vCPUs, `vcpus_s`, as far as known."""
AWAKE = "AWAKE"
"""Seconds for which each vCPU of the destination was awake, `vcpus_s`, running or due to run, and for which its other
threads were due to run and did not, `others_queued_s`; looked at between `from_s` and `to_s` of the real-time clock,
when the vCPUs whose numbers are in `waiting` waited for a page."""
BLOCKTIME = "BLOCKTIME"
"""What the destination says in the end of how long its vCPUs waited for pages, by its own names of the figures; the
source had so many `requests` for pages."""
CARRIED = "CARRIED"
"""What had left the source's network by then: `bytes`, headers among them, in so many `packets`."""
SETS_LIMIT = (LIMIT, LIMIT_CHANGED, FINISH, AIMED)
"""From one of these on another downtime-limit holds."""
DISTURBS = (LIMIT, LIMIT_CHANGED, FINISH, BANDWIDTH, SOUNDING, STOP_NOW, POSTCOPY)
"""From one of these on the migration is no longer what it was when it began."""


@dataclass(frozen=True, slots=True)
class Event:
    """An asynchronous QMP message; `side` is `source` or `destination`, or `harness` for what we did or found.

    `stamp_s` is the time at which QEMU says it happened, in seconds of the host's real-time clock.
    """

    t_s: float
    side: str
    name: str
    data: Mapping[str, Any]
    stamp_s: float | None = None

    @property
    def since_s(self) -> float:
        """From when on it may have been so, where it was noted later than it happened."""
        return number(self.data, "since") if "since" in self.data else self.t_s

    @property
    def limit_ms(self) -> float | None:
        """The downtime-limit that may hold from then on, where it is one that sets another or tells of it."""
        sets = self.side == HARNESS and self.name in SETS_LIMIT and "downtime-limit" in self.data
        return number(self.data, "downtime-limit") if sets else None

    @property
    def cap_bytes_per_s(self) -> float | None:
        """The max-bandwidth that may hold from then on, where it is one that sets another or tells of it."""
        return optional_number(self.data, "max-bandwidth") if self.side == HARNESS else None


def event_of(t_s: float, side: str, message: Any) -> Event:
    """The event that a QMP `message` is, or one of the harness's own; raises UsageError where it is none."""
    data = message.get("data", {}) if isinstance(message, Mapping) else {}
    if not isinstance(message, Mapping) or not isinstance(message.get("event"), str) or not isinstance(data, Mapping):
        raise UsageError(f"'event' is {reprlib.repr(message)} where a QMP event was expected")
    if side == HARNESS:  # Whose words are quoted, such as those of the guest; of QEMU's events nothing is.
        data = printable(data)
    return Event(t_s, in_a_line(side), in_a_line(message["event"]), data, _stamp_s(message))


def _stamp_s(message: Mapping[str, Any]) -> float | None:
    stamp = message.get("timestamp")
    if not isinstance(stamp, Mapping):
        return None
    return number(stamp, "seconds") + number(stamp, "microseconds") / 1e6
