# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that have borrowed a host's resources, and the reapers that serve them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from avocado_migdowntime.host.pool import Pool

from .waiting import until

BORROWER = """
import json, os, signal, subprocess, sys
from contextlib import ExitStack
from avocado_migdowntime.host.hugepages import lease_hugepages
from avocado_migdowntime.host.hugetlbfs import hugetlbfs_directory
from avocado_migdowntime.host.resources import HostResources
from avocado_migdowntime.host.workdir import work_directory

page_size, count, fork = map(int, sys.argv[1:])
with HostResources() as resources, work_directory(resources) as sockets, ExitStack() as stack:
    borrowed = {"directories": [str(sockets)]}
    (sockets / "qmp").touch()
    if count:
        borrowed["directories"].append(str(stack.enter_context(hugetlbfs_directory(resources, page_size))))
        pages = stack.enter_context(lease_hugepages(resources, page_size, count, allowed=True))
    if fork and not (child := os.fork()):
        signal.pause()
    if fork:
        borrowed["forked"] = child
    print(json.dumps(borrowed), flush=True)
    for order in sys.stdin:
        if order == "take\\n":
            with pages.hand_over():
                file = open(borrowed["directories"][1] + "/ram", "w+b")
                os.posix_fallocate(file.fileno(), 0, page_size * count)
        print("done", flush=True)
"""


@dataclass
class Borrower:
    """A process that has borrowed one of everything that its user may borrow."""

    process: subprocess.Popen[str]
    directories: list[Path]
    forked: int

    def settled(self) -> bool:
        """Whether the host is rid of what was borrowed, and of the reaper."""
        mounts = Path("/proc/mounts").read_text()
        there = any(path.exists() or str(path) in mounts for path in self.directories)
        return not there and reaper_of(self.process.pid) is None

    def tell(self, order: str) -> str:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


def reaper_of(pid: int) -> int | None:
    """The process id of the reaper that serves this process, if there is one."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_text().split("\0")
        except OSError:
            continue
        if "avocado_migdowntime.host.reaper" in words and str(pid) in words:
            return int(entry.parent.name)
    return None


@contextmanager
def borrower(its_pool: Pool, count: int = 0, *, fork: bool = False) -> Iterator[Borrower]:
    command = [sys.executable, "-c", BORROWER, str(its_pool.page_size_bytes), str(count), str(int(fork))]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    ) as process:
        try:
            assert process.stdout
            told = json.loads(process.stdout.readline())
            yield Borrower(process, [Path(path) for path in told["directories"]], told.get("forked", 0))
        finally:
            process.kill()
            process.wait()


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def has_no_reaper(pid: int) -> bool:
    return reaper_of(pid) is None


def kill_reaper_of(pid: int) -> None:
    reaper = reaper_of(pid)
    assert reaper
    os.kill(reaper, signal.SIGKILL)
    until(partial(has_no_reaper, pid))


def wanted(its_pool: Pool, more: int) -> int:
    """A number of pages for which the pool must grow by `more`; none if it cannot grow."""
    return its_pool.counters().available + more if its_pool.resizable else 0
