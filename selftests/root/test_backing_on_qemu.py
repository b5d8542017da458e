# SPDX-License-Identifier: GPL-2.0-or-later
"""Guest RAM of each kind, as a real QEMU takes it of the host's pages."""

import json
import os
import shutil
import subprocess
from contextlib import ExitStack

import pytest

from avocado_migdowntime.basics.units import GIB, MIB
from avocado_migdowntime.errors import HostRequirementError
from avocado_migdowntime.host.hugepages import lease_hugepages
from avocado_migdowntime.host.hugetlbfs import hugetlbfs_directory
from avocado_migdowntime.host.pool import Pool
from avocado_migdowntime.host.resources import HostResources
from avocado_migdowntime.qemu.backing import plan

from ..support.waiting import HANGS_S

pytestmark = [pytest.mark.alone, pytest.mark.qemu]

BASE = os.sysconf("SC_PAGE_SIZE")
MACHINES = {"ppc64": "pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off", "x86_64": "pc"}


@pytest.mark.parametrize("arch", MACHINES)
@pytest.mark.parametrize(
    ("kind", "page_size", "ram", "taken"),
    [
        ("anonymous", BASE, 256 * MIB, 0),
        ("memfd", BASE, 256 * MIB, 0),
        ("memfd", 2 * MIB, 256 * MIB, 128),
        ("hugetlbfs", 2 * MIB, 256 * MIB, 128),
        ("memfd", GIB, GIB, 1),
        ("hugetlbfs", GIB, GIB, 1),
    ],
)
def test_qemu_takes_the_pages(arch: str, kind: str, page_size: int, ram: int, taken: int) -> None:
    binary = shutil.which(f"qemu-system-{arch}")
    if binary is None:
        pytest.skip(f"qemu-system-{arch} is not installed")
    pool = Pool(page_size)
    with HostResources() as resources, ExitStack() as stack:
        try:
            directory = stack.enter_context(hugetlbfs_directory(resources, page_size)) if kind == "hugetlbfs" else None
            backing = plan(kind, page_size, ram, directory)
            pages = stack.enter_context(lease_hugepages(resources, page_size, backing.hugepages_needed, allowed=True))
        except HostRequirementError as lack:
            if page_size == 2 * MIB and pool.resizable:
                raise
            pytest.skip(str(lack))
        counters = pool.counters() if taken else None
        with pages.hand_over():
            qemu = stack.enter_context(started(binary, MACHINES[arch], ram // MIB, backing.object_arguments))
            stack.callback(qemu.kill)
        if counters:
            # What was held for it is promised to it now, or in use: each page is made when it is first touched.
            now = pool.counters()
            assert now.available == counters.available and now.total - now.free + now.reserved >= taken
        assert qemu.stdin
        qemu.stdin.write('{"execute": "quit"}\n')
        qemu.stdin.flush()
        assert qemu.wait(HANGS_S) == 0


def started(binary: str, machine: str, ram_mib: int, backing: tuple[str, ...]) -> subprocess.Popen[str]:
    """A QEMU that has answered QMP."""
    qemu = subprocess.Popen(
        [
            binary,
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-accel",
            "tcg",
            "-S",
            "-machine",
            f"{machine},memory-backend=ram",
            "-m",
            f"{ram_mib}M",
            *backing,
            "-qmp",
            "stdio",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert qemu.stdin and qemu.stdout
    assert "QMP" in json.loads(qemu.stdout.readline())
    qemu.stdin.write('{"execute": "qmp_capabilities"}\n')
    qemu.stdin.flush()
    assert json.loads(qemu.stdout.readline()) == {"return": {}}
    return qemu
