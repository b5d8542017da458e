# SPDX-License-Identifier: GPL-2.0-or-later
"""Recording a migration between the harness's own QEMUs."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ..basics.printable import shortened
from ..errors import HarnessError
from ..qemu.process import QemuProcess
from ..trace.file import TraceWriter
from ..trace.sample import ENDED, Sample
from .sampler import Sampler


class OwnMigrationSampler(Sampler):
    """Writes a trace whose zero is just before the migration, within an `async with` block."""

    def __init__(self, source: QemuProcess, destination: QemuProcess, writer: TraceWriter, rate_hz: float) -> None:
        super().__init__(source, writer, rate_hz, {"source": source, "destination": destination})
        self._destination = destination

    async def samples(self, uri: str) -> AsyncGenerator[Sample, None]:
        """Start the migration to `uri` and yield each sample as it is written, until the migration has ended.

        A migration that pauses before its switchover is continued. Raises HarnessError if the source ends or
        refuses, or the migration fails or is cancelled.
        """
        await self._source.execute("migrate", {"uri": uri})
        continued = False
        async with aclosing(self.answered_samples()) as samples:
            async for sample, answer in samples:
                if sample.status in ENDED - {"completed"}:
                    why = shortened(answer.get("error-desc", "QEMU gives no reason"))
                    last_words = self._destination.last_words()
                    raise HarnessError(
                        f"the migration ended as {sample.status}: {why}; the destination printed: {last_words}"
                    )
                if sample.status == "pre-switchover" and not continued:
                    continued = True
                    await self._source.execute("migrate-continue", {"state": "pre-switchover"})
                yield sample
