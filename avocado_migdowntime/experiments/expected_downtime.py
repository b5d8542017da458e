# SPDX-License-Identifier: GPL-2.0-or-later
"""Is the reported expected-downtime right? Watch a migration that is kept from completing, and judge its trace."""

from collections.abc import Callable
from pathlib import Path

from ..parameters.table import Parameters
from ..trace.events import BANDWIDTH
from ..trace.samples import Sample
from ..verdict.verdict import Verdict
from .run import Run, run_and_judge

SLOWED = 0.75
"""The share of its bandwidth that a migration is left with when enough passes were seen."""
_SLOWED_S = 0.6
"""Time for which it is watched then: QEMU renews its figures ten times a second."""


async def expected_downtime(parameters: Parameters, directory: Path, progress: Callable[[str], None]) -> Verdict:
    """Watch `passes` passes, and a part of the last under less bandwidth; then let the migration complete.

    Where passes are all alike, only that tells a report that is renewed from one that is not. See `run.run_and_judge`.
    """
    return await run_and_judge(parameters, directory, progress, _course)


async def _course(run: Run) -> None:
    enough = EnoughPasses(run.parameters.passes)
    if not await run.follow(enough):
        return
    if enough.bytes_per_ms:
        run.stage.say(f"at {SLOWED:g} of the bandwidth, to see whether the report follows")
        await run.send_at(SLOWED * enough.bytes_per_ms, BANDWIDTH)
        if not await run.follow(_RestOfPass()):
            return
    await run.let_complete()


class EnoughPasses:
    """Whether `passes` passes can be judged: the last of them has begun and is half-way through.

    Half-way, so that a report of what is left now cannot be taken for one of what was left at the sync. `bytes_per_ms`
    is the bandwidth then.
    """

    def __init__(self, passes: int) -> None:
        self.bytes_per_ms = 0.0
        self._last = passes + 1
        self._begun_with_bytes: int | None = None

    def __call__(self, sample: Sample) -> bool:
        ram = sample.ram
        if ram is None or sample.status != "active" or ram.dirty_sync_count < self._last:
            return False
        if self._begun_with_bytes is None:
            self._begun_with_bytes = ram.remaining_bytes
        self.bytes_per_ms = ram.wire_bytes_per_ms
        return ram.dirty_sync_count > self._last or ram.remaining_bytes <= self._begun_with_bytes / 2


class _RestOfPass:
    """Whether the pass under way is over, or was watched for long enough."""

    def __init__(self) -> None:
        self._first: Sample | None = None

    def __call__(self, sample: Sample) -> bool:
        if sample.ram is None:
            return False
        if self._first is None or self._first.ram is None:
            self._first = sample
            return False
        over = sample.ram.dirty_sync_count > self._first.ram.dirty_sync_count
        return over or sample.t_s - self._first.t_s >= _SLOWED_S
