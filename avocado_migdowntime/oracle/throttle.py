# SPDX-License-Identifier: GPL-2.0-or-later
"""By how much auto-converge slows the guest down, step by step, and which steps are those that were set.

At a sync that finds more dirtied than throttle-trigger-threshold allows, the second one each time, QEMU stops the
guest's CPUs for cpu-throttle-initial percent of their time, and then for cpu-throttle-increment more, up to
max-cpu-throttle; with cpu-throttle-tailslow for no more than that (migration/ram.c: mig_throttle_guest_down). A sync is
counted for it where the one before was more than a second ago, so that a step takes at least that time.
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
"""Where no sync came for 5 s one comes in mid-pass. QEMU: migration/cpu-throttle.c, _DIRTY_SYNC_TIMESLICE_MS."""
_SYNCS_SINCE = (9, 2)
"""The release."""
_STEP_S = 1.0
_FOR_CERTAIN = 1.1
"""A pass that lasts so many times as long is counted for certain, as is one that dirties so much more than it may."""
_LEAST, _MOST = 1, 99
"""QEMU: CPU_THROTTLE_PCT_MIN and CPU_THROTTLE_PCT_MAX."""


@dataclass(frozen=True)
class Step:
    """From one sample to the next the guest was slowed by another percentage; 0 is not at all.

    There may have been up to `most_steps` in between.
    """

    at_s: float
    before_percent: float
    after_percent: float
    most_steps: int


@dataclass(frozen=True)
class Throttling:
    """What was set of it, percent; a step is smaller where QEMU is to slow the guest gently (`tailslow`).

    `trigger` is how much the guest may dirty of what is sent meanwhile, None where that is not known.
    """

    initial: float
    increment: float
    most: float
    tailslow: bool
    trigger: float | None = None

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Throttling | None":
        """That of query-migrate-parameters; None where one of them is not there."""
        initial, increment, most = (optional_number(parameters, name) for name in PARAMETERS)
        if initial is None or increment is None or most is None:
            return None
        trigger = optional_number(parameters, TRIGGER)
        return cls(initial, increment, most, parameters.get(TAILSLOW) is True, trigger)

    def next_percents(self, percent: float) -> tuple[float, float]:
        """The least and the most by which the guest is slowed after a step from `percent`."""
        if not percent:
            first = min(max(self.initial, _LEAST), _MOST)
            return first, first
        most = min(percent + self.increment, self.most, _MOST)
        return (min(percent, most), most) if self.tailslow else (most, most)

    def explains(self, step: Step) -> bool:
        """Whether so many steps may come to that one."""
        least = most = step.before_percent
        for _ in range(step.most_steps):
            least, most = self.next_percents(least)[0], self.next_percents(most)[1]
            if least <= step.after_percent <= most:
                return True
        return False

    def least_percent(self, steps_due: int) -> float:
        """By how much the guest is slowed after so many steps, at the least."""
        if not steps_due or self.tailslow:
            return min(steps_due, _LEAST)
        return min(self.initial + (steps_due - 1) * self.increment, self.most, _MOST)

    def due(self, passes: Sequence[Pass]) -> Iterator[tuple[Pass, int]]:
        """Passes with the least number of steps that QEMU must have come to when each began.

        A sync is counted where this pass and the one before lasted for more than a second for certain: QEMU counts what
        was dirtied and sent since the last one that it had counted.
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
    """A pass that lasted for less was ended by the limit, and by no sync of auto-converge's."""
    if "auto-converge" not in trace.capabilities:
        return inf
    release = release_of(trace.header)
    return _SYNC_S if release is None or (release.major, release.minor) >= _SYNCS_SINCE else inf


def steps(samples: Samples, stopped_s: float) -> list[Step]:
    """The steps that `samples` show of a migration until the guest was stopped, in their order."""
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
