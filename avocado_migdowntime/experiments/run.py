# SPDX-License-Identifier: GPL-2.0-or-later
"""What all experiments share: two QEMUs, a guest that dirties, its migration on record, and the trace judged."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..errors import HarnessError
from ..oracle.evidence import Evidence
from ..parameters.table import Parameters
from ..qemu.guest import dirtying, lagging
from ..qemu.pair import Pair, launched_pair
from ..record.own_migration import OwnMigrationSampler
from ..record.stage import Stage
from ..report.verdict_json import fields
from ..trace.events import FIRST_PASS, LAGGING
from ..trace.file import TraceWriter, read
from ..trace.samples import Sample
from ..verdict.judge import judge
from ..verdict.verdict import Verdict
from .arrival import Arrival, watch_arrival
from .first_pass import HELD_BYTES_PER_S, held_until_s

TRACE, VERDICT = "trace.jsonl", "verdict.json"
"""What a run leaves in its directory, beside QEMU's own output."""


@dataclass(frozen=True)
class Run:
    """A migration that has begun, in the hands of an experiment."""

    pair: Pair
    parameters: Parameters
    sampler: OwnMigrationSampler
    arrival: Arrival
    samples: AsyncGenerator[Sample, None]
    stage: Stage
    directory: Path

    async def follow(self, enough: Callable[[Sample], bool]) -> bool:
        """Take samples until one is `enough`, or to the migration's end; gives whether it goes on."""
        async for sample in self.samples:
            self.stage.sample(sample)
            if enough(sample):
                return True
        return False

    async def send_at(self, bytes_per_ms: float, event: str) -> None:
        """Give the migration another max-bandwidth, and note that under the name `event`."""
        bandwidth = {"max-bandwidth": ceil(bytes_per_ms * 1000)}
        self.sampler.note(event, bandwidth)
        await self.pair.source.execute("migrate-set-parameters", bandwidth)

    async def let_complete(self) -> None:
        """Give the migration a limit that it meets, and take its samples to the end."""
        self.stage.say("enough was seen: letting the migration complete")
        await self.arrival.let_complete(self.samples)

    def evidence(self) -> Evidence:
        """What is on record so far."""
        return self.sampler.evidence()


async def run_and_judge(
    parameters: Parameters,
    directory: Path,
    progress: Callable[[str], None],
    course: Callable[[Run], Awaitable[None]],
    known: Mapping[str, Any] = MappingProxyType({}),
) -> Verdict:
    """Launch, dirty, migrate and sample as `parameters` say, do `course` with the migration, and judge what was seen.

    What is `known` beforehand goes into the trace's header. The trace, the verdict as JSON and QEMU's output are left
    in `directory`; `progress` gets a line at each step and one a second while it migrates.
    Raises UsageError, HostRequirementError or HarnessError; nothing but those files is left behind in any case.
    """
    stage = Stage(progress)
    try:
        async with asyncio.timeout(parameters.time_limit):
            async with launched_pair(parameters, directory, stage.say) as pair:
                stage.say("waiting for the guest to dirty its region once")
                await dirtying(pair.source)
                await _record(pair, parameters, directory, stage, course, known)
    except TimeoutError:
        raise HarnessError(
            f"given up after {parameters.time_limit:g} s while {stage.last}; raise `time_limit` or "
            "`max_bandwidth`, or make `region` smaller"
        ) from None
    verdict = judge(read(str(directory / TRACE)), parameters.formula, parameters.tolerance)
    (directory / VERDICT).write_text(json.dumps(fields(verdict), indent=2) + "\n")
    return verdict


async def _first_pass(run: Run) -> None:
    """Hold the first pass back as long as it needs to be."""
    until_s = held_until_s(run.parameters)
    if until_s <= 0:
        return
    await run.send_at(HELD_BYTES_PER_S / 1000, FIRST_PASS)
    if await run.follow(lambda sample: sample.t_s >= until_s):
        await run.send_at(run.parameters.bytes_per_s / 1000, FIRST_PASS)


async def _record(
    pair: Pair,
    parameters: Parameters,
    directory: Path,
    stage: Stage,
    course: Callable[[Run], Awaitable[None]],
    known: Mapping[str, Any],
) -> None:
    with closing(TraceWriter(directory / TRACE, {**await pair.configure(parameters), **known})) as writer:
        async with (
            OwnMigrationSampler(pair.source, pair.destination, writer, parameters.sample_rate) as sampler,
            watch_arrival(pair, sampler) as arrival,
            aclosing(sampler.samples(pair.uri)) as samples,
        ):
            run = Run(pair, parameters, sampler, arrival, samples, stage, directory)
            await _first_pass(run)
            await course(run)
            if message := lagging(pair.source):
                sampler.note(LAGGING, {"said": message})
            stage.say("looking at the guest at the destination")
            await arrival.inspect(parameters.integrity)
