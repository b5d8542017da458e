# SPDX-License-Identifier: GPL-2.0-or-later
"""What several selftests need."""

import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import settings

from .support.dirtier_guest import MIB, Guest
from .support.leftovers import traces_of_runs

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
