# SPDX-License-Identifier: GPL-2.0-or-later
"""Is the reported expected-downtime right? Watch a migration that is kept from completing, and judge its trace."""

from collections.abc import Callable
from pathlib import Path

from ..oracle.reports import SETTLE_S, ExcludedSamples
from ..oracle.segments import slowed
from ..parameters.table import Parameters
from ..trace.events import BANDWIDTH
from ..trace.ram import Ram
from ..trace.sample import Sample
from ..verdict.bandwidth import judge_bandwidth
from ..verdict.judged_passes import GrowingSegments, decides, judged_passes
from ..verdict.verdict import Verdict
from .aimed_limit import AimedLimit
from .run import Run, run_and_judge

SLOWED = 1 / 3
"""The share of its bandwidth that the migration keeps after enough passes: then half a pass lasts longer than an update
of the report takes.
"""
REPORTS = 5
"""This many usable reports of the current pass are enough: one may be torn."""
_PATIENCE_S = 4.0
"""How long to wait for judgeable passes once there should be enough: a busy host may spoil one."""
_ABOUT = 2
"""The bandwidth is far above the one ordered if it exceeds it by this factor: then only a busy host has changed it."""
_SLOWED_S, _LATE_S = 0.6, 2.0
"""How long a report may take to follow, and how long to wait if it is not seen at all."""
_ONE_MORE_S = 6.0
"""How long to wait for the end of one more pass."""


async def expected_downtime(parameters: Parameters, directory: Path, progress: Callable[[str], None]) -> Verdict:
    """Watch `passes` passes, and part of the last one at a lower bandwidth; then let the migration complete.

    If all passes are alike, only the lower bandwidth shows whether the report is updated. If it is not, only one more
    pass shows whether it is updated once a pass. See `run.run_and_judge`.
    """
    return await run_and_judge(parameters, directory, progress, _course)


async def _course(run: Run) -> None:
    enough = EnoughPasses(run)
    if not await run.follow(enough, AimedLimit(run)):
        return
    if enough.bytes_per_ms:
        run.stage.say(f"at {SLOWED:.0%} of the bandwidth, to see whether the report follows")
        slower_bytes_per_ms = SLOWED * enough.bytes_per_ms
        await run.send_at(slower_bytes_per_ms, BANDWIDTH)
        followed = Followed(run, slower_bytes_per_ms)
        if not await run.follow(followed):
            return
        if followed.stands:
            run.stage.say("the report has not followed: one more pass, to see whether it is updated once a pass")
            if not await run.follow(OneMorePass()):
                return
    await run.let_complete()


class EnoughPasses:
    """Whether the requested passes can be judged, or there was enough time for it.

    What was left at their syncs must be known well enough. The last of them need not be over; half of it is enough to
    know the bandwidth. A single pass must be half-way through, so that a report of what is left now cannot be confused
    with one of what was left at the sync. `bytes_per_ms` is the bandwidth then.
    """

    def __init__(self, run: Run) -> None:
        self.bytes_per_ms = 0.0
        self._run = run
        self._passes = run.parameters.passes
        self._segments = GrowingSegments(run.parameters.formula, run.parameters.tolerance)
        self._begin: tuple[float, Ram] | None = None

    def __call__(self, sample: Sample) -> bool:
        ram = sample.ram
        if ram is None or sample.status != "active" or ram.dirty_sync_count <= self._passes:
            return False
        self._begin = self._begin or (sample.t_s, ram)
        begin_s, begin_ram = self._begin
        self.bytes_per_ms, watched_s = ram.wire_bytes_per_ms, sample.t_s - begin_s
        another = ram.dirty_sync_count > begin_ram.dirty_sync_count
        half_way = another or ram.remaining_bytes <= begin_ram.remaining_bytes / 2
        if half_way and watched_s > _PATIENCE_S:
            return True
        return (half_way or self._passes > 1) and watched_s > SETTLE_S and self._judgeable()

    def _judgeable(self) -> bool:
        parameters, evidence = self._run.parameters, self._run.evidence()
        count, last = self._segments.count_and_last(evidence.undisturbed)
        if last is None or not decides(last, parameters.formula, parameters.tolerance):
            return False
        if count < self._passes or (count == self._passes and len(last.reports) < REPORTS):
            return False
        return judge_bandwidth(evidence).needs_no_more


class Followed:
    """Whether reports follow the bandwidth to `bytes_per_ms`, or had enough time to, or the pass is over.

    `stands` tells that they do not: the report still is that of before.
    """

    def __init__(self, run: Run, bytes_per_ms: float) -> None:
        self._run, self._bytes_per_ms = run, bytes_per_ms
        formula, tolerance = run.parameters.formula, run.parameters.tolerance
        self._segments, _ = judged_passes(run.evidence().undisturbed, formula, tolerance, ExcludedSamples())
        self._first: tuple[float, int] | None = None
        self.stands = False

    def __call__(self, sample: Sample) -> bool:
        if sample.ram is None:
            return False
        if self._first is None:
            self._first = sample.t_s, sample.ram.dirty_sync_count
            return False
        first_s, number = self._first
        if sample.ram.dirty_sync_count > number:
            return True
        watched_s, parameters = sample.t_s - first_s, self._run.parameters
        rest = slowed(self._run.evidence(), self._segments, parameters.tolerance)
        if rest is None:
            return watched_s >= _LATE_S
        figures = {*rest.reports.expected_ms.tolist(), float(self._segments[-1].reports.expected_ms[-1])}
        self.stands = len(figures) == 1 and not rest.fits[parameters.formula].agrees
        is_slow = rest.bytes_per_ms <= _ABOUT * self._bytes_per_ms
        follows = is_slow and len(rest.reports) >= REPORTS and rest.fits[parameters.formula].agrees
        return follows or watched_s >= _SLOWED_S


class OneMorePass:
    """Whether the pass after the current one is over, or there was enough time for it."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def __call__(self, sample: Sample) -> bool:
        if sample.ram is None:
            return False
        number = sample.ram.dirty_sync_count
        first_s, first_number = self._first = self._first or (sample.t_s, number)
        return number > first_number + 1 or sample.t_s > first_s + _ONE_MORE_S
