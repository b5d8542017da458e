# SPDX-License-Identifier: GPL-2.0-or-later
"""Does a part of a recording ever say something else than the whole? `python -m bench.contradictions --cases 100000`.

Prints each contradiction, and, at the end or when it is interrupted, how often a verdict and a limit are still reached,
by form and period.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

from avocado_migdowntime.verdict.verdict import Judgement
from selftests.support.contradictions import case, contradictions
from selftests.support.printed import FORMS

PERIODS_S = (0.1, 1.0, 10.0, 60.0)
"""The columns of the table: up to each of these."""
Reached = Counter[tuple[str, float, str]]


def main() -> None:
    """Print what came of the cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000, help="(default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="of the first case (default: %(default)s)")
    chosen = parser.parse_args()
    reached: Reached = Counter()
    denied = 0
    with suppress(KeyboardInterrupt):
        for seed in range(chosen.first, chosen.first + chosen.cases):
            denied += tried(seed, reached)
            if seed % 1000 == 999:
                print(f"{seed + 1 - chosen.first} cases, {denied} contradictions", file=sys.stderr, flush=True)
    print(table(reached))
    print(f"{sum(n for (_, _, what), n in reached.items() if what == 'cases')} cases, {denied} contradictions")


def tried(seed: int, reached: Reached) -> int:
    """How many contradictions there are in a case, which are printed; what is reached in it is counted."""
    one = case(seed)
    denied = contradictions(one)
    for found in denied:
        print(f"seed {seed}: {one.recording.name}, {one.form}, every {one.period_s:.3g} s: {found}", flush=True)
    period_s = next(limit for limit in PERIODS_S if one.period_s <= limit)
    if one.trace is not None:
        reached[one.form, period_s, "verdict"] += one.verdict.verdict is not Judgement.INCONCLUSIVE
        reached[one.form, period_s, "limit"] += one.advice.limit_ms is not None
    reached[one.form, period_s, "cases"] += 1
    return len(denied)


def table(reached: Mapping[tuple[str, float, str], int]) -> str:
    """In how many of 100 cases there is a verdict, and a limit, for each form and period."""
    heads = [f"up to {limit:g} s" for limit in PERIODS_S]
    lines = [f"| form | {' | '.join(heads)} |", f"| --- |{' --- |' * len(heads)}"]
    for form in FORMS:
        cells = []
        for period_s in PERIODS_S:
            cases = reached.get((form, period_s, "cases"), 0)
            shares = (
                100 * reached.get((form, period_s, what), 0) / cases if cases else 0 for what in ("verdict", "limit")
            )
            cells.append(", ".join(f"{share:.0f} %" for share in shares))
        lines.append(f"| {form} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
