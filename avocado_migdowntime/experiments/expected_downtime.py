# SPDX-License-Identifier: GPL-2.0-or-later
"""Is the reported expected-downtime right? Watch a migration that is kept from completing, and judge its trace."""

from collections.abc import Callable
from pathlib import Path

from ..parameters import Parameters
from ..trace import Sample
from ..verdict import Verdict
from .run import Run, judged


async def expected_downtime(parameters: Parameters, directory: Path, progress: Callable[[str], None]) -> Verdict:
    """Watch `passes` passes, then let the migration complete; for the rest see `run.judged`."""
    return await judged(parameters, directory, progress, _course)


async def _course(run: Run) -> None:
    if await run.follow(EnoughPasses(run.parameters.passes)):
        await run.let_complete()


class EnoughPasses:
    """Whether `passes` passes can be judged: the last of them has begun and is half-way through.

    Half-way, so that a report of what is left now cannot be taken for one of what was left at the sync.
    """

    def __init__(self, passes: int) -> None:
        self._last = passes + 1
        self._begun_with_bytes: int | None = None

    def __call__(self, sample: Sample) -> bool:
        ram = sample.ram
        if ram is None or sample.status != "active" or ram.dirty_sync_count < self._last:
            return False
        if self._begun_with_bytes is None:
            self._begun_with_bytes = ram.remaining_bytes
        return ram.dirty_sync_count > self._last or ram.remaining_bytes <= self._begun_with_bytes / 2
