# SPDX-License-Identifier: GPL-2.0-or-later
"""A recorded migration in the hands of an experiment."""

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
    """A migration; it starts when the first of its samples is taken."""

    pair: Pair
    parameters: Parameters
    sampler: OwnMigrationSampler
    samples: AsyncGenerator[Sample, None]
    stage: Stage

    async def follow(
        self, enough: Callable[[Sample], bool], at_each: Callable[[Sample], Awaitable[None]] | None = None
    ) -> bool:
        """Take samples until one is `enough`, or to the migration's end; return whether the migration is still active.

        `at_each` is called with each sample as soon as it is taken.
        """
        async for sample in self.samples:
            self.stage.sample(sample)
            if at_each is not None:
                await at_each(sample)
            if enough(sample):
                return True
        return False

    async def send_at(self, bytes_per_ms: float, event: str) -> None:
        """Set another max-bandwidth, and record that as the event `event`."""
        bandwidth = {"max-bandwidth": ceil(bytes_per_ms * 1000)}
        since_s = self.sampler.now_s()
        await self.pair.source.execute("migrate-set-parameters", bandwidth)
        self.sampler.note(event, {**bandwidth, "since": round(since_s, 6)})

    def evidence(self) -> Evidence:
        """The evidence recorded so far."""
        return self.sampler.evidence()
