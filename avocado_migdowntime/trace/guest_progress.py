# SPDX-License-Identifier: GPL-2.0-or-later
"""How far the guest got with its writes, as recorded along with a migration."""

from dataclasses import dataclass

import numpy as np

from .events import GUEST_PROGRESS, HARNESS
from .model import Trace
from .ram import number
from .samples import Floats


@dataclass(frozen=True, eq=False)
class GuestCourse:
    """How many pages the guest had written on one side, at times of the trace at which it ran there."""

    side: str
    t_s: Floats
    pages: Floats

    @property
    def pages_per_s(self) -> Floats:
        """The pages that it wrote per second, from each look to the next; the last look has the value before it."""
        elapsed_s = np.diff(self.t_s)
        elapsed_s[elapsed_s <= 0] = np.nan
        rates = np.diff(self.pages) / elapsed_s
        return np.append(rates, rates[-1])


def guest_courses(trace: Trace) -> tuple[GuestCourse, ...]:
    """The course on the source until the guest stopped there, and on the destination from when it continued.

    What the destination's RAM shows before that is a copy. Raises UsageError if a recorded value is no number.
    """
    stop, resume = trace.switchover_stop, trace.first_event("destination", "RESUME")
    ran_s = {
        "source": (-np.inf, np.inf if stop is None else stop.t_s),
        "destination": (np.inf if resume is None else resume.t_s, np.inf),
    }
    looks = [event for event in trace.events if event.side == HARNESS and event.name == GUEST_PROGRESS]
    courses = []
    for side, (from_s, to_s) in ran_s.items():
        rows = [(one.t_s, number(one.data, "pages")) for one in looks if one.data.get("side") == side]
        table = np.array([row for row in rows if from_s <= row[0] <= to_s], dtype=np.float64).reshape(-1, 2)
        if len(table) > 1:
            courses.append(GuestCourse(side, table[:, 0], table[:, 1]))
    return tuple(courses)
