# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults at moments: each cell is a job on real QEMUs to which one thing happens, and what has to come of it.

`python -m selftests.support.fault_cells` makes all of them and writes docs/faults.md; `--repeat 3` makes each thrice.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import read

from . import leftovers
from .documents import TOP
from .moments import MOMENTS, WatchedJob

PAGE = TOP / "docs" / "faults.md"
PAUSE_S = 2.0
"""For so long one of ours is stopped."""
QEMUS = ("source", "destination", "both")
OURS = ("test", "runner", "Avocado")
LATE = ("completed", "memory checked", "results")
"""From here on a verdict may have been reached before the fault was felt."""


def _signal(number: signal.Signals) -> Callable[[WatchedJob, str], None]:
    def send(job: WatchedJob, target: str) -> None:
        for pid in job.targets(target):
            os.kill(pid, number)

    return send


def _pause(job: WatchedJob, target: str) -> None:
    stopped = job.targets(target)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(PAUSE_S)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)


def _stop(job: WatchedJob, target: str) -> None:
    _signal(signal.SIGSTOP)(job, target)


def _ctrl_c(times: int) -> Callable[[WatchedJob, str], None]:
    def press(job: WatchedJob, target: str) -> None:
        for number in range(times):
            time.sleep(0.3 if number else 0)
            os.killpg(job.process.pid, signal.SIGINT)

    return press


FAULTS: Mapping[str, Callable[[WatchedJob, str], None]] = {
    "SIGKILL": _signal(signal.SIGKILL),
    "SIGTERM": _signal(signal.SIGTERM),
    "SIGSTOP": _stop,
    f"SIGSTOP for {PAUSE_S:g} s": _pause,
    "Ctrl-C": _ctrl_c(1),
    "Ctrl-C twice": _ctrl_c(2),
}

PAUSED = f"SIGSTOP for {PAUSE_S:g} s"


@dataclass(frozen=True)
class Cell:
    """One fault of one target at one moment."""

    fault: str
    target: str
    moment: str

    def expected(self) -> tuple[frozenset[str], str]:
        """Statuses that the test may end with, and what is to be said of any that is no verdict."""
        late = frozenset({"PASS", "WARN"} if self.moment in LATE else ())
        if self.target == "terminal":
            return frozenset({"INTERRUPTED", "SKIP", "CANCEL", "none"}) | late, r"."
        if self.fault == PAUSED:
            return frozenset({"PASS", "WARN"}), r"."
        if self.target in QEMUS:
            sides = "source|destination" if self.target == "both" else self.target
            named = (
                rf"({sides}) QEMU|the migration is failed|did not answer|answers? no"
                if self.target != "both"
                else r"QEMU"
            )
            return frozenset({"ERROR"}) | late, named
        if self.target == "Avocado":
            return frozenset({"none", "INTERRUPTED", "SKIP"}) | late, r""
        if self.fault == "SIGKILL":
            return frozenset({"ERROR"}) | late, r"was killed"
        return frozenset({"INTERRUPTED", "ERROR"}) | late, r"nterrupted|killed"


@dataclass(frozen=True)
class Outcome:
    """What came of a cell; `faults` says what should not be, and is empty where all is well."""

    cell: Cell
    status: str
    said: str
    faults: tuple[str, ...]


def cells() -> list[Cell]:
    """All of them."""
    made = [
        Cell(fault, target, moment)
        for fault in ("SIGKILL", "SIGTERM", "SIGSTOP")
        for target in QEMUS
        for moment in MOMENTS
        if moment not in ("probing", "results")  # There is no pair yet, or any more.
    ]
    made += [
        Cell(fault, target, moment) for fault in ("SIGKILL", "SIGTERM", PAUSED) for target in OURS for moment in MOMENTS
    ]
    return made + [Cell(fault, "terminal", moment) for fault in ("Ctrl-C", "Ctrl-C twice") for moment in MOMENTS]


