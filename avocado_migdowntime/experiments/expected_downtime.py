# SPDX-License-Identifier: GPL-2.0-or-later
"""Is the reported expected-downtime right? Watch a migration that is kept from completing, and judge its trace."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import aclosing, closing
from pathlib import Path

from ..errors import HarnessError
from ..judge import judge
from ..parameters import Parameters
from ..qemu.guest import dirtying
from ..qemu.pair import Pair, launched_pair
from ..qemu.recorder import Recorder
from ..report.fields import fields
from ..trace import Sample
from ..trace_file import TraceWriter, read
from ..verdict import Verdict
from .arrival import watched

TRACE, VERDICT = "trace.jsonl", "verdict.json"
"""What a run leaves in its directory, beside QEMU's own output."""


async def expected_downtime(parameters: Parameters, directory: Path, progress: Callable[[str], None]) -> Verdict:
    """Launch, dirty, migrate, sample and judge as `parameters` say.

    The trace, the verdict as JSON and QEMU's output are left in `directory`; `progress` gets a line at each step and
    one a second while it migrates. Raises BadInput, HostLacks or HarnessError; nothing but those files is left
    behind in any case.
    """
    stage = _Stage(progress)
    try:
        async with asyncio.timeout(parameters.time_limit):
            async with launched_pair(parameters, directory, stage.say) as pair:
                stage.say("waiting for the guest to dirty its region once")
                await dirtying(pair.source)
                await _record(pair, parameters, directory, stage)
    except TimeoutError:
        raise HarnessError(
            f"given up after {parameters.time_limit:g} s while {stage.last}; raise `time_limit` or "
            "`max_bandwidth`, or make `region` smaller"
        ) from None
    verdict = judge(read(str(directory / TRACE)), parameters.formula, parameters.tolerance)
    (directory / VERDICT).write_text(json.dumps(fields(verdict), indent=2) + "\n")
    return verdict


async def _record(pair: Pair, parameters: Parameters, directory: Path, stage: "_Stage") -> None:
    with closing(TraceWriter(directory / TRACE, await pair.configure(parameters))) as writer:
        async with (
            Recorder(pair.source, pair.destination, writer, parameters.sample_rate) as recorder,
            watched(pair, recorder) as arrival,
            aclosing(recorder.samples(pair.uri)) as samples,
        ):
            enough = _Enough(parameters.passes)
            async for sample in samples:
                stage.sample(sample)
                if enough(sample):
                    stage.say("enough passes were seen: letting the migration complete")
                    await arrival.let_complete(samples)
            stage.say("looking at the guest at the destination")
            await arrival.inspect(parameters.integrity)


class _Enough:
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


class _Stage:
    """What the run is at, told at most once a second."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.last = "starting"
        self._tell = tell
        self._told_s = float("-inf")

    def say(self, text: str) -> None:
        self.last = text
        self._tell(text)

    def sample(self, sample: Sample) -> None:
        now_s = time.monotonic()
        if sample.ram is None or now_s < self._told_s + 1:
            return
        self._told_s = now_s
        ram = sample.ram
        self.say(
            f"pass {ram.dirty_sync_count}: {ram.remaining_bytes / 1e6:.1f} MB remaining at "
            f"{ram.mbps / 8:.1f} MB/s, expected-downtime {sample.expected_downtime_ms or 0:g} ms"
        )
