# SPDX-License-Identifier: GPL-2.0-or-later
"""One answer to query-migrate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..basics.printable import quoted
from ..errors import UsageError
from .ram import Ram, note_on, optional_number, ram_of

ENDED = frozenset({"completed", "failed", "cancelled"})
"""Final statuses of a migration."""
STOPPED = frozenset({"pre-switchover", "device"})
"""Statuses of a precopy whose guest is stopped for the switchover."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer to query-migrate, requested `t_s` seconds after the recording's zero.

    `on` is the event at which it was requested, `downtime_ms` the real downtime that QEMU reports after completion.
    `pending_bytes` is what QEMU found pending at its last check, including devices (`remaining` of the whole answer,
    since QEMU 11.1). `total_bytes` is the guest's whole RAM, `disk_bytes` what is left of disks that are migrated as
    well, if shown, `vfio_bytes` what VFIO devices have sent, if there are any. `throttle_percent` is the share of time
    for which auto-converge stops the guest's CPUs, if it does. `remaining_bytes`, `mbps` and the dirty rate of `ram`
    are uncertain (±) by `open_…`, as a text rounds them.
    """

    t_s: float
    latency_ms: float
    status: str
    expected_downtime_ms: float | None = None
    ram: Ram | None = None
    on: str | None = None
    downtime_ms: float | None = None
    pending_bytes: float | None = None
    total_bytes: float | None = None
    disk_bytes: float | None = None
    throttle_percent: float | None = None
    open_bytes: float = 0.0
    open_mbps: float = 0.0
    open_pages_per_s: float = 0.0
    vfio_bytes: float | None = None

    @property
    def answered_s(self) -> float:
        """When the answer arrived: QEMU took its figures between `t_s` and then."""
        return self.t_s + self.latency_ms / 1000

    @classmethod
    def from_query(cls, t_s: float, latency_ms: float, answer: Mapping[str, Any], on: str | None = None) -> "Sample":
        """The sample of QEMU's `answer` to query-migrate; without RAM figures that cannot be right.

        Raises UsageError, naming the field, if one is missing or of the wrong type.
        """
        status = answer.get("status", "none")
        if not isinstance(status, str):
            raise UsageError(f"'status' is {quoted(status)} where a text was expected")
        ram = answer.get("ram")
        return cls(
            t_s=t_s,
            latency_ms=latency_ms,
            status=status,
            expected_downtime_ms=optional_number(answer, "expected-downtime"),
            ram=None if ram is None or note_on(ram) else ram_of(ram, answer),
            on=on,
            downtime_ms=optional_number(answer, "downtime"),
            pending_bytes=optional_number(answer, "remaining"),
            total_bytes=_of_part(ram, "total"),
            disk_bytes=_of_part(answer.get("disk"), "remaining"),
            vfio_bytes=_of_part(answer.get("vfio"), "transferred"),
            throttle_percent=optional_number(answer, "cpu-throttle-percentage"),
        )


def _of_part(part: Any, name: str) -> float | None:
    return optional_number(part, name) if isinstance(part, Mapping) else None