def outcome(cell: Cell) -> Outcome:
    """Make one cell."""
    before = leftovers.traces_of_runs(True)
    with tempfile.TemporaryDirectory(prefix="mdt-cell-", ignore_cleanup_errors=True) as directory:
        job = WatchedJob(Path(directory))
        reached = job.reach(cell.moment)
        if reached:
            FAULTS[cell.fault](job, cell.target)
        ended = job.end()
        entry = job.entry()
        status = str(entry["status"]) if entry else "none"
        said = str(entry["fail_reason"]) if entry else ""
        faults = [*_missed(reached), *(() if ended else ["the job did not end"])]
        faults += [f"left running: {line[:80]}" for line in job.left]
        faults += [f"left: {one}" for one in sorted(leftovers.traces_of_runs(True) - before)]
        faults += _unread(job)
        if reached and ended:
            statuses, named = cell.expected()
            if status not in statuses:
                faults.append(f"ended as {status}, not as {' or '.join(sorted(statuses))}: {said}")
            elif status == "ERROR" and not re.search(named, said):
                faults.append(f"does not name the cause: {said}")
            if "Traceback" in said:
                faults.append(f"a traceback: {said}")
        if faults:
            faults.append(f"log: {job.log.read_text(errors='replace')[-600:]}")
    return Outcome(cell, status, said, tuple(faults))


def _missed(reached: bool) -> Sequence[str]:
    return () if reached else ("the moment was not reached",)


def _unread(job: WatchedJob) -> list[str]:
    """Why the trace cannot be read as far as it goes, if there is a sample in it."""
    found = []
    for path in job.data("trace.jsonl"):
        if "query-migrate" in path.read_text():
            try:
                read(str(path))
            except UsageError as error:
                found.append(f"the trace is not readable: {error}")
    return found


def page(outcomes: Sequence[Outcome], repeat: int) -> str:
    """The table."""
    rows: dict[Cell, list[Outcome]] = {}
    for one in outcomes:
        rows.setdefault(one.cell, []).append(one)
    head = f"""# Faults at moments

Made by `make faults`. Each cell is a job on two real QEMUs to which one thing happens at one moment, {repeat} times.
After each: the status and a sentence that names the cause, a trace that can be read up to that moment, and a host as it
was: no process, namespace, mount, directory or hugepage of the job's. A cell shows the statuses that the test ended
with; `none` where Avocado was killed and says nothing any more.
"""
    lines = [head]
    for fault in FAULTS:
        of_fault = [cell for cell in rows if cell.fault == fault]
        if not of_fault:
            continue
        targets = list(dict.fromkeys(cell.target for cell in of_fault))
        lines.append(f"\n## {fault}\n\n| moment | {' | '.join(targets)} |\n| --- |{' --- |' * len(targets)}\n")
        for moment in MOMENTS:
            shown = [_shown(rows.get(Cell(fault, target, moment), [])) for target in targets]
            if any(each != "" for each in shown):
                lines.append(f"| {moment} | {' | '.join(shown)} |\n")
    return "".join(lines)


def _shown(outcomes: Sequence[Outcome]) -> str:
    counted = Counter(f"**{one.status}, wrong**" if one.faults else one.status for one in outcomes)
    return ", ".join(f"{status} {number}×" if number > 1 else status for status, number in counted.items())


def main() -> int:
    """Make the cells that match and write the page if that is all of them; 1 where one is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--match", default="", help="cells whose fault, target and moment match, separated by commas")
    arguments = parser.parse_args()
    leftovers.mark()
    chosen = [cell for cell in cells() if re.search(arguments.match, f"{cell.fault},{cell.target},{cell.moment}")]
    outcomes = []
    for number in range(arguments.repeat):
        for cell in chosen:
            outcomes.append(one := outcome(cell))
            print(
                f"{number + 1} {cell.fault}, {cell.target}, {cell.moment}: {one.status} {one.said[:100]!r}", flush=True
            )
            for fault in one.faults:
                print(f"    {fault}", flush=True)
    if not arguments.match:
        PAGE.write_text(page(outcomes, arguments.repeat))
    wrong = sum(bool(one.faults) for one in outcomes)
    print(f"{len(chosen)} cells, {len(outcomes)} jobs, {wrong} not as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
