# SPDX-License-Identifier: GPL-2.0-or-later
"""Hugepages of the real host: had, kept from others, given back; refused in a sentence that helps.

Nothing else may change the size of the host's pools of hugepages meanwhile.
"""

import errno
import mmap
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from avocado_migdowntime.basics.units import MIB, format_size
from avocado_migdowntime.errors import HostRequirementError
from avocado_migdowntime.host import reservation
from avocado_migdowntime.host.hugepages import Hugepages, lease_hugepages
from avocado_migdowntime.host.lock import exclusive
from avocado_migdowntime.host.pool import Pool, memory_bytes, pool, pools
from avocado_migdowntime.host.reservation import KEPT_FREE_BYTES, Hold, reserve
from avocado_migdowntime.host.resources import HostResources

pytestmark = pytest.mark.alone


@pytest.fixture
def resources() -> Iterator[HostResources]:
    with HostResources() as its:
        yield its


@pytest.fixture
def its_pool(resources: HostResources) -> Pool:
    """The pool of the smallest hugepages; who may not grow it must be told the command that does."""
    found = pools()[0]
    if not found.resizable:
        with (
            pytest.raises(HostRequirementError, match="as root run `"),
            lease_hugepages(resources, found.page_size_bytes, found.counters().available + 1, allowed=True),
        ):
            pass
        pytest.skip("only root can reserve hugepages; the message that says so was checked")
    return found


@contextmanager
def taken(page_size_bytes: int, count: int) -> Iterator[None]:
    """Take pages as a QEMU with prealloc does."""
    size_flag = (page_size_bytes.bit_length() - 1) << os.MFD_HUGE_SHIFT
    file = os.memfd_create("test", os.MFD_HUGETLB | size_flag)
    os.ftruncate(file, count * page_size_bytes)
    with mmap.mmap(file, count * page_size_bytes) as memory:
        os.close(file)
        for page in range(count):
            memory[page * page_size_bytes] = 1
        yield


def test_what_is_missing_is_reserved_and_given_back(resources: HostResources, its_pool: Pool) -> None:
    size, before = its_pool.size_pages, its_pool.counters()
    with lease_hugepages(resources, its_pool.page_size_bytes, before.available + 16, allowed=True) as pages:
        assert pages.added == 16
        assert its_pool.size_pages == size + 16
        assert its_pool.counters().available == 0
        with pages.hand_over():
            assert its_pool.counters().available == before.available + 16
            with taken(its_pool.page_size_bytes, before.available + 16):
                assert its_pool.counters().free == before.reserved
    assert its_pool.counters() == before


def test_pages_still_in_use_are_given_back_when_they_are_freed(resources: HostResources, its_pool: Pool) -> None:
    size, before = its_pool.size_pages, its_pool.counters()
    count = before.available + 16
    with lease_hugepages(resources, its_pool.page_size_bytes, count, allowed=True) as pages, pages.hand_over():
        still_using = taken(its_pool.page_size_bytes, count)
        still_using.__enter__()
    assert its_pool.size_pages == size
    assert its_pool.counters().surplus == before.surplus + 16
    still_using.__exit__(None, None, None)
    assert its_pool.counters() == before


def test_surplus_of_a_run_about_to_end_is_not_counted_upon(resources: HostResources, its_pool: Pool) -> None:
    size, before = its_pool.size_pages, its_pool.counters()
    count = before.available + 16
    with lease_hugepages(resources, its_pool.page_size_bytes, count, allowed=True) as pages, pages.hand_over():
        still_using = taken(its_pool.page_size_bytes, count)
        still_using.__enter__()
    with lease_hugepages(resources, its_pool.page_size_bytes, 8, allowed=True) as pages:
        with pages.hand_over(), taken(its_pool.page_size_bytes, 8):
            pass
        still_using.__exit__(None, None, None)
    assert (its_pool.size_pages, its_pool.counters()) == (size, before)


