# SPDX-License-Identifier: GPL-2.0-or-later
"""What a migration goes over: each kind of link with real QEMUs, and that nothing of it stays."""

import asyncio
import os
import re
import signal
import statistics
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.pair import launched_pair
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

from ..support import documented, slow_link
from ..support.documents import DOWNTIME
from ..support.held_networks import HARNESS, wait_until_gone
from ..support.leftovers import network_namespaces
from ..support.ordinary_user import MAY_MAKE_NETWORKS, if_networks

pytestmark = [pytest.mark.alone, pytest.mark.qemu, pytest.mark.usefixtures("nothing_left")]
ATTEMPTS = 5
"""A host that is busy elsewhere slows a migration down for a while; a wrong rate is wrong each time."""
RATE = 12_500_000
"""Of the migrations that are made again for that: passes last long at it."""


def migrated(directory, **given):
    """The trace of a migration, as `good` has it."""
    parameters = parse({"accel": "tcg", "page_size": "4K", "passes": "1", **given})
    asyncio.run(expected_downtime(parameters, directory, lambda _: None))
    return good(directory)


def good(directory):
    """The trace of a run of a QEMU that is right, by which the guest arrived."""
    trace = read(str(directory / "trace.jsonl"))
    verdict = judge(trace)
    assert verdict.verdict is Judgement.ACCURATE, verdict
    assert verdict.check("memory").code == "intact" and verdict.check("guest").code == "went-on"
    return trace


def test_a_migration_over_tcp_is_judged_alike(tmp_path):
    assert migrated(tmp_path, link="tcp").header["link"] == "tcp"


@if_networks
@pytest.mark.network
@pytest.mark.parametrize("arch", ["ppc64", "x86_64"])
def test_a_migration_over_a_shaped_link_gets_what_the_link_carries(arch, tmp_path, once, slow_link_run):
    """max-bandwidth is far above it, so that it is the link that holds QEMU back."""
    trace, rate = {
        "ppc64": lambda: (good(once(documented.ran, DOWNTIME).left()), 50_000_000),
        "x86_64": lambda: (good(slow_link_run()), slow_link.RATE),
    }[arch]()
    seen = []
    while True:
        assert (trace.header["arch"], trace.header["link"], trace.header["link_rate"]) == (arch, "shaped", rate)
        assert judge(trace).check("transferred").code == "as-carried"
        samples = [
            sample
            for sample in Evidence.of(trace).undisturbed.samples
            if sample.ram and sample.ram.dirty_sync_count > 1
        ]
        mbps = statistics.median(sample.ram.mbps for sample in samples)
        carried = trace.header["link_bytes_per_s"]
        seen.append((carried / rate, mbps * 125_000 / carried))
        if seen[-1] == pytest.approx((1, 1), abs=0.05):
            return
        if len(seen) == ATTEMPTS:
            pytest.fail(f"the link carried, and the migration had of that, {seen}")
        directory, rate = tmp_path / str(len(seen)), RATE
        directory.mkdir()
        trace = migrated(directory, arch=arch, link="shaped", link_rate=rate, max_bandwidth="1G")


async def listening(stack, directory, link):
    """A pair of which the destination waits for the source."""
    directory.mkdir()
    parameters = parse({"accel": "tcg", "page_size": "4K", "backing": "anonymous", "arch": "x86_64", "link": link})
    pair = await stack.enter_async_context(launched_pair(parameters, directory, lambda _: None))
    await pair.configure(parameters)
    return pair


def test_two_pairs_at_a_time_do_not_collide(tmp_path):
    link, uri = ("shaped", r"tcp:198\.18\.0\.2:\d+") if MAY_MAKE_NETWORKS else ("tcp", r"tcp:127\.0\.0\.1:\d+")

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
    if MAY_MAKE_NETWORKS:
        assert len({*homes, os.readlink("/proc/self/ns/net")}) == 5
    else:
        assert pairs[0].uri != pairs[1].uri


@if_networks
def test_a_killed_harness_leaves_no_network(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as harness:
        made = set(harness.stdout.readline().split())
        assert len(made) == 2 and made <= network_namespaces()
        harness.send_signal(signal.SIGKILL)
    wait_until_gone(made)
