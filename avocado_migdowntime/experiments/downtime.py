# SPDX-License-Identifier: GPL-2.0-or-later
"""Is the guest down as long as predicted? Tested on a really slow link, and compared with the same guest idle."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from ..errors import HarnessError, UsageError
from ..forms.file import read
from ..parameters.table import Parameters
from ..trace.ram import number
from ..trace.sample import Sample
from ..verdict.predicted_downtime import FIXED_DOWNTIME_MS
from ..verdict.trials import TRIES_LIMITS
from ..verdict.verdict import Verdict
from .convergence import try_limits
from .run import TRACE, Run, run_and_judge

_IDLE_DIRECTORIES = ("idle", "idle-2", "idle-3")
"""The directories for the idle guest's runs, below that of the run."""
_LITTLE, _ALIKE = 0.05, 0.01
"""Shares of what sending the region takes: what is little, and by what two downtimes of the idle guest may differ."""
DEFAULTS = MappingProxyType({"link": "shaped", "max_bandwidth": "100G", "region": "80M"})
"""The test's default parameters."""
HUGEPAGE_IDLE = MappingProxyType(
    {
        **DEFAULTS,
        "link_rate": "108353750",
        "ram": "1G",
        "region": "368M",
        "granule": "16M",
        "rate": "94208",
        "limit_factor": "1.1",
        "time_limit": "240",
    }
)
"""Parameters for a guest that is idle except for one write in each of 23 hugepages of 16 MiB, on a link of 866.83
Mbit/s.
"""


async def downtime(parameters: Parameters, directory: Path, progress: Callable[[str], None]) -> Verdict:
    """Migrate the idle guest to measure its devices' part, then try limits while it dirties; see `run.run_and_judge`.

    Raises UsageError if the link is not really slow, or does not limit the migration.
    """
    if parameters.link != "shaped" and not parameters.other_hosts:
        raise UsageError(
            f"link={parameters.link} does not slow the switchover, so the downtime shows nothing; use link=shaped"
        )
    if not parameters.other_hosts and parameters.bytes_per_s < parameters.link_rate:
        raise UsageError(
            f"max_bandwidth={parameters.bytes_per_s} is below link_rate={parameters.link_rate}, and QEMU lifts it at "
            "the switchover, so the downtime shows nothing; give a larger one"
        )
    begun_s = time.monotonic()
    header = {FIXED_DOWNTIME_MS: await _idle_downtime_ms(parameters, directory, progress), TRIES_LIMITS: True}
    left_s = max(1.0, parameters.time_limit - (time.monotonic() - begun_s))
    return await run_and_judge(replace(parameters, time_limit=left_s), directory, progress, try_limits, header)


async def _idle_downtime_ms(parameters: Parameters, directory: Path, progress: Callable[[str], None]) -> float:
    """How long the idle guest is down: of several runs the shortest, as a busy host can only make it longer."""
    idle = replace(parameters, pattern="idle", rate=0, burst=None, integrity=False)
    down_ms: list[float] = []
    for name in _IDLE_DIRECTORIES:
        (directory / name).mkdir()
        progress(f"{'again' if down_ms else 'first'} an idle guest, to measure the downtime of its devices")
        rested = await run_and_judge(idle, directory / name, progress, _complete_when_sent)
        if rested.downtime is None or rested.downtime.qemu_ms is None:
            raise HarnessError("QEMU did not say how long the idle guest was down; see its recording")
        down_ms.append(rested.downtime.qemu_ms)
        region_ms = 1000 * parameters.region / number(read(str(directory / name / TRACE)).header, "link_bytes_per_s")
        if _is_settled(down_ms, region_ms):
            break
    return min(down_ms)


def _is_settled(down_ms: Sequence[float], region_ms: float) -> bool:
    """Whether the idle guest need not run again: it was down for little, or twice for as long."""
    least, *others = sorted(down_ms)
    return least <= _LITTLE * region_ms or any(other - least <= _ALIKE * region_ms for other in others)


async def _complete_when_sent(run: Run) -> None:
    if run.parameters.other_hosts and run.parameters.bytes_per_s < run.pair.link.bytes_per_s:
        raise UsageError(
            f"max_bandwidth={run.parameters.bytes_per_s} is below what the network carries, "
            f"{run.pair.link.bytes_per_s:.0f} bytes per second, and QEMU lifts it at the switchover, so the downtime "
            "shows nothing; give a larger one"
        )
    if await run.follow(_second_pass):
        await run.let_complete()


def _second_pass(sample: Sample) -> bool:
    return sample.ram is not None and sample.ram.dirty_sync_count > 1
