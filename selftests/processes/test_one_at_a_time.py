# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests take turns on a host: who has the turn is named, and is not waited for without end."""

import os
import re
import socket
import subprocess
import sys

import pytest

from avocado_migdowntime.errors import HostRequirementError
from avocado_migdowntime.host import one_at_a_time
from avocado_migdowntime.host.one_at_a_time import alone_on_host

from ..support.documents import TOP

HOLDING = f"""
import socket, sys, time
sys.path.insert(0, {str(TOP)!r})
from avocado_migdowntime.host import one_at_a_time
one_at_a_time.NAME = sys.argv[1]
one_at_a_time.NEXT = one_at_a_time.NAME + "-next"
if sys.argv[2] != "silent":
    with one_at_a_time.alone_on_host(print, on_others=sys.argv[2] == "on others"):
        print("held", flush=True)
        time.sleep(float(sys.argv[3]))
else:
    lock = socket.socket(socket.AF_UNIX)
    lock.bind(one_at_a_time.NAME)
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


@pytest.fixture(autouse=True)
def own_turn(monkeypatch, tmp_path):
    """Not the one that tests beside this one wait for."""
    monkeypatch.setattr(one_at_a_time, "NAME", f"\0migdowntime-{tmp_path.name}"[:90])
    monkeypatch.setattr(one_at_a_time, "NEXT", f"{one_at_a_time.NAME}-next")


@pytest.fixture
def holder():
    held = []

    def hold(manner, for_s=60.0):
        program = HOLDING.replace("sys.argv[1]", repr(one_at_a_time.NAME), 1)
        held.append(subprocess.Popen([sys.executable, "-c", program, "-", manner, str(for_s)], stdout=subprocess.PIPE))
        held[-1].stdout.readline()
        return held[-1]

    yield hold
    for each in held:
        each.kill()
        each.wait()
        each.stdout.close()


@pytest.mark.parametrize("manner", ["honest", "silent", "on others"])
def test_who_has_the_turn_is_named_and_given_up_in_time(holder, manner):
    other, said = holder(manner), []
    with pytest.raises(HostRequirementError) as caught, alone_on_host(said.append, 0.5):
        pass
    who = rf"process {other.pid} \(.*has kept others waiting for 0.5 s"
    assert re.search(who, str(caught.value))
    assert ") of user " in str(caught.value) and str(caught.value).endswith("; end it, or raise `time_limit`")
    assert said[0].startswith("waiting for another test on this host to end, 0 s so far: process")


def test_one_that_ends_in_time_is_waited_for(holder):
    holder("honest", 1)
    said = []
    with alone_on_host(said.append, 60):
        assert said


def test_time_counts_for_each_that_has_the_turn(holder, monkeypatch):
    """Where others come and go, things go on."""
    inodes = iter(str(number) for number in range(1000))
    monkeypatch.setattr(one_at_a_time, "_inode", lambda name: next(inodes))
    holder("silent", 2)
    with alone_on_host(lambda _: None, 0.5):
        pass


def test_one_that_cannot_be_seen_is_told_of_all_the_same(holder, monkeypatch):
    monkeypatch.setattr(one_at_a_time, "_owner", lambda inode: (0, 0))
    holder("silent")
    unseen = "a process that cannot be seen from here; as root, `ss -xp` shows it"
    with pytest.raises(HostRequirementError, match=unseen), alone_on_host(lambda _: None, 0.3):
        pass


def test_one_that_is_on_other_hosts_as_well_leaves_the_turn_to_them_and_goes_next(holder):
    """So long as it has not taken the turn itself, one of another host can have it."""
    other = holder("on others")
    with socket.socket(socket.AF_UNIX) as of_another_host:
        of_another_host.bind(one_at_a_time.NAME)
        with pytest.raises(HostRequirementError) as caught, alone_on_host(lambda _: None, 0.3, on_others=True):
            pass
        assert f"and process {os.getpid()} (" in str(caught.value), "the one that it waits for itself"
    with pytest.raises(HostRequirementError) as caught, alone_on_host(lambda _: None, 0.3, on_others=True):
        pass
    assert f"and process {other.pid} (" in str(caught.value)
