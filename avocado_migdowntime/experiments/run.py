# SPDX-License-Identifier: GPL-2.0-or-later
"""The common part of all experiments: two QEMUs, a guest that dirties, a recorded migration, and its verdict."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..basics.whole_file import for_this_user_alone, write
from ..errors import HarnessError, UsageError
from ..forms.file import read
from ..parameters.table import Parameters
from ..qemu.guest import dirtying, lagging
from ..qemu.hang import HangWatch
from ..qemu.pair import Pair, launched_pair
from ..record.own_migration import OwnMigrationSampler
from ..record.stage import Stage
from ..report.verdict_json import fields
from ..trace.events import LAGGING
from ..trace.file import TraceWriter
from ..verdict.judge import judge
from ..verdict.verdict import Verdict
from .arrival import Arrival, watch_arrival
from .blocktime import CAPABILITY, blocktime_recorded
from .cpu_use import cpu_recorded
from .first_pass import end_first_pass, hold_first_pass
from .link_use import link_recorded
from .migration import Migration
from .stalled import why_stalled

TRACE, VERDICT = "trace.jsonl", "verdict.json"
"""The files that a run leaves in its directory, next to QEMU's own output."""


@dataclass(frozen=True)
class Run(Migration):
    """A migration after the start of its first pass, and its guest's way to the destination."""

    arrival: Arrival

    async def let_complete(self) -> None:
        """Set a limit that the migration meets, or end it by postcopy, and take its samples to the end."""
        if self.parameters.postcopy != "no":
            self.stage.say("enough was seen: letting the migration complete by postcopy")
            is_told = CAPABILITY in self.parameters.capabilities
            async with blocktime_recorded(self.pair, self.sampler) if is_told else nullcontext():
                await self.arrival.let_complete_by_postcopy(self.samples, breaks=self.parameters.postcopy == "recovery")
            return
        self.stage.say("enough was seen: letting the migration complete")
        await self.arrival.let_complete(self.samples)


async def run_and_judge(
    parameters: Parameters,
    directory: Path,
    progress: Callable[[str], None],
    course: Callable[[Run], Awaitable[None]],
    header: Mapping[str, Any] = MappingProxyType({}),
) -> Verdict:
    """Launch, dirty, migrate and sample by `parameters`; run `course` with the migration; judge the recording.

    `header` has further fields for the trace's header. The trace, the verdict as JSON and QEMU's output stay in
    `directory`, for this user only; `progress` gets a line at each step and one a second during the migration. Raises
    UsageError, HostRequirementError or HarnessError. In any case only those files are left.
    """
    stage, watch = Stage(progress), HangWatch()
    try:
        with for_this_user_alone():
            async with (
                asyncio.timeout(parameters.time_limit),
                launched_pair(parameters, directory, stage.say) as pair,
                watch.over(pair.source, pair.destination),
            ):
                stage.say("waiting for the guest to dirty its region once")
                ready = asyncio.create_task(_ready(pair, parameters))
                try:
                    await _record(pair, ready, parameters, directory, stage, course, header)
                finally:
                    ready.cancel()
                    await asyncio.gather(ready, return_exceptions=True)
    except TimeoutError:
        advice = "raise `time_limit` or `max_bandwidth`, or make `region` smaller"
        if cause := watch.silence or _why_stalled(directory):
            advice = f"{cause}; if it is only slow, raise `time_limit`"
        raise HarnessError(f"given up after {parameters.time_limit:g} s while {stage.last}; {advice}") from None
    verdict = judge(read(str(directory / TRACE)), parameters.formula, parameters.tolerance)
    write(str(directory / VERDICT), f"{json.dumps(fields(verdict), indent=2)}\n".encode(), mode=0o600)
    return verdict


def _why_stalled(directory: Path) -> str:
    try:
        return why_stalled(read(str(directory / TRACE)).samples)
    except UsageError:  # The migration has not started.
        return ""


async def _ready(pair: Pair, parameters: Parameters) -> None:
    """Wait until the guest has dirtied its region once, and until all its RAM is allocated.

    A first pass that starts at once waits for RAM by itself, and leaves enough time.
    """
    await dirtying(pair.source)
    if not parameters.at_full_speed:
        await pair.filled


async def _record(
    pair: Pair,
    ready: asyncio.Task[None],
    parameters: Parameters,
    directory: Path,
    stage: Stage,
    course: Callable[[Run], Awaitable[None]],
    header: Mapping[str, Any],
) -> None:
    # A guest under KVM within a virtual machine may take longer to boot than a first pass can be held back.
    if not parameters.at_full_speed or pair.guest.accel == "kvm":
        await ready
    with closing(TraceWriter(directory / TRACE, {**await pair.configure(parameters), **header})) as writer:
        async with (
            OwnMigrationSampler(pair.source, pair.destination, writer, parameters.sample_rate) as sampler,
            cpu_recorded(pair, sampler),
            link_recorded(pair, sampler),
            aclosing(sampler.samples(pair.uri)) as samples,
        ):
            await hold_first_pass(Migration(pair, parameters, sampler, samples, stage), ready)
            async with watch_arrival(pair, sampler) as arrival:
                run = Run(pair, parameters, sampler, samples, stage, arrival)
                await end_first_pass(run)
                await course(run)
                if message := lagging(pair.source):
                    sampler.note(LAGGING, {"said": message})
                await arrival.inspect(parameters.integrity, stage.say)
