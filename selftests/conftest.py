# SPDX-License-Identifier: GPL-2.0-or-later
"""What several selftests need."""

import glob
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import settings

from avocado_migdowntime.basics.cache import cache_directory

from .support.dirtier_guest import MIB, Guest

# The same examples in each run, so that none fails by chance; `--hypothesis-profile default` looks for others.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


def pytest_configure():
    """Heed the signals that tests end processes by: what nohup or a script starts in the background ignores some."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)


@pytest.fixture
def sockets():
    """A directory with a path short enough for UNIX sockets: pytest's own is not."""
    path = Path(tempfile.mkdtemp(prefix="mdt-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def launch(tmp_path):
    """Start guests, as `dirtier_guest.Launch`; all are ended with the test."""
    guests = []

    def start(shape, orders, *more, ram_bytes=256 * MIB):
        directory = tmp_path / str(len(guests))
        directory.mkdir()
        guests.append(Guest(directory, shape, orders, ram_bytes, *more))
        return guests[-1]

    yield start
    for guest in guests:
        guest.end()


@pytest.fixture
def nothing_left():
    """Fails the test if it leaves a QEMU, a mount, a hugepage, a directory, a network or a device of one behind."""
    before = traces_of_runs()
    yield
    deadline = time.monotonic() + 20
    while (left := traces_of_runs() - before) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def traces_of_runs():
    """What runs may leave on this host: QEMU processes, mounts, hugepages, directories, sockets, networks."""
    pools = Path("/sys/kernel/mm/hugepages").glob("*/nr_hugepages")
    return {
        *(f"process {pid}" for pid in os.listdir("/proc") if pid.isdigit() and _is_ours(pid)),
        *(f"mount {line}" for line in Path("/proc/mounts").read_text().splitlines() if "hugetlbfs" in line),
        *(f"{pool} at {pool.read_text().strip()}" for pool in pools),
        *(f"directory {path}" for path in Path("/tmp").glob("migdowntime-*")),
        *(f"directory {path}" for path in cache_directory().glob("migdowntime-*")),
        *(f"network device {name}" for name in os.listdir("/sys/class/net")),
        *network_namespaces(),
    }


def network_namespaces():
    """Network namespaces that something on this host keeps: a process in it, a descriptor, a mount."""
    mounts = (line.split()[3] for line in Path("/proc/self/mountinfo").read_text().splitlines() if " nsfs " in line)
    # Not Path.glob, which a process that ends in the meantime makes fail.
    links = [link for place in ("task/*/ns/net", "fd/*") for link in glob.glob(f"/proc/[0-9]*/{place}")]
    return {target for target in (*mounts, *map(_target, links)) if target.startswith("net:[")}


def _target(link):
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _is_ours(pid):
    try:
        command = Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return False
    # A QEMU of another suite is started by a loader of its own.
    program, *words = command.split(b"\0")
    loaded = words[:4] if b"/ld-" in program else []
    return any(b"qemu-system-" in word for word in (program, *loaded)) or b"avocado_migdowntime" in command