def test_pages_let_go_between_the_hold_and_the_count_leave_the_pool_as_it_is(
    its_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = iter([OSError(errno.ENOMEM, "not yet")])

    def held(its: Pool, count: int) -> Hold:
        for refusal in refusals:
            raise refusal
        return Hold(its, count)

    monkeypatch.setattr(reservation, "Hold", held)
    size = its_pool.size_pages
    try:
        grown = its_pool.resize(size + 6)
        added, hold = reserve(its_pool, 3, allowed=True)
        hold.release()
        assert (added, its_pool.size_pages) == (0, grown)
    finally:
        its_pool.resize(size)


def test_free_pages_are_used_and_kept_from_others(resources: HostResources, its_pool: Pool) -> None:
    size = its_pool.size_pages
    its_pool.resize(size + 8)
    try:
        free = its_pool.counters().available
        with lease_hugepages(resources, its_pool.page_size_bytes, free, allowed=False) as pages:
            assert (pages.added, its_pool.size_pages) == (0, size + 8)
            with (
                pytest.raises(HostRequirementError, match="^1 free hugepages of .* are needed, 0 are available; "),
                lease_hugepages(resources, its_pool.page_size_bytes, 1, allowed=False),
            ):
                pass
        assert its_pool.size_pages == size + 8
    finally:
        its_pool.resize(size)


def test_nobody_gets_between_the_hold_and_the_launch(resources: HostResources, its_pool: Pool) -> None:
    count, other = its_pool.counters().available + 8, 4
    added = []

    def borrow_too() -> None:
        with (
            HostResources() as another,
            lease_hugepages(another, its_pool.page_size_bytes, other, allowed=True) as more,
        ):
            added.append(more.added)

    competitor = threading.Thread(target=borrow_too)
    with lease_hugepages(resources, its_pool.page_size_bytes, count, allowed=True) as pages:
        with pages.hand_over():
            competitor.start()
            competitor.join(1)  # Time enough to go wrong.
            assert added == []
            qemu = taken(its_pool.page_size_bytes, count)
            qemu.__enter__()
        competitor.join()
        qemu.__exit__(None, None, None)
    assert added == [other]


def test_host_pages_need_no_borrowing(resources: HostResources) -> None:
    with lease_hugepages(resources, 4096, 0, allowed=True) as pages, pages.hand_over():
        assert pages == Hugepages(4096, 0, 0, resources, 0)


def test_a_kernel_that_gives_fewer_is_refused_with_the_pool_as_it_was(
    its_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, total = its_pool.size_pages, its_pool.counters().total
    resize, wanted = Pool.resize, its_pool.counters().available + 16
    monkeypatch.setattr(Pool, "resize", lambda self, pages: resize(self, min(pages, total + 10)))
    with exclusive(its_pool.path), pytest.raises(HostRequirementError) as refusal:
        reserve(its_pool, wanted, allowed=True)
    page_size = format_size(its_pool.page_size_bytes)
    assert str(refusal.value) == (
        f"the kernel gave 10 of 16 more hugepages of {page_size}, as its free memory is fragmented; soon after boot "
        f"run `sysctl vm.nr_hugepages={total + 16}`"
    )
    assert its_pool.size_pages == size


def test_the_host_keeps_some_memory(resources: HostResources, its_pool: Pool) -> None:
    size = its_pool.size_pages
    too_much = memory_bytes("MemAvailable") - KEPT_FREE_BYTES // 2
    count = its_pool.counters().available + too_much // its_pool.page_size_bytes
    with (
        pytest.raises(
            HostRequirementError, match=r"would take \d+ MiB of the \d+ MiB of memory available, and 512 MiB have"
        ),
        lease_hugepages(resources, its_pool.page_size_bytes, count, allowed=True),
    ):
        pass
    assert its_pool.size_pages == size


@pytest.mark.parametrize("its_pool", pools(), ids=lambda one: format_size(one.page_size_bytes))
def test_the_command_that_reserves(resources: HostResources, its_pool: Pool) -> None:
    counters, size = its_pool.counters(), format_size(its_pool.page_size_bytes)
    is_default = memory_bytes("Hugepagesize") == its_pool.page_size_bytes
    command = (
        f"sysctl vm.nr_hugepages={counters.total + 3}" if is_default else f"echo {counters.total + 3} > {its_pool.path}"
    )
    with (
        pytest.raises(HostRequirementError) as refusal,
        lease_hugepages(resources, its_pool.page_size_bytes, counters.available + 3, allowed=False),
    ):
        pass
    assert str(refusal.value) == (
        f"{counters.available + 3} free hugepages of {size} are needed, {counters.available} are available; "
        f"use 4 KiB pages (-p page_size=4K; avocado run: --migdowntime-page-size 4K), or "
        f"allow to reserve them (reserve_hugepages=yes) as root, or run `{command}`"
    )


def test_a_page_size_that_the_host_has_not_got(resources: HostResources) -> None:
    sizes = [each.page_size_bytes for each in pools()]
    absent = next(size for size in (16 * MIB, 2 * MIB, 32 * MIB, 64 * MIB) if size not in sizes)
    with pytest.raises(HostRequirementError) as refusal, lease_hugepages(resources, absent, 1, allowed=True):
        pass
    assert str(refusal.value) == (
        f"this host has no hugepages of {format_size(absent)}, but {', '.join(map(format_size, sizes))}; "
        "choose a page_size that it has"
    )
    with pytest.raises(HostRequirementError):
        pool(absent)


AS_NOBODY = """
import os, sys
from avocado_migdowntime.errors import HostRequirementError
from avocado_migdowntime.host.hugepages import lease_hugepages
from avocado_migdowntime.host.resources import HostResources
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
if not os.access(sys.executable, os.X_OK):
    sys.executable = "/usr/bin/python3"
try:
    with HostResources() as resources, lease_hugepages(resources, int(sys.argv[1]), int(sys.argv[2]), allowed=True):
        print("had them")
except HostRequirementError as error:
    print(error)
"""


@pytest.fixture
def for_all() -> Iterator[Path]:
    """A copy of the package that anybody may read: the checkout may be in root's own directory."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        shutil.copytree(Path(__file__).parents[2] / "avocado_migdowntime", Path(directory, "avocado_migdowntime"))
        yield Path(directory)


def test_others_than_root_are_told_what_root_can_do(for_all: Path) -> None:
    its_pool = pools()[0]
    counters, size = its_pool.counters(), its_pool.page_size_bytes

    def said(count: int) -> str:
        return subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(size), str(count)],
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            cwd=for_all,
        ).stdout.strip()

    assert said(counters.available + 2) == (
        f"{counters.available + 2} free hugepages of {format_size(size)} are needed, {counters.available} are "
        f"available; use 4 KiB pages (-p page_size=4K; avocado run: --migdowntime-page-size 4K), or "
        f"as root run `sysctl vm.nr_hugepages={counters.total + 2}`"
    )
    if its_pool.resizable:
        its_pool.resize(before := its_pool.size_pages + 2)
        try:
            assert said(2) == "had them"
        finally:
            its_pool.resize(before - 2)
