# SPDX-License-Identifier: GPL-2.0-or-later
"""How well the ends of passes and the limit are known under limits of every size: `python -m bench.limits`.

It prints a row for each guest, QEMU and downtime-limit, over the dirty syncs after the first pass, which ends among
zero pages.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import median

from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.experiments.run import TRACE
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Verdict
from bench import options

GUESTS = {
    "x86_64, 4 KiB": {"arch": "x86_64", "page_size": "4K"},
    "ppc64, 2 MiB": {"arch": "ppc64", "page_size": "2M"},
    "x86_64, 2 MiB": {"arch": "x86_64", "page_size": "2M"},
}
LIMITS = (100, 300, 1000, 5000)
"""Limits in ms; the default bandwidth makes a pass longer than each."""
WIDE = 0.005
"""A sync counts as wide if its amount is known only to a larger share than this."""


def main() -> None:
    """Print the table."""
    parser = options.parser("bench.limits", __doc__)
    parser.add_argument("--runs", type=options.count, default=2, help="runs of each (default: %(default)s)")
    parser.add_argument("--guest", action="append", choices=GUESTS, help="only this one; can be given again")
    parser.add_argument("--qemu", action="append", help="a suite or a path; can be given again (default: the PATH's)")
    parser.add_argument("--limit", action="append", type=int, choices=LIMITS, help="ms; only this one, or these")
    parser.add_argument("--passes", type=options.count, default=3, help="passes of each run (default: %(default)s)")
    parser.add_argument("--keep", type=options.directory, help="keep what the runs leave in this directory")
    chosen = parser.parse_args()
    print(
        "| guest | QEMU | limit, ms | accurate | passes judged | syncs | known to, median | max | wide | "
        "limit as told, ms |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for guest in chosen.guest or GUESTS:
        for qemu in chosen.qemu or [""]:
            for limit_ms in chosen.limit or LIMITS:
                given = GUESTS[guest] | {"qemu": qemu, "downtime_limit": str(limit_ms)}
                given |= {"accel": "tcg", "passes": str(chosen.passes)}
                ran = [run(given, chosen.keep) for _ in range(chosen.runs)]
                print(f"| {guest} | {qemu or 'PATH'} | {limit_ms} | {' | '.join(cells(ran))} |", flush=True)


@dataclass(frozen=True)
class Ran:
    """A run: its verdict, and how well the amount of each sync is known, as a share of it."""

    verdict: Verdict
    widths: Sequence[float]


def run(parameters: dict[str, str], keep: Path | None) -> Ran:
    """Run a migration with these parameters, and judge it."""
    with ExitStack() as leaving:
        if keep is None:
            directory = leaving.enter_context(tempfile.TemporaryDirectory())
        else:
            keep.mkdir(parents=True, exist_ok=True)
            directory = tempfile.mkdtemp(dir=keep)
        asyncio.run(expected_downtime(parse(parameters), Path(directory), lambda _: None))
        return judged(read(f"{directory}/{TRACE}"))


def judged(trace: Trace) -> Ran:
    """The results of a recorded run."""
    syncs = Evidence.of(trace).undisturbed.syncs
    widths = [one.at_sync_bytes.width / one.at_sync_bytes.middle for one in syncs if one.before.number > 1]
    return Ran(judge(trace), widths)


def cells(ran: Sequence[Ran]) -> list[str]:
    """The cells of one row."""
    every = list(chain.from_iterable(one.widths for one in ran))
    limits = [one.verdict.limit.effective_limit_interval_ms for one in ran]
    told = ", ".join(f"{limit.low:.0f} to {limit.high:.0f}" if limit else "none" for limit in limits)
    known = [f"{median(every):.2%}", f"{max(every):.2%}"] if every else ["", ""]
    accurate = sum(one.verdict.verdict == "accurate" for one in ran)
    passes, wide = sum(one.verdict.passes for one in ran), sum(width > WIDE for width in every)
    return [f"{accurate} of {len(ran)}", str(passes), str(len(every)), *known, str(wide), told]


if __name__ == "__main__":
    options.run(main)
