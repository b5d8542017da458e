# SPDX-License-Identifier: GPL-2.0-or-later
"""Other hosts, which several modules here have each for itself."""

import subprocess
from collections.abc import Iterator

import pytest

from ..support.documents import TOP
from ..support.ssh_hosts import Hosts, other_hosts
from ..support.two_hosts import left


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    """This host and two others, in a network of their own."""
    subprocess.run([TOP / "tools/packages", "sshd"], check=True)
    with other_hosts(2) as hosts:
        yield hosts


@pytest.fixture
def nothing_left_there(hosts: Hosts) -> Iterator[None]:
    """Fails the test if it leaves a process, a directory or a mount on another host."""
    yield
    assert not left(hosts)
