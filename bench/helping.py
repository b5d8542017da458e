# SPDX-License-Identifier: GPL-2.0-or-later
"""Is the bandwidth that `advise` calls enough for the default limit enough, and would less have done?

`python -m bench.helping`: on one migration the limit of 300 ms with shares of that bandwidth, the least first, for as
long as two passes take.
"""

import argparse
import asyncio
import tempfile
from itertools import cycle, islice
from pathlib import Path

from avocado_migdowntime.basics.qemu_constants import DEFAULT_DOWNTIME_LIMIT_MS
from avocado_migdowntime.errors import HarnessError
from avocado_migdowntime.experiments.expected_downtime import EnoughPasses
from avocado_migdowntime.experiments.run import Run, run_and_judge
from avocado_migdowntime.host.one_at_a_time import alone_on_host
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.prediction.advice import Advice
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.events import SOUNDING
from bench.advice import GUESTS, Held

SHARES = (2 / 3, 1.0)
"""Of the bandwidth that is enough; the least that may do comes before them."""
HELD_S = 6.0


def main() -> None:
    """Print what came of the runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=len(GUESTS), help="(default: %(default)s)")
    parser.add_argument("--arch", default="x86_64", help="(default: %(default)s)")
    chosen = parser.parse_args()
    for guest in islice(cycle(GUESTS), chosen.runs):
        tried = Widened()
        with tempfile.TemporaryDirectory() as directory, alone_on_host(print):
            parameters = parse({"accel": "tcg", "page_size": "4K", "arch": chosen.arch, **guest})
            try:
                asyncio.run(run_and_judge(parameters, Path(directory), lambda _: None, tried.widen))
            except HarnessError as error:
                print(f"{guest}: {error}")
                continue
        print(f"{' '.join(guest.values())}: {tried}", flush=True)


class Widened:
    """Bandwidths tried on one migration under the default limit, from the least up."""

    def __init__(self) -> None:
        self.advice: Advice | None = None
        self.did: str = ""

    def __str__(self) -> str:
        if self.advice is None:
            return "ended before anything could be advised"
        found = self.advice.help
        enough, least = found.bandwidth_bytes_per_ms or 0, found.least_bandwidth_bytes_per_ms or 0
        return f"{enough / 1000:.1f} MB/s called enough, {least / 1000:.1f} the least; finished {self.did or 'at none'}"

    async def widen(self, run: Run) -> None:
        """The course of a run: see `experiments.run.judged`."""
        if not await run.follow(EnoughPasses(run)):
            return
        self.advice = advise(run.evidence())
        found = self.advice.help
        if found.bandwidth_bytes_per_ms is None or found.least_bandwidth_bytes_per_ms is None:
            await run.let_complete()
            return
        steps = [("below the least", found.least_bandwidth_bytes_per_ms * 0.95)]
        steps += [(f"at {share:.2f} of it", share * found.bandwidth_bytes_per_ms) for share in SHARES]
        for name, bytes_per_ms in steps:
            values = {"downtime-limit": DEFAULT_DOWNTIME_LIMIT_MS, "max-bandwidth": int(bytes_per_ms * 1000)}
            run.sampler.note(SOUNDING, values)
            await run.pair.source.execute("migrate-set-parameters", values)
            if not await run.follow(Held(HELD_S)):
                self.did = name
                return
        await run.let_complete()


if __name__ == "__main__":
    main()
