# SPDX-License-Identifier: GPL-2.0-or-later
"""What was borrowed comes back whatever way the borrower ends.

Nothing else may change the size of the host's pools of hugepages meanwhile.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from avocado_migdowntime.errors import HarnessError, HostRequirementError
from avocado_migdowntime.host import acquisition
from avocado_migdowntime.host import resources as resources_module
from avocado_migdowntime.host.hugepages import lease_hugepages
from avocado_migdowntime.host.pool import Pool, pools
from avocado_migdowntime.host.protocol import AcquireDirectory, AcquireHugetlbfs, DirectoryGrant, Refusal
from avocado_migdowntime.host.reaper import Reaper
from avocado_migdowntime.host.resources import HostResources
from avocado_migdowntime.host.workdir import work_directory

from ..support.waiting import HANGS_S, until

pytestmark = pytest.mark.alone

JOURNALS = Path("/run/avocado-migdowntime")
ROOT = os.geteuid() == 0

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
        """Whether the host is rid of what was borrowed and of the reaper."""
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


@pytest.fixture
def its_pool() -> Pool:
    return pools()[0]


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
    """So many pages that the pool must grow by `more`; none where it cannot grow."""
    return its_pool.counters().available + more if its_pool.resizable else 0


@pytest.mark.parametrize(
    "how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT], ids=lambda how: how.name
)
def test_a_signal_to_the_process_group_leaves_nothing(its_pool: Pool, how: signal.Signals) -> None:
    size = its_pool.size_pages
    with borrower(its_pool, wanted(its_pool, 16)) as lent:
        assert its_pool.size_pages == size + (16 if its_pool.resizable else 0)
        assert all(path.is_dir() for path in lent.directories)
        os.killpg(lent.process.pid, how)
        lent.process.wait(HANGS_S)
        until(lent.settled)
    assert its_pool.size_pages == size


def test_an_orderly_end_leaves_nothing_when_it_returns(its_pool: Pool) -> None:
    size = its_pool.size_pages
    with borrower(its_pool, wanted(its_pool, 16)) as lent:
        assert lent.process.stdin
        lent.process.stdin.close()
        assert lent.process.wait(HANGS_S) == 0
        assert not any(path.exists() for path in lent.directories)
        assert its_pool.size_pages == size
        until(lent.settled)


def test_a_forked_child_does_not_keep_what_its_dead_parent_borrowed(its_pool: Pool) -> None:
    size = its_pool.size_pages
    with borrower(its_pool, wanted(its_pool, 16), fork=True) as lent:
        try:
            lent.process.kill()
            until(lent.settled)
            assert runs(lent.forked)
        finally:
            os.kill(lent.forked, signal.SIGKILL)
    assert its_pool.size_pages == size


def test_a_kill_at_any_moment_leaves_nothing(its_pool: Pool) -> None:
    size = its_pool.size_pages
    command = [sys.executable, "-c", BORROWER, str(its_pool.page_size_bytes), str(wanted(its_pool, 16)), "0"]
    for step in range(30):
        how = (signal.SIGKILL, signal.SIGINT)[step % 2]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parents[2],
        ) as process:
            time.sleep(step * 0.008)
            process.send_signal(how)
            process.wait(HANGS_S)
            until(partial(has_no_reaper, process.pid))
        assert its_pool.size_pages == size, f"{how.name} after {step * 8} ms"


def test_two_borrowers_add_up_and_one_dying_does_not_hurt_the_other(its_pool: Pool) -> None:
    size = its_pool.size_pages
    if not its_pool.resizable:
        pytest.skip("only root can reserve hugepages; test_host_hugepages.py checks the message that says so")
    with (
        borrower(its_pool, wanted(its_pool, 16)) as first,
        borrower(its_pool, 24) as second,
        borrower(its_pool, 8) as third,
    ):
        assert its_pool.size_pages == size + 16 + 24 + 8
        assert first.tell("take") == "done"
        first.process.kill()
        until(first.settled)
        assert its_pool.size_pages == size + 24 + 8
        assert second.tell("take") == "done"
        assert third.tell("take") == "done"
        third.process.kill()
        until(third.settled)
        assert its_pool.size_pages == size + 24
        assert runs(second.process.pid)
        second.process.kill()
        until(second.settled)
    assert its_pool.size_pages == size


def test_many_runs_that_start_and_end_at_once(its_pool: Pool) -> None:
    size, more = its_pool.size_pages, 3 if its_pool.resizable else 0

    def run(_: int) -> int:
        with (
            HostResources() as resources,
            work_directory(resources),
            lease_hugepages(resources, its_pool.page_size_bytes, more, allowed=True) as pages,
        ):
            return pages.count

    with ThreadPoolExecutor(8) as runs_at_once:
        assert list(runs_at_once.map(run, range(80))) == [more] * 80
    assert its_pool.size_pages == size


@pytest.mark.parametrize(
    "how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT], ids=lambda how: how.name
)
def test_a_reaper_told_to_end_stays_until_its_work_is_done(its_pool: Pool, how: signal.Signals) -> None:
    size = its_pool.size_pages
    with borrower(its_pool, wanted(its_pool, 16)) as lent:
        reaper = reaper_of(lent.process.pid)
        assert reaper
        os.kill(reaper, how)
        lent.process.kill()
        until(lent.settled)
    assert its_pool.size_pages == size


def test_what_is_borrowed_by_halves_is_given_back_at_once(its_pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def refuse(path: str, page_size_bytes: int) -> None:
        made.append(Path(path))
        assert made[0].is_dir()
        raise HostRequirementError("no mount here")

    monkeypatch.setattr(acquisition, "mount_hugetlbfs", refuse)
    assert Reaper().reply(AcquireHugetlbfs(its_pool.page_size_bytes)) == Refusal("host-requirement", "no mount here")
    assert not made[0].exists()


@pytest.mark.parametrize("by_class_names", [False, True], ids=["by kinds", "by class names"])
def test_the_next_run_releases_what_a_killed_reaper_had(its_pool: Pool, by_class_names: bool) -> None:
    """Also where it was of a release whose journals had the names of classes."""
    if not ROOT:
        pytest.skip("others than root have a directory, which is not written down")
    size = its_pool.size_pages
    with borrower(its_pool, wanted(its_pool, 16)) as lent:
        kill_reaper_of(lent.process.pid)
        lent.process.kill()
        lent.process.wait()
        assert its_pool.size_pages == size + 16
        assert not lent.settled()
        (journal,) = journals_naming(lent.directories[0])
        if by_class_names:
            rewrite_by_class_names(journal)
        with HostResources():
            assert its_pool.size_pages == size
            assert lent.settled()
    # Reapers of tests before this one may be ending, so that it is of no use to count all.
    assert not journal.exists() and journals_naming(lent.directories[0]) == []


def journals_naming(directory: Path) -> list[Path]:
    return [path for path in JOURNALS.glob("*") if str(directory) in read_if_there(path)]


def read_if_there(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text()
    return ""


def rewrite_by_class_names(journal: Path) -> None:
    """As the release before the one with kinds wrote it."""
    entries = json.loads(journal.read_text().partition("\n")[0])
    assert {entry["kind"] for entry in entries} == {"directory", "mount", "hugepages"}
    journal.write_text(json.dumps([{**entry, "kind": entry["kind"].title()} for entry in entries]) + "\n")


def test_a_journal_of_another_release_is_left_alone() -> None:
    if not ROOT:
        pytest.skip("only root keeps journals")
    JOURNALS.mkdir(mode=0o700, exist_ok=True)
    strange = JOURNALS / "strange"
    strange.write_text('[{"kind": "moon", "phase": 3}]\n')
    try:
        with HostResources() as resources, work_directory(resources):
            pass
        assert strange.exists()
    finally:
        strange.unlink()


def test_a_borrower_whose_reaper_was_killed_is_told() -> None:
    sentence = "^the reaper, which releases host resources, has ended"
    with pytest.raises(HarnessError, match=sentence), HostResources() as resources:
        kill_reaper_of(os.getpid())
        with work_directory(resources):
            pass


def test_a_reaper_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    sentence = "could not be started .*; see if `/bin/false -P -m avocado_migdowntime"
    with pytest.raises(HarnessError, match=sentence), HostResources():
        pass


def test_a_reaper_that_dies_at_once_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources_module, "_start_reaper", lambda its_socket: None)
    with pytest.raises(HarnessError, match="has ended"), HostResources():
        pass


def test_an_error_of_the_host_keeps_its_class(tmp_path: Path) -> None:
    with HostResources() as resources:
        with (
            pytest.raises(HostRequirementError, match="this host has no hugepages of 12K, but "),
            resources.lease(AcquireHugetlbfs(12288), DirectoryGrant),
        ):
            pass
        with (
            pytest.raises(HarnessError, match="^the request acquire-directory ended in FileNotFoundError"),
            resources.lease(AcquireDirectory(str(tmp_path / "absent")), DirectoryGrant),
        ):
            pass
