# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened between the samples: QMP events, and the harness's own actions and findings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..basics.printable import in_a_line, printable, quoted
from ..errors import UsageError
from .ram import number, optional_number

HARNESS = "harness"
LIMIT, FINISH = "LIMIT", "FINISH"
"""The harness tries a limit (LIMIT), or lets the migration complete (FINISH)."""
POSTCOPY, BROKEN, RECOVERED = "POSTCOPY", "BROKEN", "RECOVERED"
"""The harness lets the migration end by postcopy; its channel breaks; it continues over another channel."""
FIRST_PASS = "FIRST_PASS"
"""The harness holds back the first pass, which is not judged, by another max-bandwidth, and later releases it."""
BANDWIDTH = "BANDWIDTH"
"""Another max-bandwidth holds for the rest of the pass, to see whether QEMU's report follows."""
SOUNDING, STOP_NOW = "SOUNDING", "STOP_NOW"
"""The next pass shall have another length (SOUNDING); the guest is stopped in mid-pass (STOP_NOW)."""
LIMIT_CHANGED = "LIMIT_CHANGED"
"""Somebody else set another downtime-limit; it may have held from `since` on."""
CAP_CHANGED = "CAP_CHANGED"
"""Somebody else set another max-bandwidth; it may have held from `since` on."""
DIVISOR_CHANGED = "SWITCHOVER_BANDWIDTH_CHANGED"
"""Somebody set another avail-switchover-bandwidth, by which QEMU divides; it may have held from `since` on."""
THROTTLE_CHANGED = "THROTTLE_CHANGED"
"""Somebody else changed another parameter of auto-converge."""
AIMED = "AIMED"
"""For the first pass, which is to leave nothing, or for one of QEMU's checks, the harness sets another downtime-limit;
or it restores the usual limit.
"""
LAGGING, HEARTBEAT, INTEGRITY = "LAGGING", "HEARTBEAT", "INTEGRITY"
"""What the harness noticed: a guest that cannot keep to its rate; its heartbeat; the check of its pages."""
CLOCK = "CLOCK"
"""The real-time clock of a `side` on another host is ahead of ours by `ahead_s`, [least, most]."""
CPU = "CPU"
"""CPU seconds of each side's QEMU since it started (`qemu_s`) and of its vCPUs (`vcpus_s`), as far as known.

`queued_s`: seconds for which its threads, added up, waited for a CPU. `stolen_s`: seconds for which a hypervisor
withheld CPUs from its host.
"""
GUEST_PROGRESS = "GUEST_PROGRESS"
"""How many `pages` the guest had written by then, according to its RAM on a `side`."""
AWAKE = "AWAKE"
"""How long the destination's threads were awake, looked at between `from_s` and `to_s` of the real-time clock.

`vcpus_s`: seconds for which each vCPU ran or was due to run. `others_queued_s`: seconds for which the other threads
were due to run but did not. `waiting`: numbers of the vCPUs that waited for a page then.
"""
BLOCKTIME = "BLOCKTIME"
"""The destination's final figures of how long its vCPUs waited for pages, by its own names; `requests` is the number of
page requests that the source counted.
"""
CARRIED = "CARRIED"
"""What had left the source's network by then: `bytes`, including headers, in `packets`."""
SETS_LIMIT = (LIMIT, LIMIT_CHANGED, FINISH, AIMED)
"""From each of these events on, another downtime-limit holds."""
DISTURBS = (LIMIT, LIMIT_CHANGED, DIVISOR_CHANGED, FINISH, BANDWIDTH, SOUNDING, STOP_NOW, POSTCOPY)
"""From each of these events on, the migration is no longer what it was when it began."""


@dataclass(frozen=True, slots=True)
class Event:
    """An asynchronous QMP message. `side` is `source` or `destination`, or `harness` for its own actions and findings.

    `stamp_s` is when it happened according to QEMU, in seconds of the host's real-time clock.
    """

    t_s: float
    side: str
    name: str
    data: Mapping[str, Any]
    stamp_s: float | None = None

    @property
    def since_s(self) -> float:
        """The earliest time at which it may have happened, if it was noted later."""
        return number(self.data, "since") if "since" in self.data else self.t_s

    @property
    def limit_ms(self) -> float | None:
        """The downtime-limit in ms that may hold from then on, if the event sets or reports one."""
        sets = self.side == HARNESS and self.name in SETS_LIMIT and "downtime-limit" in self.data
        return number(self.data, "downtime-limit") if sets else None

    @property
    def cap_bytes_per_s(self) -> float | None:
        """The max-bandwidth in bytes per second that may hold from then on, if the event sets or reports one."""
        return optional_number(self.data, "max-bandwidth") if self.side == HARNESS else None

    @property
    def divisor_bytes_per_s(self) -> float | None:
        """The avail-switchover-bandwidth that may hold from then on, if the event reports one."""
        reports = self.side == HARNESS and self.name == DIVISOR_CHANGED
        return optional_number(self.data, "avail-switchover-bandwidth") if reports else None


def event_of(t_s: float, side: str, message: Any) -> Event:
    """The event in a QMP `message`, or one of the harness's own; raises UsageError if it is no event."""
    data = message.get("data", {}) if isinstance(message, Mapping) else {}
    if not isinstance(message, Mapping) or not isinstance(message.get("event"), str) or not isinstance(data, Mapping):
        raise UsageError(f"'event' is {quoted(message)} where a QMP event was expected")
    if side == HARNESS:  # It quotes others' words, such as the guest's.
        data = printable(data)
    return Event(t_s, in_a_line(side), in_a_line(message["event"]), data, _stamp_s(message))


def _stamp_s(message: Mapping[str, Any]) -> float | None:
    stamp = message.get("timestamp")
    if not isinstance(stamp, Mapping):
        return None
    return number(stamp, "seconds") + number(stamp, "microseconds") / 1e6
