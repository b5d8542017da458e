# SPDX-License-Identifier: GPL-2.0-or-later
"""The link between the two ends: what it carries, what goes over it, and that nothing of it stays."""

import asyncio
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from avocado_migdowntime.errors import BadInput, HarnessError, HostLacks
from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.host import throughput
from avocado_migdowntime.host.netns import new_namespace
from avocado_migdowntime.host.shaped import shaped_link
from avocado_migdowntime.host.throughput import payload_bytes_per_s
from avocado_migdowntime.parameters import parse
from avocado_migdowntime.qemu.pair import launched_pair
from avocado_migdowntime.trace_file import read
from avocado_migdowntime.units import parse_rate
from avocado_migdowntime.verdict import Judgement

from .conftest import network_namespaces

pytestmark = pytest.mark.usefixtures("nothing_left")
ROOT = os.geteuid() == 0
CHECKOUT = Path(__file__).parents[1]
RATES = {"10 Mbit/s": 1_250_000, "400 Mbit/s": 50_000_000, "2 Gbit/s": 250_000_000}
ATTEMPTS = 5
"""A host that is busy elsewhere slows a link down for a while; a wrong rate is wrong each time."""


@pytest.fixture
def root():
    if not ROOT:
        pytest.skip("only root can make networks; the message that says so is checked below")


