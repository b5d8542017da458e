# SPDX-License-Identifier: GPL-2.0-or-later
"""How much auto-converge throttles the guest, step by step, and which steps the parameters explain.

When a sync finds more dirtied than throttle-trigger-threshold allows, every second time QEMU stops the guest's CPUs for
cpu-throttle-initial percent of their time, and later for cpu-throttle-increment more, up to max-cpu-throttle; with
cpu-throttle-tailslow the step may be smaller (migration/ram.c: mig_throttle_guest_down). A sync counts for this only if
the previous one was more than a second before, so a step takes at least that long.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from ..trace.model import Trace
from ..trace.ram import optional_number
from ..trace.samples import Samples
from .passes import Pass
from .releases import release_of

PARAMETERS = ("cpu-throttle-initial", "cpu-throttle-increment", "max-cpu-throttle")
TAILSLOW = "cpu-throttle-tailslow"
TRIGGER = "throttle-trigger-threshold"
_SYNC_S = 4.99
"""If no sync came for 5 s, one comes in mid-pass. QEMU: migration/cpu-throttle.c, _DIRTY_SYNC_TIMESLICE_MS."""
_SYNCS_SINCE = (9, 2)
"""The first release that does this."""
_STEP_S = 1.0
_FOR_CERTAIN = 1.1
"""A pass that is longer by this factor certainly counts; so does one that dirties more than allowed by it."""
_LEAST, _MOST = 1, 99
"""QEMU: CPU_THROTTLE_PCT_MIN and CPU_THROTTLE_PCT_MAX."""


@dataclass(frozen=True)
class Step:
    """A change of the throttle percentage between two samples; 0 means no throttling.

    There may have been up to `most_steps` steps in between.
    """

    at_s: float
    before_percent: float
    after_percent: float
    most_steps: int


@dataclass(frozen=True)
class Throttling:
    """The parameters of auto-converge, in percent; with `tailslow` QEMU may take smaller steps.

    `trigger` is the share of the bytes sent that the guest may dirty meanwhile, in percent; None if not known.
    """

    initial: float
    increment: float
    most: float
    tailslow: bool
    trigger: float | None = None

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Throttling | None":
        """The values in query-migrate-parameters; None if one of them is missing."""
        initial, increment, most = (optional_number(parameters, name) for name in PARAMETERS)
        if initial is None or increment is None or most is None:
            return None
        trigger = optional_number(parameters, TRIGGER)
        return cls(initial, increment, most, parameters.get(TAILSLOW) is True, trigger)

    def next_percents(self, percent: float) -> tuple[float, float]:
        """The least and the greatest percentage after one step from `percent`."""
        if not percent:
            first = min(max(self.initial, _LEAST), _MOST)
            return first, first
        most = min(percent + self.increment, self.most, _MOST)
        return (min(percent, most), most) if self.tailslow else (most, most)

    def explains(self, step: Step) -> bool:
        """Whether the possible number of steps can lead to that change."""
        least = most = step.before_percent
        for _ in range(step.most_steps):
            least, most = self.next_percents(least)[0], self.next_percents(most)[1]
            if least <= step.after_percent <= most:
                return True
        return False

    def least_percent(self, steps_due: int) -> float:
        """The least throttle percentage after this many steps."""
        if not steps_due or self.tailslow:
            return min(steps_due, _LEAST)
        return min(self.initial + (steps_due - 1) * self.increment, self.most, _MOST)

    def due(self, passes: Sequence[Pass]) -> Iterator[tuple[Pass, int]]:
        """Passes, each with the least number of steps that QEMU must have taken when the pass began.

        A sync counts if this pass and the one before certainly lasted more than a second: QEMU counts what was dirtied
        and sent since the last sync that it counted.
        """
        if self.trigger is None:
            return
        high = 0
        for earlier, before, after in zip(passes, passes[1:], passes[2:], strict=False):
            if (earlier.number, before.number) != (after.number - 2, after.number - 1):
                continue
            if all(one.end_s - one.samples.answered_s[0] > _FOR_CERTAIN * _STEP_S for one in (earlier, before)):
                blur = before.spread_bytes + after.spread_bytes + before.late_bytes + after.late_bytes
                dirtied = after.begin_bytes - before.end_bytes - blur
                sent_bytes = float(after.samples.transferred_bytes[0] - earlier.samples.transferred_bytes[-1])
                high += dirtied > _FOR_CERTAIN * self.trigger / 100 * sent_bytes
            yield after, high // 2


def longest_pass_s(trace: Trace) -> float:
    """A pass shorter than this was ended by the limit, not by a sync of auto-converge."""
    if "auto-converge" not in trace.capabilities:
        return inf
    release = release_of(trace.header)
    return _SYNC_S if release is None or (release.major, release.minor) >= _SYNCS_SINCE else inf


def steps(samples: Samples, stopped_s: float) -> list[Step]:
    """The steps that `samples` show until the guest was stopped, in order."""
    counted = samples.are("active") & samples.has_ram & (samples.answered_s < stopped_s)
    counted_samples = samples.take(np.flatnonzero(counted))
    percents = np.nan_to_num(counted_samples.throttle_percent)
    return [
        Step(
            at_s=float(counted_samples.t_s[row]),
            before_percent=float(percents[row - 1]),
            after_percent=float(percents[row]),
            most_steps=1 + int((counted_samples.answered_s[row] - counted_samples.t_s[row - 1]) / _STEP_S),
        )
        for row in (np.flatnonzero(np.diff(percents)) + 1).tolist()
    ]
