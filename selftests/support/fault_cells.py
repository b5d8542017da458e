# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults at moments: each cell is a job on real QEMUs to which one thing happens, and the outcomes it may have."""

import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.trace.model import Trace

from . import broken_monitor, leftovers
from .fault_kinds import (
    CUT,
    CUT_SHORTLY,
    FAULTS,
    FULL,
    OWN_TIMEOUT,
    PAUSED,
    POOL_EMPTIED,
    SECOND,
    SECOND_USERS,
    SET_BACK,
    SLOWED,
    TIMEOUTS,
    prepared,
)
from .moments import MOMENTS, WatchedJob

QEMUS = ("source", "destination", "both")
OURS = ("test", "runner", "Avocado")
LATE = ("completed", "memory checked", "results")
"""From here on, a verdict may have been reached before the fault had an effect."""
MISSED = "the moment was not reached"
_OTHERS_S = 15.0
_TRACEBACK = re.compile(r"^Traceback .*(?:\n .*)*\n.*", re.MULTILINE)
_HELD = frozenset({"PASS", "WARN"})
"""Statuses of a run that has reached a verdict."""


@dataclass(frozen=True)
class Cell:
    """One fault of one target at one moment."""

    fault: str
    target: str
    moment: str

    def __str__(self) -> str:
        return f"{self.fault}, {self.target}, {self.moment}"

    def expected(self) -> tuple[frozenset[str], str]:
        """The statuses that the test may end with, and the reason required for any that is no verdict."""
        late = _HELD if self.moment in LATE else frozenset()
        if self.target == "terminal":
            return frozenset({"INTERRUPTED", "SKIP", "CANCEL", "none"}) | late, r"."
        if self.fault == POOL_EMPTIED:
            return frozenset({"ERROR", "CANCEL"}) | _HELD, r"backing store|hugepages"
        # A QEMU that is stopped before it speaks QMP is waited for no longer than its start may take.
        held_at_start = frozenset({"ERROR"} if self.moment == "boot" else ())
        if self.fault == OWN_TIMEOUT:
            return frozenset({"ERROR"}) | late, r"given up after|did not answer|answers? no|did not speak QMP within"
        if self.fault in TIMEOUTS:
            named = r"Timeout reached|timeout of the job|did not speak QMP within"
            return frozenset({"INTERRUPTED"}) | held_at_start | late, named
        if self.fault in (PAUSED, CUT_SHORTLY, SECOND, SECOND_USERS, SET_BACK):
            return _HELD, r"."
        if self.fault == broken_monitor.HUGE:
            return frozenset({"ERROR"}) | _HELD, rf"{self.target} QEMU|did not answer as a QEMU does|at once"
        if self.fault in broken_monitor.KINDS:
            # A broken connection may have been needed for nothing more.
            unneeded = _HELD if self.moment == "switchover" or self.target == "destination" else late
            return frozenset({"ERROR"}) | unneeded, rf"{self.target} QEMU"
        if self.fault in (CUT, SLOWED):
            held = _HELD if self.moment == "switchover" else late
            seen = r"sent nothing|not answer" if self.fault == CUT else r"given up after|not answer"
            return frozenset({"ERROR"}) | held, rf"{seen}|the migration is"
        if self.fault == FULL:
            return frozenset({"ERROR", "none"}) | late, r"No space left|cannot be written"
        if self.target in QEMUS:
            sides = "source|destination" if self.target == "both" else self.target
            named = (
                rf"({sides}) QEMU|the migration ended as failed|did not answer|answers? no"
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
    """The result of a cell; `faults` says what is wrong, and is empty if all is well."""

    cell: Cell
    status: str
    said: str
    faults: tuple[str, ...]

    @property
    def missed(self) -> bool:
        """Whether the moment did not come, as on a busy host, so that nothing happened to the job."""
        return MISSED in self.faults


def cells() -> list[Cell]:
    """All cells; some hosts lack what some cells need."""
    there = [moment for moment in MOMENTS if moment not in ("probing", "results")]
    """While there is a pair."""
    made = [
        Cell(fault, side, moment) for fault in ("SIGKILL", "SIGTERM", "SIGSTOP") for side in QEMUS for moment in there
    ]
    made += [
        Cell(fault, target, moment) for fault in ("SIGKILL", "SIGTERM", PAUSED) for target in OURS for moment in MOMENTS
    ]
    made += [Cell(fault, "terminal", moment) for fault in ("Ctrl-C", "Ctrl-C twice") for moment in MOMENTS]
    made += [
        Cell(kind, side, moment)
        for kind in broken_monitor.KINDS
        for side in QEMUS[:2]
        for moment in ("boot", "first pass", "mid-pass", "at a sync", "switchover", "completed")
    ]
    made += [Cell(FULL, "results", moment) for moment in MOMENTS]
    made += [Cell(POOL_EMPTIED, "host", moment) for moment in ("probing", "boot", "first pass", "switchover")]
    made += [
        Cell(fault, "link", moment)
        for fault in (CUT, CUT_SHORTLY, SLOWED)
        for moment in ("first pass", "mid-pass", "at a sync", "switchover")
    ]
    made += [Cell(fault, "host", moment) for fault in (SECOND, SECOND_USERS, SET_BACK) for moment in MOMENTS]
    made += [Cell(fault, "host", moment) for fault in TIMEOUTS for moment in there if moment != "memory checked"]
    return made


def outcome(cell: Cell) -> Outcome:
    """Run one cell."""
    before = leftovers.traces_of_runs() | leftovers.shared_resources()
    fault = FAULTS[cell.fault]
    with tempfile.TemporaryDirectory(prefix="mdt-cell-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        with prepared(fault, directory):
            job = WatchedJob(directory, *fault.words(directory), environment=fault.environment(directory))
            reached = job.reach(cell.moment)
            if reached:
                fault.happens(job, cell.target)
            ended = [one.end() for one in (job, job.second) if one is not None]
            status, said = _told(job)
            faults = [] if reached else [MISSED]
            faults += [] if all(ended) else ["the job did not end"]
            faults += [f"left running: {line[:80]}" for line in job.left]
            faults += _wrong_traces(job)
            if reached and all(ended):
                faults += _unexpected(cell, status, said)
                if cell.fault == FULL and status == "none":
                    faults += _unexpected(cell, "ERROR", without_avocados_own(job.log.read_text(errors="replace")))
                if job.second is not None:
                    faults += _unexpected(cell, *_told(job.second))
            if faults:
                faults.append(f"log: {job.log.read_text(errors='replace')[-600:]}")
        faults += [f"left: {one}" for one in _left_since(before)]
    return Outcome(cell, status, said, tuple(faults))


def _left_since(before: set[str]) -> list[str]:
    """What remains, except what others on this host may have for a while."""
    until_s = time.monotonic() + _OTHERS_S
    while (left := (leftovers.traces_of_runs() | leftovers.shared_resources()) - before) and time.monotonic() < until_s:
        time.sleep(0.1)
    return sorted(left)


def _told(job: WatchedJob) -> tuple[str, str]:
    """The status of the job's test, and its reason; `none` if Avocado reports nothing."""
    entry = job.entry()
    return (str(entry["status"]), str(entry["fail_reason"])) if entry else ("none", "")


def _unexpected(cell: Cell, status: str, said: str) -> Sequence[str]:
    """What is wrong with this."""
    statuses, named = cell.expected()
    found = []
    if status not in statuses:
        found.append(f"ended as {status}, not as {' or '.join(sorted(statuses))}: {said}")
    elif status in ("ERROR", "INTERRUPTED") and not re.search(named, said):
        found.append(f"does not name the cause: {said}")
    if "Traceback" in said:
        found.append(f"a traceback: {said}")
    return found


def without_avocados_own(log: str) -> str:
    """A job's output without the tracebacks by which Avocado itself reports that it cannot write its results."""
    return _TRACEBACK.sub(lambda found: found[0] if "avocado_migdowntime/" in found[0] else "", log)


def runs_twice(trace: Trace) -> bool:
    """Whether the guest was continued at the destination while it still ran at the source."""
    runs_at_source = True
    for event in trace.events:
        if event.side == "source" and event.name in ("STOP", "RESUME"):
            runs_at_source = event.name == "RESUME"
        if event.side == "destination" and event.name == "RESUME" and runs_at_source:
            return True
    return False


def _wrong_traces(job: WatchedJob) -> list[str]:
    """What is wrong with the traces that have a sample."""
    found = []
    for path in job.data("trace.jsonl"):
        if "query-migrate" in path.read_text():
            try:
                found += ["the guest ran on both sides"] if runs_twice(read(str(path))) else []
            except UsageError as error:
                found.append(f"the trace is not readable: {error}")
    return found
