# SPDX-License-Identifier: GPL-2.0-or-later
"""Does the migration converge under a downtime-limit chosen from the expected downtime, and not under less?"""

from collections.abc import Callable
from math import ceil
from pathlib import Path
from types import MappingProxyType

from ..basics.qemu_constants import DEFAULT_DOWNTIME_LIMIT_MS
from ..parameters.table import Parameters
from ..trace.events import LIMIT
from ..trace.sample import Sample
from ..verdict.judge import judge
from ..verdict.trials import BELOW, CHOSEN, DEFAULT, TRIES_LIMITS
from ..verdict.verdict import Verdict
from .expected_downtime import EnoughPasses
from .run import Run, run_and_judge

DEFAULTS = MappingProxyType({"max_bandwidth": "12000000"})
"""This makes passes of more than a second, so that the default limit is not enough."""
_BELOW = 0.5
_PASSES = 2
"""Whole passes under a limit that should not be enough, after the pass in which it was set."""
_PATIENCE = 3
"""Passes after which a limit that should be enough has failed."""


async def convergence(parameters: Parameters, directory: Path, progress: Callable[[str], None]) -> Verdict:
    """Try limits on a migration, from insufficient ones to a sufficient one; for the rest see `run.run_and_judge`."""
    return await run_and_judge(parameters, directory, progress, try_limits, {TRIES_LIMITS: True})


async def try_limits(run: Run) -> None:
    """Try these limits, after `passes` undisturbed passes."""
    parameters = run.parameters
    if not await run.follow(EnoughPasses(run)):
        return
    verdict = judge(run.evidence(), parameters.formula, parameters.tolerance)
    chosen_from_ms = verdict.expected_ms if parameters.limit_from == "oracle" else verdict.reported_ms
    if chosen_from_ms is None or verdict.expected_ms is None:
        await run.let_complete()
        return
    below_ms = int(_BELOW * verdict.expected_ms)
    trials = [(BELOW, below_ms, _PASSES), (CHOSEN, ceil(parameters.limit_factor * chosen_from_ms), _PATIENCE)]
    if below_ms > DEFAULT_DOWNTIME_LIMIT_MS:
        trials.insert(0, (DEFAULT, DEFAULT_DOWNTIME_LIMIT_MS, _PASSES))
    for name, limit_ms, passes in trials:
        run.stage.say(f"trying a downtime-limit of {limit_ms} ms where {verdict.expected_ms:.0f} ms are needed")
        trial = {"trial": name, "limit-from": parameters.limit_from, "since": round(run.sampler.now_s(), 6)}
        await run.pair.source.execute("migrate-set-parameters", {"downtime-limit": limit_ms})
        run.sampler.note(LIMIT, {"downtime-limit": limit_ms, **trial})
        if not await run.follow(_MorePasses(passes)):
            return
    await run.let_complete()


class _MorePasses:
    """Whether that many passes have ended, after the one that was running first."""

    def __init__(self, passes: int) -> None:
        self._passes = passes
        self._first: int | None = None

    def __call__(self, sample: Sample) -> bool:
        if sample.ram is None or sample.status != "active":
            return False
        if self._first is None:
            self._first = sample.ram.dirty_sync_count
        return sample.ram.dirty_sync_count > self._first + self._passes
