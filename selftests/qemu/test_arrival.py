# SPDX-License-Identifier: GPL-2.0-or-later
"""What is found out when a real guest arrives: damage to its memory, and that it does not go on."""

import asyncio
import os
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from avocado_migdowntime.experiments import arrival
from avocado_migdowntime.experiments.arrival import watch_arrival
from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.guest import dirtying
from avocado_migdowntime.qemu.pair import launched_pair
from avocado_migdowntime.record.own_migration import OwnMigrationSampler
from avocado_migdowntime.report.verdict_text import summary
from avocado_migdowntime.trace.file import TraceWriter
from avocado_migdowntime.verdict.judge import judge

from ..support.dirtier_guest import MIB

pytestmark = pytest.mark.usefixtures("nothing_left")
RAM, REGION, PAGE = 256 * MIB, 16 * MIB, 4096


def arrive(directory, before_inspection, look=True, **given):
    """Migrate a guest at once, do something to the destination that holds it, look at it; gives the verdict."""

    async def migrate():
        parameters = parse({"accel": "tcg", "page_size": "4K", "region": "16M", **given})
        async with launched_pair(parameters, directory, lambda _: None) as pair:
            await dirtying(pair.source)
            with closing(TraceWriter(directory / "trace.jsonl", await pair.configure(parameters))) as writer:
                async with (
                    OwnMigrationSampler(pair.source, pair.destination, writer, 50) as sampler,
                    watch_arrival(pair, sampler) as guest,
                    aclosing(sampler.samples(pair.uri)) as samples,
                ):
                    await guest.let_complete(samples)
                    before_inspection(pair.destination.pid)
                    await guest.inspect(look, lambda _: None)

    asyncio.run(migrate())
    return judge(read(str(directory / "trace.jsonl")))


def overwrite(address, data):
    """Something that writes into the RAM of a QEMU from outside."""

    def write(pid):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            if link.exists() and link.stat().st_size == RAM:
                file = os.open(link, os.O_RDWR)
                assert os.pwrite(file, data, address) == len(data)
                os.close(file)
                return
        raise AssertionError("no backing file was found")

    return write


@pytest.mark.parametrize(
    ("address", "data", "damaged_pages", "words"),
    [
        (0x1000000 + 5 * PAGE + 777, b"\xa5", 1, "page 5 (at 0x1005000) is torn: 1 of its 512 words, from byte 776 on"),
        (0x1000000 + 7 * PAGE, bytes(PAGE), 1, "page 7 (at 0x1007000) is lost: it is empty"),
        (0x1400000, bytes(2 * MIB), 512, "pages 1024 to 1535: the first (at 0x1400000) is lost: it is empty"),
        (0x800000 + 4000, b"\xa5", 1, "the telemetry page (at 0x800000) is not what it was at the source"),
    ],
    ids=["byte", "page", "granule", "telemetry"],
)
@pytest.mark.parametrize("arch", ["ppc64", "x86_64"])
def test_what_is_corrupted_between_stop_and_check_is_named(tmp_path, arch, address, data, damaged_pages, words):
    verdict = arrive(tmp_path, overwrite(address, data), arch=arch, granule="2M")
    assert (verdict.integrity.damaged_pages, len(verdict.integrity.faults)) == (damaged_pages, 1)
    assert verdict.integrity.faults[0].startswith(words)
    assert verdict.passed is False and verdict.check("memory").code == "damaged"
    assert f"{damaged_pages} of 4097 pages are not what the guest wrote last: {words}" in summary(verdict)


@pytest.mark.parametrize("backing", ["memfd", "anonymous"])
def test_a_guest_that_is_left_alone_arrives_whole_and_all_say_how_long_it_was_down(tmp_path, backing):
    verdict = arrive(tmp_path, lambda _: None, backing=backing, pattern="random")
    assert verdict.check("memory").code == "intact" and verdict.check("guest").code == "went-on"
    down = verdict.downtime
    assert down.held_ms > 0 and down.qemu_ms > 0
    assert down.events_ms > 0
    if backing == "memfd":
        assert down.guest_ms.high > 0
    else:
        assert down.guest_ms is None


def test_a_guest_that_does_not_go_on_is_a_failure(tmp_path, monkeypatch):
    """It is held, as by the check, and never told to go on."""
    monkeypatch.setattr(arrival, "_HEARTBEAT_PATIENCE_S", 0.5)
    verdict = arrive(tmp_path, lambda _: None, look=False)
    assert verdict.downtime.silent_s == 0.5 and verdict.integrity is None
    assert verdict.passed is False and verdict.check("guest").code == "silent"
    assert "the guest did not continue at the destination: no heartbeat within 0.5 s" in verdict.reasons


def test_without_the_check_the_guest_is_not_held(tmp_path):
    verdict = arrive(tmp_path, lambda _: None, look=False, integrity="no")
    assert verdict.integrity is None and verdict.check("guest").code == "went-on"
    assert verdict.downtime.held_ms == 0 and verdict.downtime.guest_ms.high > 0


@pytest.mark.alone  # On hugepages.
def test_writes_that_qemu_does_not_see_are_found(tmp_path):
    """QEMU before 9.0 loses them under TCG where the guest does not help it: 03bfc2188f06."""
    verdict = asyncio.run(expected_downtime(parse({"accel": "tcg", "tlb_flush": "no"}), tmp_path, lambda _: None))
    release = read(str(tmp_path / "trace.jsonl")).header["qemu"]["qemu"]["major"]
    if release < 9:
        assert not verdict.integrity.intact
        assert verdict.integrity.faults[0] == "the telemetry page (at 0x800000) is not what it was at the source"
    else:
        assert verdict.integrity.intact
