# SPDX-License-Identifier: GPL-2.0-or-later
"""The CPU time that QEMU used on each side, as recorded along with a migration."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .events import CPU, HARNESS
from .model import Trace
from .ram import optional_number
from .samples import Floats

SIDES = ("source", "destination")


@dataclass(frozen=True, eq=False)
class CpuCourse:
    """CPU seconds of one side's QEMU since it started, and of its vCPUs, at times of the trace; NaN if not known."""

    side: str
    t_s: Floats
    qemu_s: Floats
    vcpus_s: Floats

    def used(self, begin_s: float, end_s: float) -> "CpuUse | None":
        """The mean number of busy CPUs between these times, from the looks within; None for fewer than two looks."""
        inside = np.flatnonzero((self.t_s >= begin_s) & (self.t_s <= end_s))
        if len(inside) < 2:
            return None
        first, last = int(inside[0]), int(inside[-1])
        elapsed_s = float(self.t_s[last] - self.t_s[first])
        if elapsed_s <= 0:
            return None
        qemu, vcpus = (float(course[last] - course[first]) / elapsed_s for course in (self.qemu_s, self.vcpus_s))
        return CpuUse(qemu, None if np.isnan(vcpus) else vcpus)

    @property
    def busy(self) -> tuple[Floats, Floats, Floats]:
        """The times of the looks, and the CPUs that QEMU and its vCPUs kept busy from each look to the next."""
        elapsed_s = np.diff(self.t_s)
        elapsed_s[elapsed_s <= 0] = np.nan
        qemu, vcpus = (np.diff(course) / elapsed_s for course in (self.qemu_s, self.vcpus_s))
        return self.t_s, np.append(qemu, qemu[-1]), np.append(vcpus, vcpus[-1])


@dataclass(frozen=True)
class CpuUse:
    """The mean number of host CPUs that a QEMU kept busy, and those of them that its vCPUs did, if known."""

    qemu: float
    vcpus: float | None


def cpu_courses(trace: Trace) -> tuple[CpuCourse, ...]:
    """A course for each recorded side; raises UsageError if a recorded value is no number."""
    looks = [event for event in trace.events if event.side == HARNESS and event.name == CPU]
    courses = []
    for side in SIDES:
        side_looks = [(event.t_s, data) for event in looks if isinstance(data := event.data.get(side), Mapping)]
        rows = [(t_s, _seconds(data, "qemu_s"), _seconds(data, "vcpus_s")) for t_s, data in side_looks]
        table = np.array([row for row in rows if not np.isnan(row[1])], dtype=np.float64).reshape(-1, 3)
        if len(table) > 1:
            courses.append(CpuCourse(side, table[:, 0], table[:, 1], table[:, 2]))
    return tuple(courses)


def _seconds(data: Mapping[str, object], name: str) -> float:
    value = optional_number(data, name)
    return np.nan if value is None else value
