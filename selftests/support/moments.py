# SPDX-License-Identifier: GPL-2.0-or-later
"""A job on real QEMUs, observed from outside: its current moment, and its processes."""

import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, TextIO

from .avocado_command import command
from .ordinary_user import OrdinaryUser

_MARK = "MIGDOWNTIME_FAULT_CELL"
_SIDES = ("source", "destination")
_LOOK_S = 0.01
_LONGEST_S = 60.0
_GONE_S = 15.0
RUN = (
    *("run", "migdowntime:expected-downtime", "--disable-sysinfo", "--migdowntime-arch", "x86_64"),
    *("--migdowntime-page-size", "4K", "--migdowntime-accel", "tcg", "--migdowntime-time-limit", "20"),
)


class WatchedJob:
    """An `avocado run` in its own session with its own home; its processes are known by a mark.

    It is this user's, or that of another user with an environment of this project. `environment` has further variables.
    """

    def __init__(
        self,
        home: Path,
        *words: str,
        environment: Mapping[str, str] = MappingProxyType({}),
        user: OrdinaryUser | None = None,
    ) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        self.second: WatchedJob | None = None
        """A second job that was started meanwhile."""
        self._mark = f"{_MARK}={uuid.uuid4().hex}"
        line, own = command(home, *RUN, *words) if user is None else user.avocado(home, *RUN, *words)
        name, _, value = self._mark.partition("=")
        self.log = home / "job.log"
        self._trace: TextIO | None = None
        self._line, self._rows = "", list[Mapping[str, Any]]()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                line,
                cwd=home,
                env={**own, **environment, name: value, "XDG_CACHE_HOME": str(home / "cache")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def reach(self, moment: str) -> bool:
        """Wait for the moment; return whether it came before the job ended."""
        here = MOMENTS[moment]
        until_s = time.monotonic() + _LONGEST_S
        while time.monotonic() < until_s:
            if here(self):
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(_LOOK_S)
        return False

    def processes(self) -> dict[int, str]:
        """The command lines of all the job's processes that still exist, by process id."""
        found = {}
        for directory in Path("/proc").glob("[0-9]*"):
            if self._mark in _read(directory / "environ").split("\0"):
                found[int(directory.name)] = _read(directory / "cmdline").replace("\0", " ")
        return found

    def targets(self, name: str) -> list[int]:
        """The processes meant by `source`, `destination`, `both`, `test`, `runner` or `Avocado`."""
        if name == "Avocado":
            return [self.process.pid]
        if name == "runner":
            return [pid for pid in _children(self.process.pid) if "task-run" in self.processes().get(pid, "")][:1]
        if name == "test":
            return [pid for runner in self.targets("runner") for pid in _children(runner) if _children(pid)][:1]
        wanted = _SIDES if name == "both" else (name,)
        return [
            pid
            for pid, line in self.processes().items()
            if any(f"/{side}.qmp" in line for side in wanted) and line.split()[0].endswith("qemu-system-x86_64")
        ]

    def rows(self) -> list[Mapping[str, Any]]:
        """The complete lines of the trace so far; lines that were read before are not read again."""
        for path in [] if self._trace else self.data("trace.jsonl"):
            self._trace = path.open(encoding="utf-8")
        while self._trace and (line := self._trace.readline()):
            self._line += line
            if line.endswith("\n"):
                self._rows.append(json.loads(self._line))
                self._line = ""
        return self._rows

    def data(self, name: str) -> list[Path]:
        """The files of this name in the test's output directory."""
        return list((self.home / "avocado" / "job-results").glob(f"job-*/test-results/*/data/{name}"))

    def entry(self) -> Mapping[str, Any] | None:
        """Avocado's final entry of the test, if there is one."""
        for path in (self.home / "avocado" / "job-results").glob("job-*/results.json"):
            with suppress(ValueError):  # There was no room for it.
                for test in json.loads(path.read_text())["tests"]:
                    return test
        return None

    def end(self) -> bool:
        """Wait for the job's end; return whether it ended by itself. Kill what is left of it."""
        try:
            self.process.wait(_LONGEST_S)
            return True
        except subprocess.TimeoutExpired:
            return False
        finally:
            if self._trace:
                self._trace.close()
            until_s = time.monotonic() + _GONE_S
            while (left := self.processes()) and time.monotonic() < until_s:
                time.sleep(0.1)
            self.left = sorted(left.values())
            for pid in left:
                os.kill(pid, signal.SIGKILL)


def _last(job: WatchedJob) -> Mapping[str, Any]:
    """The last answer to query-migrate."""
    return next((row["query-migrate"] for row in reversed(job.rows()) if "query-migrate" in row), {})


def _syncs(job: WatchedJob) -> int:
    return int(_last(job).get("ram", {}).get("dirty-sync-count", 0))


def _in_mid_pass(job: WatchedJob) -> bool:
    return _syncs(job) == 2 and _last(job)["ram"]["remaining"] < 10 << 20


def _has_event(job: WatchedJob, name: str) -> bool:
    return any(row.get("event", {}).get("event") == name for row in job.rows()[-200:])


MOMENTS: Mapping[str, Callable[[WatchedJob], bool]] = {
    "probing": lambda job: any("-machine none" in line for line in job.processes().values()),
    "boot": lambda job: len(job.targets("both")) == len(_SIDES) and not job.rows(),
    "first pass": lambda job: _syncs(job) == 1,
    "mid-pass": _in_mid_pass,
    "at a sync": lambda job: _syncs(job) == 3,
    "slowed": lambda job: _has_event(job, "BANDWIDTH"),
    "switchover": lambda job: _has_event(job, "FINISH"),
    "completed": lambda job: _last(job).get("status") == "completed",
    "memory checked": lambda job: _has_event(job, "INTEGRITY"),
    "results": lambda job: bool(job.data("verdict.json")),
}
"""In the order in which they come."""


def _children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for thread in threads for child in _read(thread).split()]


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""
