# SPDX-License-Identifier: GPL-2.0-or-later
"""Does the limit that `advise` gives end a migration, and how much smaller might it be? `python bench/advice.py`."""

import argparse
import asyncio
import tempfile
from dataclasses import dataclass
from itertools import cycle, islice, product
from pathlib import Path

from avocado_migdowntime.convergence import advise
from avocado_migdowntime.experiments.expected_downtime import EnoughPasses
from avocado_migdowntime.experiments.run import Run, judged
from avocado_migdowntime.parameters import parse
from avocado_migdowntime.trace import LIMIT

COMMON = {"accel": "tcg", "page_size": "4K", "integrity": "no"}
GUESTS = [
    {"pattern": "sequential", "rate": "0"},
    {"pattern": "random", "rate": "4000"},
    {"pattern": "hot-cold", "rate": "8000"},
    {"pattern": "random", "rate": "12000"},
    {"pattern": "sequential", "rate": "3500"},
]
STEPS = [0.6 * 1.08**step for step in range(8)]
"""Limits that are tried from below, as shares of the one that was given."""
PATIENCE = 2


@dataclass
class Outcome:
    """What became of the limit that was given, ms, or of the ladder of limits up to it."""

    given_ms: float | None = None
    syncs: int | None = None
    least_ms: float | None = None


class Syncs:
    """Counts syncs; enough are two."""

    def __init__(self):
        self.first = self.seen = None

    def __call__(self, sample):
        if sample.ram is None or sample.status != "active":
            return False
        if self.first is None:
            self.first = sample.ram.dirty_sync_count
        self.seen = sample.ram.dirty_sync_count
        return self.seen >= self.first + PATIENCE


async def attempt(run: Run, limit_ms: float) -> int | None:
    """The sync at which it completed under this limit, or None."""
    syncs = Syncs()
    run.recorder.note(LIMIT, {"trial": "chosen", "downtime-limit": int(limit_ms)})
    await run.pair.source.execute("migrate-set-parameters", {"downtime-limit": int(limit_ms)})
    if await run.follow(syncs):
        return None
    return syncs.seen - syncs.first + 1 if syncs.first is not None else 1


def one(parameters: dict[str, str], ladder: bool) -> Outcome:
    """One migration: under the limit given, or under a ladder of limits from below it."""
    outcome = Outcome()

    async def course(run: Run) -> None:
        if not await run.follow(EnoughPasses(3)):
            return
        outcome.given_ms = advise(run.trace()).limit_ms
        if outcome.given_ms is None:
            await run.let_complete()
            return
        for share in STEPS if ladder else [1.0]:
            outcome.syncs = await attempt(run, share * outcome.given_ms)
            if outcome.syncs is not None:
                outcome.least_ms = share * outcome.given_ms
                return
        await run.let_complete()

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(judged(parse(parameters), Path(directory), lambda _: None, course))
    return outcome


def main() -> None:
    """Print what came of the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40, help="migrations under the limit given (default: %(default)s)")
    parser.add_argument("--ladders", type=int, default=20, help="migrations with smaller ones (default: %(default)s)")
    chosen = parser.parse_args()
    guests = [{**COMMON, **guest, "arch": arch} for guest, arch in product(GUESTS, ("ppc64", "x86_64"))]
    finished = [one(guest, ladder=False) for guest in islice(cycle(guests), chosen.runs)]
    by_sync = [outcome.syncs for outcome in finished]
    print(f"finished {sum(s is not None for s in by_sync)} of {len(by_sync)}, at the next sync {by_sync.count(1)}")
    print("  ", [(outcome.given_ms, outcome.syncs) for outcome in finished])
    ladders = [one(guest, ladder=True) for guest in islice(cycle(guests), chosen.ladders)]
    ratios = sorted(o.given_ms / o.least_ms for o in ladders if o.given_ms and o.least_ms)
    print("given ÷ the smallest that did:", ", ".join(f"{ratio:.2f}" for ratio in ratios), f"({len(ladders)} ladders)")


if __name__ == "__main__":
    main()
