# SPDX-License-Identifier: GPL-2.0-or-later
"""A shaped link of an ordinary user's: what it carries, that nothing of it stays, and in which words it is refused."""

import glob
import os
import signal
import time
from pathlib import Path

import pytest

from ..support.held_networks import wait_until_gone
from ..support.leftovers import is_own, network_namespaces
from ..support.ordinary_user import PYTHON, if_networks
from ..support.waiting import HANGS_S

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("nothing_left"), if_networks]
RATE = 25_000_000
ATTEMPTS = 5
"""A host that is busy elsewhere slows a link down for a while; a wrong rate is wrong each time."""

USED = """
import os, socket, subprocess, sys
from avocado_migdowntime.host.shaped import shaped_link
RECEIVE = '''
import socket, sys, time
with socket.create_server((sys.argv[1], 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    count, tenth_s = 0, 0
    while chunk := connection.recv(1 << 20):
        count += len(chunk)
        if not tenth_s and count > int(sys.argv[2]) / 10:
            tenth, tenth_s = count, time.monotonic()
    print((count - tenth) / (time.monotonic() - tenth_s))
'''
SEND = '''
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[3]))) as connection:
    connection.sendall(bytes(int(sys.argv[2])))
print(*(name for _, name in socket.if_nameindex()))
'''
def start(namespace, program, *arguments):
    line = [sys.executable, "-c", program, link.address, str(rate // 2), *arguments]
    return subprocess.Popen(line, preexec_fn=namespace.enter, stdout=subprocess.PIPE, text=True)
rate = int(sys.argv[1])
with shaped_link(rate) as link:
    receiver = start(link.destination, RECEIVE)
    sender = start(link.source, SEND, receiver.stdout.readline().strip())
    print(link.in_user_namespace, link.bytes_per_s / rate, float(receiver.stdout.read()) / rate)
    print(sender.stdout.read().strip(), "|", *(name for _, name in socket.if_nameindex()))
"""

HELD = """
import os, time
from avocado_migdowntime.host.shaped import shaped_link
with shaped_link(25_000_000) as link:
    opened = link.source.descriptor, link.destination.descriptor
    print(*(os.readlink(f"/proc/self/fd/{each}") for each in opened), flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module", autouse=True)
def package(ordinary_user):
    return ordinary_user.given("avocado_migdowntime")


def test_it_carries_what_was_asked_for_between_networks_that_nobody_else_sees(ordinary_user):
    seen = []
    for _ in range(ATTEMPTS):
        done = ordinary_user.run(PYTHON, "-c", USED, str(RATE))
        assert done.returncode == 0, done.stdout
        first, second = done.stdout.splitlines()
        in_user_namespace, *figures = first.split()
        inside, outside = second.split("|")
        assert in_user_namespace == "True" and inside.split() == ["lo", "wire"] and "wire" not in outside.split()
        seen.append([float(figure) for figure in figures])
        if seen[-1] == pytest.approx([1, 1], abs=0.03):
            return
    pytest.fail(f"the link said that it carried, and transfers had, {seen} of the rate")


def test_one_whose_user_is_killed_is_gone(ordinary_user):
    with ordinary_user.start(PYTHON, "-c", HELD) as harness:
        made = set(harness.stdout.readline().split())
        assert len(made) == 2 and made <= network_namespaces()
        harness.send_signal(signal.SIGKILL)
    wait_until_gone(made)


def makers():
    """The processes that make links just now, for this test: others may be at work for another run of tests."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            pid = path.split("/")[2]
            if b"avocado_migdowntime.host.wire_process" in Path(path).read_bytes() and is_own(pid):
                found.append(int(pid))
        except OSError:  # It has ended.
            continue
    return found


def maker_at_work(before):
    """The process that makes a link and has come to its networks, which are not this process's."""
    deadline = time.monotonic() + HANGS_S
    while time.monotonic() < deadline:
        for pid in makers():
            networks = {name for name in map(target, glob.glob(f"/proc/{pid}/fd/*")) if name.startswith("net:")}
            if len(networks - before) == 2:
                return pid, networks
        time.sleep(0.005)
    return pytest.fail("no process made a link")


def target(link):
    try:
        return os.readlink(link)
    except OSError:
        return ""


def test_one_in_the_making_is_gone_with_the_user_s_process(ordinary_user):
    before = network_namespaces()
    with ordinary_user.start(PYTHON, "-c", HELD) as harness:
        maker, made = maker_at_work(before)
        harness.send_signal(signal.SIGKILL)
        assert harness.stdout.read() == ""
    wait_until_gone(made)
    assert maker not in makers()


def test_a_maker_that_is_killed_is_told(ordinary_user):
    with ordinary_user.start(PYTHON, "-c", HELD) as harness:
        maker, made = maker_at_work(network_namespaces())
        os.kill(maker, signal.SIGKILL)
        *_, last = harness.stdout.read().splitlines()
    wait_until_gone(made)
    assert last == (
        "avocado_migdowntime.errors.HarnessError: the process that sets up a link in a user namespace ended: "
        "it printed nothing; run as root, or use link=tcp or link=unix"
    )


TRIED = """
from avocado_migdowntime.errors import NotPermittedError
from avocado_migdowntime.host.shaped import shaped_link
try:
    with shaped_link(50_000_000):
        print("had it")
except NotPermittedError as error:
    print(error)
"""


def test_a_kernel_that_was_told_to_forbid_it_is_named_by_the_setting(ordinary_user):
    """The setting is of a user namespace, in which nobody else is."""
    without = 'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "$@"'
    done = ordinary_user.run("unshare", "--user", "--map-root-user", "sh", "-c", without, "sh", PYTHON, "-c", TRIED)
    assert done.stdout == (
        "link=shaped needs a network namespace, which this process cannot create, not even in a user namespace "
        "(user.max_user_namespaces is 0); as root run `sysctl user.max_user_namespaces=10000`, run as root, "
        "or use link=tcp or link=unix\n"
    )
