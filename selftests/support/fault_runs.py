# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the cells of faults at moments, keeps what came of each, and writes docs/faults.md of all that is kept.

One whose moment did not come was not made. `--repeat 3` makes each until it has been made three times, those first that
were made least; `--seconds` ends in time, and the next run goes on. What is kept of cells that were mended is forgotten
by `--forget`.
"""

import argparse
import datetime
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import leftovers
from .documents import TOP
from .fault_cells import Cell, Outcome, cells, outcome
from .fault_kinds import FAULTS
from .moments import MOMENTS

PAGE = TOP / "docs" / "faults.md"
KEPT = TOP / "results" / "faults.jsonl"
_TIMES = 3
HEAD = """# Faults at moments

Made by `make faults`, which goes on where it was ended: {jobs} jobs in {cells} of {all} cells, {thrice} of which
were tried three times, the last on {day}. Each cell is a job on two real QEMUs to which one thing happens at one
moment. After each: the status and a sentence that names the cause, a recording that can be read up to that moment, and
a host as it was: no process, namespace, mount, directory or hugepage of the job's. A cell shows the statuses that the
test ended with, and how often; `none` where Avocado was killed, or found no room, and says nothing any more; `-` where
it was not tried.
"""


def kept(path: Path = KEPT) -> list[Outcome]:
    """What came of the cells so far, of those that there still are."""
    known = set(cells())
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [one for one in map(_outcome, rows) if one.cell in known]


def _outcome(row: Mapping[str, Any]) -> Outcome:
    return Outcome(Cell(row["fault"], row["target"], row["moment"]), row["status"], row["said"], tuple(row["faults"]))


def keep(path: Path, one: Outcome) -> None:
    """Write down what came of a cell."""
    path.parent.mkdir(exist_ok=True)
    row = {**vars(one.cell), "status": one.status, "said": one.said, "faults": one.faults}
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


def forget(path: Path, pattern: str) -> None:
    """Drop what is kept of the cells that match."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    stay = [line for line in lines if not re.search(pattern, str(_outcome(json.loads(line)).cell))]
    if lines:
        path.write_text("".join(stay))


def page(outcomes: Sequence[Outcome], day: datetime.date) -> str:
    """The table."""
    rows: dict[Cell, list[Outcome]] = {}
    for one in outcomes:
        rows.setdefault(one.cell, []).append(one)
    made = cells()
    thrice = sum(len(tried) >= _TIMES for tried in rows.values())
    lines = [HEAD.format(jobs=len(outcomes), cells=len(rows), all=len(made), thrice=thrice, day=day)]
    for fault in FAULTS:
        of_fault = [cell for cell in made if cell.fault == fault]
        targets = list(dict.fromkeys(cell.target for cell in of_fault))
        if not targets:
            continue
        lines.append(f"\n## {fault}\n\n| moment | {' | '.join(targets)} |\n| --- |{' --- |' * len(targets)}\n")
        for moment in MOMENTS:
            in_row = [Cell(fault, target, moment) for target in targets]
            if any(cell in of_fault for cell in in_row):
                shown = " | ".join(_shown(rows.get(cell, [])) if cell in of_fault else "" for cell in in_row)
                lines.append(f"| {moment} | {shown} |\n")
    return "".join(lines)


def _shown(outcomes: Sequence[Outcome]) -> str:
    counted = Counter(f"**{one.status}, wrong**" if one.faults else one.status for one in outcomes)
    return ", ".join(f"{status} {number}×" if number > 1 else status for status, number in counted.items()) or "-"


def main() -> int:
    """Make the cells that are wanted and write the page; 1 where one is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin none later")
    parser.add_argument("--match", default="", help="of the cells that match: 'fault, target, moment'")
    parser.add_argument("--forget", action="store_true", help="drop first what is kept of these")
    parser.add_argument("--kept", type=Path, default=KEPT)
    arguments = parser.parse_args()
    leftovers.mark()
    until_s = time.monotonic() + arguments.seconds
    if arguments.forget:
        forget(arguments.kept, arguments.match)
    chosen = [cell for cell in cells() if re.search(arguments.match, str(cell))]
    tried = Counter(one.cell for one in kept(arguments.kept))
    wrong = 0
    for number in range(arguments.repeat):
        for cell in [cell for cell in chosen if tried[cell] <= number]:
            if time.monotonic() > until_s:
                break
            one = outcome(cell)
            if not one.missed:
                keep(arguments.kept, one)
            print(f"{number + 1} {cell}: {one.status} {one.said[:100]!r}", flush=True)
            for fault in one.faults:
                print(f"    {fault}", flush=True)
            wrong += bool(one.faults)
    PAGE.write_text(page(kept(arguments.kept), datetime.date.today()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
