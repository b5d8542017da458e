# SPDX-License-Identifier: GPL-2.0-or-later
"""What was borrowed comes back whatever way the borrower ends.

Nothing else may change the size of the host's pools of hugepages meanwhile.
"""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from avocado_migdowntime.host.hugepages import lease_hugepages
from avocado_migdowntime.host.pool import Pool, pools
from avocado_migdowntime.host.resources import HostResources
from avocado_migdowntime.host.workdir import work_directory

from ..support.borrowers import BORROWER, borrower, has_no_reaper, runs, wanted
from ..support.waiting import HANGS_S, until

pytestmark = pytest.mark.alone


@pytest.fixture
def its_pool() -> Pool:
    return pools()[0]


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
