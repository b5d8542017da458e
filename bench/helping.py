# SPDX-License-Identifier: GPL-2.0-or-later
"""Is what `advise` calls enough for the default limit enough, and would less have been?

`python -m bench.helping` tries the limit of 300 ms on one migration with shares of the bandwidth, the smallest first,
each for as long as two passes take. `--what throttle` does the same with shares of auto-converge's throttling.
"""

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

from avocado_migdowntime.basics.qemu_constants import DEFAULT_DOWNTIME_LIMIT_MS
from avocado_migdowntime.errors import HarnessError
from avocado_migdowntime.experiments.expected_downtime import EnoughPasses
from avocado_migdowntime.experiments.run import Run, run_and_judge
from avocado_migdowntime.host.one_at_a_time import alone_on_host
from avocado_migdowntime.parameters.table import ARCHITECTURES, parse
from avocado_migdowntime.prediction.advice import Advice, Help
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.events import SOUNDING
from bench import options
from bench.advice import GUESTS, Held

SHARES = (2 / 3, 1.0)
"""Shares of what is called enough; the least that may be enough comes before them."""
BELOW = 0.95
"""The share of the least that may be enough, tried first."""
GREATEST_THROTTLE_PERCENT = 99


@dataclass(frozen=True)
class Aid:
    """A kind of help: `of` returns what is enough and the least, `settings` how to set an amount."""

    unit: str
    of: Callable[[Help], tuple[float | None, float | None]]
    settings: Callable[[float], Mapping[str, int]]
    held_s: float
    parameters: Mapping[str, str] = field(default_factory=dict)


def throttled(percent: float) -> Mapping[str, int]:
    """How to throttle a guest by that much at once, whether or not it is throttled already."""
    least = max(1, min(GREATEST_THROTTLE_PERCENT, round(percent)))
    return dict.fromkeys(("cpu-throttle-initial", "cpu-throttle-increment", "max-cpu-throttle"), least)


AIDS: Mapping[str, Aid] = {
    "bandwidth": Aid(
        "MB/s",
        lambda help_: (_thousandth(help_.bandwidth_bytes_per_ms), _thousandth(help_.least_bandwidth_bytes_per_ms)),
        lambda megabytes: {"max-bandwidth": int(megabytes * 1e6)},
        held_s=6.0,
    ),
    "throttle": Aid(
        "%",
        lambda help_: (help_.throttle_percent, help_.least_throttle_percent or 0),
        throttled,
        # QEMU throttles a guest after two passes that dirtied much, and only a little later.
        held_s=14.0,
        parameters={
            "capabilities": "auto-converge",
            "migrate_parameters": "cpu-throttle-initial=1,cpu-throttle-increment=1,max-cpu-throttle=1",
        },
    ),
}


def main() -> None:
    """Print the results of the runs."""
    parser = options.parser("bench.helping", __doc__)
    parser.add_argument("--what", choices=AIDS, default="bandwidth", help="(default: %(default)s)")
    parser.add_argument("--first", type=options.whole, default=0, help="the first guest (default: %(default)s)")
    parser.add_argument("--runs", type=options.count, default=len(GUESTS), help="(default: %(default)s)")
    parser.add_argument("--arch", choices=ARCHITECTURES, default="x86_64", help="(default: %(default)s)")
    chosen = parser.parse_args()
    for guest in islice(cycle(GUESTS), chosen.first, chosen.first + chosen.runs):
        tried = Helped(AIDS[chosen.what])
        given = {"accel": "tcg", "page_size": "4K", "arch": chosen.arch, "time_limit": "120", **guest}
        with tempfile.TemporaryDirectory() as directory, alone_on_host(print):
            try:
                asyncio.run(
                    run_and_judge(parse({**given, **tried.aid.parameters}), Path(directory), lambda _: None, tried.help)
                )
            except HarnessError as error:
                print(f"{guest}: {error}")
                continue
        print(f"{' '.join(guest.values())}: {tried}", flush=True)


class Helped:
    """Amounts of help tried on one migration under the default limit, in ascending order."""

    def __init__(self, aid: Aid) -> None:
        self.aid = aid
        self.advice: Advice | None = None
        self.did: str = ""
        self.dirtied: list[str] = []

    def __str__(self) -> str:
        if self.advice is None:
            return "ended before anything could be advised"
        enough, least = self.aid.of(self.advice.help)
        called = f"{enough or 0:.1f} {self.aid.unit} called enough, {least or 0:.1f} the least"
        return f"{called}; finished {self.did or 'at none'}; dirtied {', '.join(self.dirtied)}"

    async def help(self, run: Run) -> None:
        """The course of a run: see `experiments.run.run_and_judge`."""
        if not await run.follow(EnoughPasses(run)):
            return
        self.advice = advise(run.evidence())
        enough, least = self.aid.of(self.advice.help)
        if enough is not None and least is not None:
            for name, amount in steps(enough, least):
                values = {"downtime-limit": DEFAULT_DOWNTIME_LIMIT_MS, **self.aid.settings(amount)}
                run.sampler.note(SOUNDING, values)
                await run.pair.source.execute("migrate-set-parameters", values)
                goes_on = await run.follow(Held(self.aid.held_s))
                last = run.evidence().passes[-1].last
                slowed = (await run.pair.source.execute("query-migrate")).get("cpu-throttle-percentage", 0)
                self.dirtied.append(f"{last.dirty_pages_per_s} pages/s {name}, slowed by {slowed} %")
                if not goes_on:
                    self.did = name
                    return
        await run.let_complete()


def steps(enough: float, least: float) -> Sequence[tuple[str, float]]:
    """The amounts to try in turn, by name."""
    shares = [(f"at {share:.2f} of it", share * enough) for share in SHARES]
    return [("below the least", least * BELOW), *(step for step in shares if step[1] > least)]


def _thousandth(figure: float | None) -> float | None:
    return None if figure is None else figure / 1000


if __name__ == "__main__":
    options.run(main)
