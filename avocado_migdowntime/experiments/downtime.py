# SPDX-License-Identifier: GPL-2.0-or-later
"""Is the guest down as long as predicted? Tested on a really slow link, and compared with the same guest idle."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from ..errors import HarnessError, UsageError
from ..parameters.table import Parameters
from ..trace.sample import Sample
from ..verdict.predicted_downtime import FIXED_DOWNTIME_MS
from ..verdict.trials import TRIES_LIMITS
from ..verdict.verdict import Verdict
from .convergence import try_limits
from .run import Run, run_and_judge

_IDLE_DIRECTORY = "idle"
"""The directory for the idle guest's run, below that of the run."""
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
    (directory / _IDLE_DIRECTORY).mkdir()
    idle = replace(parameters, pattern="idle", rate=0, burst=None, integrity=False)
    progress("first an idle guest, to measure the downtime of its devices")
    rested = await run_and_judge(idle, directory / _IDLE_DIRECTORY, progress, _complete_when_sent)
    if rested.downtime is None or rested.downtime.qemu_ms is None:
        raise HarnessError("QEMU did not say how long the idle guest was down; see its recording")
    header = {FIXED_DOWNTIME_MS: rested.downtime.qemu_ms, TRIES_LIMITS: True}
    left_s = max(1.0, parameters.time_limit - (time.monotonic() - begun_s))
    return await run_and_judge(replace(parameters, time_limit=left_s), directory, progress, try_limits, header)


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