def sent_bytes_per_s(link, total_bytes):
    """The rate of a transfer from its first tenth to its end, by a clock of this test's own."""
    with link.destination.run(lambda: socket.create_server((link.address, 0))) as listener:
        sender = link.source.run(lambda: socket.create_connection(listener.getsockname()))
        receiver, _ = listener.accept()
    sending = threading.Thread(target=lambda: (sender.sendall(bytes(total_bytes)), sender.close()))
    sending.start()
    got_bytes, began_bytes, began_s = 0, 0, 0.0
    with receiver:
        while part := receiver.recv(1 << 20):
            got_bytes += len(part)
            if not began_bytes and got_bytes >= total_bytes / 10:
                began_bytes, began_s = got_bytes, time.monotonic()
    took_s = time.monotonic() - began_s
    sending.join()
    assert got_bytes == total_bytes
    return (got_bytes - began_bytes) / took_s


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("rate", RATES.values(), ids=RATES.keys())
def test_a_shaped_link_carries_what_was_asked_for_and_says_what_it_carries(rate):
    seen = []
    for _ in range(ATTEMPTS):
        with shaped_link(rate) as link:
            seen.append((sent_bytes_per_s(link, rate // 2) / rate, link.bytes_per_s / rate))
        if seen[-1] == pytest.approx((1, 1), abs=0.03):
            return
    pytest.fail(f"transfers had {seen} of the rate, as taken here and as the link says")


@pytest.mark.usefixtures("root")
def test_the_way_back_is_not_limited():
    with shaped_link(RATES["10 Mbit/s"]) as link:
        assert payload_bytes_per_s(link.destination, link.source, "198.18.0.1") > 5 * RATES["10 Mbit/s"]


@pytest.mark.usefixtures("root")
def test_two_links_at_a_time_have_each_its_rate():
    slow, fast = RATES["10 Mbit/s"], RATES["400 Mbit/s"]
    for _ in range(ATTEMPTS):
        with shaped_link(slow) as one, shaped_link(fast) as other, ThreadPoolExecutor(2) as senders:
            rates = list(senders.map(sent_bytes_per_s, (one, other), (slow // 2, fast // 2)))
        if (rates[0] / slow, rates[1] / fast) == pytest.approx((1, 1), abs=0.03):
            return
    pytest.fail(f"{rates}, {one}, {other}")


def migrated(directory, **given):
    parameters = parse({"accel": "tcg", "page_size": "4K", **given})
    verdict = asyncio.run(expected_downtime(parameters, directory, lambda _: None))
    assert verdict.verdict is Judgement.ACCURATE, verdict
    assert verdict.integrity.intact and verdict.guest_survived
    return read(str(directory / "trace.jsonl"))


def test_a_migration_over_tcp_is_judged_alike(tmp_path):
    assert migrated(tmp_path, link="tcp").header["link"] == "tcp"


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("arch", ["ppc64", "x86_64"])
def test_a_migration_over_a_shaped_link_gets_what_the_link_carries(arch, tmp_path):
    """max-bandwidth is far above it, so that it is the link that holds QEMU back."""
    rate, seen = 12_500_000, []
    for attempt in range(ATTEMPTS):
        directory = tmp_path / str(attempt)
        directory.mkdir()
        trace = migrated(directory, arch=arch, link="shaped", link_rate=rate, max_bandwidth="1G")
        assert (trace.header["link"], trace.header["link_rate"]) == ("shaped", rate)
        samples = [sample for sample in trace.undisturbed().samples if sample.ram and sample.ram.dirty_sync_count > 1]
        mbps = statistics.median(sample.ram.mbps for sample in samples)
        carried = trace.header["link_bytes_per_s"]
        seen.append((carried / rate, mbps * 125_000 / carried))
        if seen[-1] == pytest.approx((1, 1), abs=0.05):
            return
    pytest.fail(f"the link carried, and the migration had of that, {seen}")


async def listening(stack, directory, link):
    """A pair of which the destination waits for the source."""
    directory.mkdir()
    parameters = parse({"accel": "tcg", "page_size": "4K", "backing": "anonymous", "arch": "x86_64", "link": link})
    pair = await stack.enter_async_context(launched_pair(parameters, directory, lambda _: None))
    await pair.configure(parameters)
    return pair


def test_two_pairs_at_a_time_do_not_collide(tmp_path):
    link, uri = ("shaped", r"tcp:198\.18\.0\.2:\d+") if ROOT else ("tcp", r"tcp:127\.0\.0\.1:\d+")

    async def two_at_a_time():
        async with AsyncExitStack() as stack:
            pairs = [await listening(stack, tmp_path / name, link) for name in ("one", "other")]
            assert all(re.fullmatch(uri, pair.uri) for pair in pairs)
            homes = [os.readlink(f"/proc/{qemu.pid}/ns/net") for p in pairs for qemu in (p.source, p.destination)]
            for pair in pairs:
                await pair.source.execute("migrate", {"uri": pair.uri})
            for pair in pairs:
                assert (await pair.source.execute("query-migrate"))["status"] in ("setup", "active")
            return pairs, homes

    pairs, homes = asyncio.run(two_at_a_time())
    if ROOT:
        assert len({*homes, os.readlink("/proc/self/ns/net")}) == 5
    else:
        assert pairs[0].uri != pairs[1].uri


HARNESS = """
import asyncio, os, sys
from pathlib import Path
from avocado_migdowntime.parameters import parse
from avocado_migdowntime.qemu.pair import launched_pair
async def main():
    parameters = parse({"accel": "tcg", "page_size": "4K", "link": "shaped"})
    async with launched_pair(parameters, Path(sys.argv[1]), lambda _: None) as pair:
        print(*(os.readlink(f"/proc/{qemu.pid}/ns/net") for qemu in (pair.source, pair.destination)), flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.mark.usefixtures("root")
def test_a_killed_harness_leaves_no_network(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    ) as harness:
        made = set(harness.stdout.readline().split())
        assert len(made) == 2 and made <= network_namespaces()
        harness.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while left := made & network_namespaces():
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


AS_NOBODY = """
import os
from avocado_migdowntime.errors import HostLacks
from avocado_migdowntime.host.shaped import shaped_link
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with shaped_link(50_000_000):
        print("had it")
except HostLacks as error:
    print(error)
"""


def test_others_than_root_are_told_so():
    said = subprocess.run(
        [sys.executable, "-c", AS_NOBODY], check=True, text=True, stdout=subprocess.PIPE, cwd=CHECKOUT
    ).stdout
    assert said == (
        "a network namespace, which link=shaped needs, cannot be made (Operation not permitted); "
        "run as root, or use link=tcp or link=unix\n"
    )


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("programs", "sentence"),
    [
        (
            {"tc": "exit 0"},
            "no ip is on the PATH, which link=shaped needs; install it with: apt-get install iproute2",
        ),
        (
            {"ip": "exit 0"},
            "no tc is on the PATH, which link=shaped needs; install it with: apt-get install iproute2",
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
    with pytest.raises(HostLacks) as refusal, shaped_link(50_000_000):
        pass
    assert re.sub(r"/proc/\d+/fd/\d+", "PATH", str(refusal.value)) == sentence


@pytest.mark.usefixtures("root")
def test_a_link_that_carries_nothing_is_told(monkeypatch):
    monkeypatch.setattr(throughput, "_SILENT_S", 0.3)
    with (
        new_namespace() as source,
        new_namespace() as destination,
        pytest.raises(HarnessError, match=r"^nothing gets over the link .*; use link=tcp or link=unix$"),
    ):
        payload_bytes_per_s(source, destination, "198.18.0.2")
    with shaped_link(50_000_000) as link:
        lossy = ["tc", "qdisc", "replace", "dev", "wire", "root", "tbf", "rate", "8bit", "burst", "10000", "limit", "1"]
        link.source.run(lambda: subprocess.run(lossy, check=True))
        with pytest.raises(HarnessError, match=r"^nothing gets over the link .*\(timed out\)"):
            payload_bytes_per_s(link.source, link.destination, link.address)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"link": "wifi"}, "parameter link: 'wifi' is not one of unix, tcp, shaped"),
        (
            {"link_rate": "fast"},
            "parameter link_rate: 'fast' is not a rate; write bytes per second, such as 12500000 or 47.7M",
        ),
        (
            {"link_rate": "-1"},
            "parameter link_rate: '-1' is not a rate; write bytes per second, such as 12500000 or 47.7M",
        ),
        (
            {"link_rate": "1M"},
            "parameter link_rate: '1M' is not a rate from 1250000 to 1250000000 bytes per second",
        ),
        (
            {"link_rate": "2G"},
            "parameter link_rate: '2G' is not a rate from 1250000 to 1250000000 bytes per second",
        ),
    ],
)
def test_a_bad_value_is_refused(given, sentence):
    with pytest.raises(BadInput) as refusal:
        parse(given)
    assert str(refusal.value) == sentence


def test_rates_are_numbers_with_or_without_a_suffix():
    assert [parse_rate(text) for text in ("12500000", "1.5M", "47.5 MiB", "0.5g")] == [
        12_500_000,
        1_572_864,
        49_807_360,
        1 << 29,
    ]
