# SPDX-License-Identifier: GPL-2.0-or-later
"""RAM that is made while a QEMU already runs: a process that holds a file of its size stands in for it."""

import asyncio
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import pytest

from avocado_migdowntime.basics.units import MIB
from avocado_migdowntime.errors import HarnessError, HostRequirementError
from avocado_migdowntime.qemu.backing import Backing
from avocado_migdowntime.qemu.filling import fill_here, filling
from avocado_migdowntime.qemu.guest_ram import backing_file

SIZE = 40 * MIB
HUGE = Backing("memfd", 4096, SIZE // 4096, ())
OF_THE_HOST = Backing("memfd", 4096, 0, ())


@pytest.fixture
def ram() -> Iterator[int]:
    file = os.memfd_create("ram")
    os.ftruncate(file, SIZE)
    yield file
    os.close(file)


@pytest.fixture
def qemu(ram: int) -> Iterator[SimpleNamespace]:
    """A process, in a group of its own, that holds the RAM."""
    line = [sys.executable, "-c", "input()"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, process_group=0, pass_fds=[ram]) as process:
        yield SimpleNamespace(name="source", pid=process.pid)
        process.kill()


def made_bytes(ram: int) -> int:
    return os.fstat(ram).st_blocks * 512


def filled(qemu: SimpleNamespace, backing: Backing, body=None) -> None:
    async def fill() -> None:
        async with filling([partial(fill_here, qemu, backing, SIZE)]) as done:
            if body is not None:
                raise body
            await done

    asyncio.run(fill())


def test_all_of_it_is_made(qemu: SimpleNamespace, ram: int) -> None:
    assert made_bytes(ram) == 0
    filled(qemu, HUGE)
    assert made_bytes(ram) == SIZE


def test_the_hosts_own_pages_are_left_to_the_guest(qemu: SimpleNamespace, ram: int) -> None:
    filled(qemu, OF_THE_HOST)
    assert made_bytes(ram) == 0


def test_nobody_makes_any_once_it_is_left(qemu: SimpleNamespace, ram: int) -> None:
    with pytest.raises(ValueError, match="over"):
        filled(qemu, HUGE, ValueError("over"))
    assert made_bytes(ram) < SIZE


def test_what_the_host_refuses_is_told_also_where_the_qemu_dies_of_it(
    qemu: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(HostRequirementError, match="^hugepages of 4K reserved for the source QEMU cannot be used"):
        filled(qemu, HUGE)

    async def dies() -> None:
        async with filling([partial(fill_here, qemu, HUGE, SIZE)]) as done:
            await asyncio.wait({done})
            raise HarnessError("source QEMU was ended by SIGBUS")

    with pytest.raises(HostRequirementError, match="cannot be used"):
        asyncio.run(dies())


def test_a_process_without_such_a_file_is_told_of(qemu: SimpleNamespace) -> None:
    with pytest.raises(HarnessError, match="source QEMU holds no file of the size"):
        backing_file(qemu, SIZE + 1, os.O_RDONLY)
