# SPDX-License-Identifier: GPL-2.0-or-later
"""A shaped link on the real host: what it carries, and in which words it is refused."""

import fcntl
import re
import socket
import subprocess
import sys
import termios
import time
from array import array
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from avocado_migdowntime.basics import programs as host_programs
from avocado_migdowntime.basics.programs import find_program
from avocado_migdowntime.errors import HarnessError, HostRequirementError
from avocado_migdowntime.host import throughput, wire
from avocado_migdowntime.host.netns import new_namespace
from avocado_migdowntime.host.shaped import shaped_link
from avocado_migdowntime.host.throughput import payload_bytes_per_s

from ..support.documents import TOP
from ..support.ordinary_user import ROOT, if_networks

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("nothing_left")]
RATES = {"10 Mbit/s": 1_250_000, "400 Mbit/s": 50_000_000, "2 Gbit/s": 250_000_000}
ATTEMPTS = 5
"""A host that is busy elsewhere slows a link down for a while; a wrong rate is wrong each time."""


@pytest.fixture
def root():
    if not ROOT:
        pytest.skip("it takes root; the last test here is root of a user namespace")


@contextmanager
def connected(link):
    """Sockets of a connection over a link, made apart from the code that is tested."""
    with link.destination.run(lambda: socket.create_server((link.address, 0))) as listener:
        sender = link.source.run(lambda: socket.create_connection(listener.getsockname()))
        receiver, _ = listener.accept()
    with sender, receiver:
        yield sender, receiver


