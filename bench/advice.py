# SPDX-License-Identifier: GPL-2.0-or-later
"""Is the limit that `advise` gives enough, and how much less would have been? `python -m bench.advice`."""

import asyncio
import math
import tempfile
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path

from avocado_migdowntime.errors import HarnessError
from avocado_migdowntime.experiments.expected_downtime import EnoughPasses
from avocado_migdowntime.experiments.run import Run, run_and_judge
from avocado_migdowntime.host.one_at_a_time import alone_on_host
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.prediction.advice import Advice
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.events import SOUNDING
from avocado_migdowntime.trace.sample import Sample
from bench import options

GUESTS = (
    {"pattern": "sequential"},
    {"pattern": "random", "rate": "12000"},
    {"pattern": "hot-cold", "rate": "8000"},
    {"pattern": "sequential", "rate": "3500"},
    {"pattern": "random", "rate": "4000"},
)
LIMITS: dict[str, Callable[[Advice], Sequence[float]]] = {
    "given": lambda advice: advice.steps_ms[-1:],
    "steps": lambda advice: advice.steps_ms,
    "fine": lambda advice: [percent / 100 * advice.steps_ms[-1] for percent in range(40, 110, 10)],
}
"""The limits to try, the smallest first."""


def main() -> None:
    """Print the results of the runs."""
    parser = options.parser("bench.advice", __doc__)
    parser.add_argument(
        "--runs", type=options.count, default=10, help="runs of each architecture (default: %(default)s)"
    )
    parser.add_argument(
        "--limits", choices=LIMITS, default="given", help="limits to try, each for two passes (default: %(default)s)"
    )
    chosen = parser.parse_args()
    did = []
    for arch in ("ppc64", "x86_64"):
        for guest in islice(cycle(GUESTS), chosen.runs):
            tried = Ladder(LIMITS[chosen.limits])
            with tempfile.TemporaryDirectory() as directory, alone_on_host(print):
                parameters = parse({"accel": "tcg", "page_size": "4K", "arch": arch, **guest})
                try:
                    asyncio.run(run_and_judge(parameters, Path(directory), lambda _: None, tried.climb))
                except HarnessError as error:
                    print(f"{arch} {guest}: {error}")
                    continue
            did.append(tried.sufficed_ms is not None)
            print(f"{arch} {' '.join(guest.values())}: {tried}", flush=True)
    print(f"{sum(did)} of {len(did)} finished")


class Ladder:
    """Limits tried on one migration, in ascending order."""

    def __init__(self, limits: Callable[[Advice], Sequence[float]]) -> None:
        self._limits = limits
        self.given_ms = 0
        self.sufficed_ms: int | None = None

    def __str__(self) -> str:
        if self.sufficed_ms is None:
            return f"given {self.given_ms} ms, did not do"
        return (
            f"given {self.given_ms} ms, finished under {self.sufficed_ms}: {self.sufficed_ms / self.given_ms:.2f} of it"
        )

    async def climb(self, run: Run) -> None:
        """The course of a run: see `experiments.run.run_and_judge`."""
        if not await run.follow(EnoughPasses(run)):
            return
        advice = advise(run.evidence())
        assert advice.limit_ms
        self.given_ms = advice.limit_ms
        for limit_ms in map(math.ceil, self._limits(advice)):
            limit = {"downtime-limit": limit_ms}
            run.sampler.note(SOUNDING, limit)
            await run.pair.source.execute("migrate-set-parameters", limit)
            if not await run.follow(Held(2 * self.given_ms / 1000)):
                self.sufficed_ms = limit_ms
                return
        await run.let_complete()


class Held:
    """Whether that many seconds of samples have passed."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until_s = math.inf

    def __call__(self, sample: Sample) -> bool:
        self._until_s = min(self._until_s, sample.t_s + self._seconds)
        return sample.t_s > self._until_s


if __name__ == "__main__":
    options.run(main)
