# SPDX-License-Identifier: GPL-2.0-or-later
"""A migration on record, as an experiment has it in hand."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from math import ceil

from ..oracle.evidence import Evidence
from ..parameters.table import Parameters
from ..qemu.pair import Pair
from ..record.own_migration import OwnMigrationSampler
from ..record.stage import Stage
from ..trace.sample import Sample


@dataclass(frozen=True)
class Migration:
    """It begins when the first of its samples is taken."""

    pair: Pair
    parameters: Parameters
    sampler: OwnMigrationSampler
    samples: AsyncGenerator[Sample, None]
    stage: Stage

    async def follow(
        self, enough: Callable[[Sample], bool], at_each: Callable[[Sample], Awaitable[None]] | None = None
    ) -> bool:
        """Take samples until one is `enough`, or to the migration's end; gives whether it goes on.

        What is to be done `at_each` is done as soon as it is taken.
        """
        async for sample in self.samples:
            self.stage.sample(sample)
            if at_each is not None:
                await at_each(sample)
            if enough(sample):
                return True
        return False

    async def send_at(self, bytes_per_ms: float, event: str) -> None:
        """Give the migration another max-bandwidth, and note that under the name `event`."""
        bandwidth = {"max-bandwidth": ceil(bytes_per_ms * 1000)}
        since_s = self.sampler.now_s()
        await self.pair.source.execute("migrate-set-parameters", bandwidth)
        self.sampler.note(event, {**bandwidth, "since": round(since_s, 6)})

    def evidence(self) -> Evidence:
        """What is on record so far."""
        return self.sampler.evidence()