def sent_bytes_per_s(link, total_bytes):
    """The rates of a transfer: from its first tenth to its end, and from its begin."""
    with connected(link) as (sender, receiver), ThreadPoolExecutor(1) as sending:
        begun_s = time.monotonic()
        done = sending.submit(sender.sendall, bytes(total_bytes))
        got_bytes, tenth_bytes, tenth_s = 0, 0, 0.0
        while got_bytes < total_bytes:
            got_bytes += len(receiver.recv(1 << 20))
            if not tenth_bytes and got_bytes >= total_bytes / 10:
                tenth_bytes, tenth_s = got_bytes, time.monotonic()
        ended_s = time.monotonic()
        done.result()
    return (got_bytes - tenth_bytes) / (ended_s - tenth_s), got_bytes / (ended_s - begun_s)


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("rate", RATES.values(), ids=RATES.keys())
def test_a_shaped_link_carries_what_was_asked_for_and_says_what_it_carries(rate):
    seen = []
    for _ in range(ATTEMPTS):
        with shaped_link(rate) as link:
            seen.append((sent_bytes_per_s(link, rate // 2)[0] / rate, link.bytes_per_s / rate))
        if seen[-1] == pytest.approx((1, 1), abs=0.03):
            return
    pytest.fail(f"transfers had {seen} of the rate, as taken here and as the link says")


@pytest.mark.usefixtures("root")
def test_the_way_back_is_not_limited():
    with shaped_link(RATES["10 Mbit/s"]) as link:
        assert payload_bytes_per_s(link.destination, link.source, "198.18.0.1") > 5 * RATES["10 Mbit/s"]


@pytest.mark.usefixtures("root")
def test_a_link_at_rest_saves_nothing_up():
    """Beyond 20 ms, a tenth of this transfer."""
    rate = RATES["400 Mbit/s"]
    with shaped_link(rate) as link:
        time.sleep(1)
        assert sent_bytes_per_s(link, rate // 5)[1] / rate < 1.2


@pytest.mark.usefixtures("root")
def test_a_socket_holds_no_more_than_a_moments_worth():
    """QEMU takes it for sent."""
    rate, held_bytes = 12_500_000, 0
    with (
        shaped_link(rate) as link,
        connected(link) as (sender, receiver),
        ThreadPoolExecutor(1) as receiving,
    ):
        drained = receiving.submit(lambda: all(iter(lambda: receiver.recv(1 << 20), b"")))
        for _ in range(rate // 2 >> 16):
            sender.sendall(bytes(1 << 16))
            held_bytes = max(held_bytes, *array("i", fcntl.ioctl(sender, termios.TIOCOUTQ, bytes(4))))
        sender.shutdown(socket.SHUT_WR)
        assert drained.result()
    assert held_bytes / rate < 0.05


@pytest.mark.usefixtures("root")
def test_two_links_at_a_time_have_each_its_rate():
    slow, fast = RATES["10 Mbit/s"], RATES["400 Mbit/s"]
    for _ in range(ATTEMPTS):
        with shaped_link(slow) as one, shaped_link(fast) as other, ThreadPoolExecutor(2) as senders:
            rates = list(senders.map(sent_bytes_per_s, (one, other), (slow // 2, fast // 2)))
        if (rates[0][0] / slow, rates[1][0] / fast) == pytest.approx((1, 1), abs=0.03):
            return
    pytest.fail(f"{rates}, {one}, {other}")


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("programs", "sentence"),
    [
        (
            {"tc": "exit 0"},
            "link=shaped needs ip, which is not on the PATH or in /usr/sbin; install it with: "
            "apt-get install --no-install-recommends iproute2 "
            "(or: dnf install iproute-tc; zypper install iproute2)",
        ),
        (
            {"ip": "exit 0"},
            "link=shaped needs tc, which is not on the PATH or in /usr/sbin; install it with: "
            "apt-get install --no-install-recommends iproute2 "
            "(or: dnf install iproute-tc; zypper install iproute2)",
        ),
        (
            {"ip": "echo Error: Unknown device type. >&2; exit 2"},
            "`ip link add wire mtu 9000 type veth peer name wire mtu 9000 netns PATH` failed with "
            "'Error: Unknown device type.'; link=shaped needs a kernel with CONFIG_VETH, "
            "else use link=tcp or link=unix",
        ),
        (
            {"ip": "exit 0", "tc": "echo Error: Specified qdisc kind is unknown. >&2; exit 2"},
            "`tc qdisc add dev wire root tbf rate 50368797bps burst 1007376 limit 4194304` failed with "
            "'Error: Specified qdisc kind is unknown.'; link=shaped needs a kernel with CONFIG_NET_SCH_TBF, "
            "else use link=tcp or link=unix",
        ),
    ],
    ids=["ip", "tc", "veth", "tbf"],
)
def test_what_the_host_lacks_is_named(programs, sentence, tmp_path, monkeypatch):
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(host_programs, "_ADMINISTRATORS", ())
    with pytest.raises(HostRequirementError) as refusal, shaped_link(50_000_000):
        pass
    assert re.sub(r"/proc/\d+/fd/\d+", "PATH", str(refusal.value)) == sentence


@pytest.mark.usefixtures("root")
def test_buffers_that_cannot_be_set_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(wire, "_SEND_BUFFERS", tmp_path / "tcp_wmem")
    with pytest.raises(HostRequirementError) as refusal, shaped_link(50_000_000):
        pass
    assert str(refusal.value) == (
        f"{tmp_path}/tcp_wmem of a new network namespace cannot be set (No such file or directory), which link=shaped "
        "needs; have /proc/sys writable, or use link=tcp or link=unix"
    )


@pytest.mark.usefixtures("root")
def test_a_link_that_carries_nothing_is_told(monkeypatch):
    monkeypatch.setattr(throughput, "_SILENT_S", 0.3)
    with (
        new_namespace() as source,
        new_namespace() as destination,
        pytest.raises(HarnessError, match=r"^the link between .* carries nothing .*; use link=tcp or link=unix$"),
    ):
        payload_bytes_per_s(source, destination, "198.18.0.2")
    with shaped_link(50_000_000) as link:
        lossy = ["qdisc", "replace", "dev", "wire", "root", "tbf", "rate", "8bit", "burst", "10000", "limit", "1"]
        link.source.run(lambda: subprocess.run([find_program("tc"), *lossy], check=True))
        with pytest.raises(HarnessError, match=r"^the link between .* carries nothing .*\(timed out\)"):
            payload_bytes_per_s(link.source, link.destination, link.address)


@if_networks
@pytest.mark.skipif(ROOT, reason="root has run them")
def test_all_of_these_hold_for_an_ordinary_user_who_is_root_of_a_user_namespace():
    line = ["unshare", "--user", "--map-root-user", sys.executable, "-m", "pytest", "-q", __file__]
    done = subprocess.run(line, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
