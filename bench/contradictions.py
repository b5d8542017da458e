# SPDX-License-Identifier: GPL-2.0-or-later
"""Does a part of a recording ever contradict the whole? `python -m bench.contradictions --cases 100000`.

Prints each contradiction; and, at the end or when interrupted, how often a verdict and a limit are still reached, by
form and period.
"""

import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pool

from avocado_migdowntime.verdict.verdict import Judgement
from bench import options
from selftests.support.contradictions import case, contradictions
from selftests.support.printed import FORMS

PERIODS_S = (0.1, 1.0, 10.0, 60.0)
"""The columns of the table: up to each of these."""
AT_ONCE = 50
"""The number of cases that are tried before their results are reported."""
Reached = Counter[tuple[str, float, str]]


def main() -> None:
    """Print the results of the cases."""
    parser = options.parser("bench.contradictions", __doc__)
    parser.add_argument("--cases", type=options.count, default=2000, help="(default: %(default)s)")
    parser.add_argument(
        "--first", type=options.whole, default=0, metavar="SEED", help="of the first case (default: %(default)s)"
    )
    parser.add_argument("--processes", type=options.count, default=1, help="(default: %(default)s)")
    chosen = parser.parse_args()
    reached: Reached = Counter()
    denied = 0
    end = chosen.first + chosen.cases
    parts = [range(begin, min(begin + AT_ONCE, end)) for begin in range(chosen.first, end, AT_ONCE)]
    with Pool(chosen.processes, _ended_by_its_parent) as pool, suppress(KeyboardInterrupt):
        for part in pool.imap_unordered(tried, parts):
            reached += part.reached
            denied += len(part.denied)
            for found in part.denied:
                print(found, flush=True)
            print(f"{_cases(reached)} cases, {denied} contradictions", file=sys.stderr, flush=True)
    print(table(reached))
    print(f"{_cases(reached)} cases, {denied} contradictions")


def _ended_by_its_parent() -> None:
    """In a worker process: the parent ends it when it is interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _cases(reached: Reached) -> int:
    return sum(count for (_, _, what), count in reached.items() if what == "cases")


@dataclass
class Part:
    """The results of some cases."""

    reached: Reached = field(default_factory=Counter)
    denied: list[str] = field(default_factory=list)


def tried(seeds: Sequence[int]) -> Part:
    """What is reached in these cases, and each contradiction."""
    part = Part()
    for seed in seeds:
        try:
            one = case(seed)
            denied = contradictions(one)
        except Exception as error:
            part.denied.append(f"seed {seed}: {error!r}")
            continue
        for found in denied:
            part.denied.append(f"seed {seed}: {one.recording.name}, {one.form}, every {one.period_s:.3g} s: {found}")
        period_s = next(limit for limit in PERIODS_S if one.period_s <= limit)
        if one.trace is not None:
            part.reached[one.form, period_s, "verdict"] += one.verdict.verdict is not Judgement.INCONCLUSIVE
            part.reached[one.form, period_s, "limit"] += one.advice.limit_ms is not None
        part.reached[one.form, period_s, "cases"] += 1
    return part


def table(reached: Mapping[tuple[str, float, str], int]) -> str:
    """The percentage of cases with a verdict, and with a limit, for each form and period."""
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
    options.run(main)
