# SPDX-License-Identifier: GPL-2.0-or-later
"""A real QEMU that stops answering, for whatever reason and on whichever side, is named with what it does meanwhile."""

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest

from avocado_migdowntime.errors import HarnessError
from avocado_migdowntime.experiments import arrival
from avocado_migdowntime.experiments.run import run_and_judge
from avocado_migdowntime.host.process_group import processes
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu import hang
from avocado_migdowntime.qemu.probe import find_binary

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("nothing_left")]
SLOW = {"arch": "x86_64", "accel": "tcg", "page_size": "4K", "max_bandwidth": "1M", "time_limit": "8"}


def ended_by(directory, course, **given):
    """The sentence that a run ends with whose migration has `course`."""
    with pytest.raises(HarnessError) as caught:
        asyncio.run(run_and_judge(parse({**SLOW, **given}), directory, lambda _: None, course))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def stopping(side):
    """A course in which a QEMU is stopped with all its processes, and the samples are taken to the end."""

    async def course(run):
        await run.follow(lambda sample: sample.ram is not None and sample.ram.dirty_sync_count > 0)
        os.killpg(getattr(run.pair, side).pid, signal.SIGSTOP)
        await run.follow(lambda _: False)

    return course


@pytest.mark.parametrize(("side", "command"), [("source", "query-migrate"), ("destination", "query-status")])
def test_a_side_that_is_stopped_is_named_with_its_command_and_state(tmp_path, side, command):
    said = ended_by(tmp_path, stopping(side))
    told = re.search(
        rf"^given up after 8 s while pass 1: .*; the {side} QEMU has not answered {command} for (\d+) s, "
        r"qemu-system-x86 \d+ is stopped: it printed nothing; if it is only slow, raise `time_limit`$",
        said,
    )
    assert told and 1 <= int(told[1]) <= 8, said
    assert said.count("has not answered") == 1


def test_of_a_script_all_processes_are_shown(tmp_path):
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\necho "as ever" >&2\n{find_binary(None, "x86_64")} "$@"\nexit $?\n')
    wrapper.chmod(0o755)
    said = ended_by(tmp_path, stopping("destination"), qemu_destination=str(wrapper))
    assert re.search(r" s, wrapper \d+ is stopped, qemu-system-x86 \d+ is stopped: as ever; if", said), said


def test_a_qemu_that_is_held_by_a_lock_of_its_own_is_named(tmp_path):
    """It waits for whoever reads what it is to write, and has its big lock meanwhile."""
    os.mkfifo(tmp_path / "fifo")

    async def course(run):
        await run.follow(lambda sample: sample.ram is not None)
        where = {"val": 0, "size": 4096, "filename": str(tmp_path / "fifo")}
        await run.pair.source.execute("pmemsave", where)

    said = ended_by(tmp_path, course)
    assert re.search(r"; the source QEMU has not answered pmemsave for \d+ s, qemu-system-x86 \d+ is sleeping: ", said)


def test_one_that_stays_stopped_is_not_waited_for_as_long_as_the_run_may_take(tmp_path, monkeypatch):
    monkeypatch.setattr(hang, "_STOPPED_S", 2.0)
    said = ended_by(tmp_path, stopping("destination"), time_limit="1000")
    assert re.search(
        r"^the destination QEMU has not answered query-status for [23] s, .* is stopped: .*; given up", said
    )


def test_one_that_goes_on_in_time_is_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(hang, "_STOPPED_S", 2.5)

    async def course(run):
        await run.follow(lambda sample: sample.ram is not None and sample.ram.dirty_sync_count > 0)
        for side in (run.pair.source, run.pair.destination):
            os.killpg(side.pid, signal.SIGSTOP)
            await asyncio.sleep(1.5)
            assert side.silence(1.0) or side is run.pair.source
            assert [process.state for process in processes(side.pid)] == ["T"]
            os.killpg(side.pid, signal.SIGCONT)
        await run.let_complete()

    given = parse({**SLOW, "time_limit": "120"})
    verdict = asyncio.run(run_and_judge(given, tmp_path, lambda _: None, course))
    assert verdict.check("memory").code == "intact" and verdict.check("guest").code == "went-on"


def stopped_before(name, monkeypatch, pids):
    """Have the destination stopped before the look at the guest calls `name`."""
    where = arrival if hasattr(arrival, name) else arrival.Arrival
    called = getattr(where, name)

    async def stopped_first(*arguments):
        os.killpg(pids[-1], signal.SIGSTOP)
        return await called(*arguments)

    monkeypatch.setattr(where, name, stopped_first)


@pytest.mark.parametrize(
    ("name", "waiting", "command"),
    [
        (None, "waiting for the destination to have loaded all of the guest", "query-status"),
        ("inspect", "comparing the guest's memory at the destination", "cont"),
        ("_heartbeat", "waiting for the guest to go on at the destination", "query-status"),
    ],
)
def test_the_look_at_the_guest_says_what_it_waits_for(tmp_path, monkeypatch, name, waiting, command):
    """And it is not the guest that is blamed for not going on."""
    monkeypatch.setattr(arrival, "_HEARTBEAT_PATIENCE_S", 1.0)
    pids = []

    async def course(run):
        pids.append(run.pair.destination.pid)
        await run.follow(lambda sample: sample.ram is not None)
        await run.let_complete()
        if name is None:
            os.killpg(pids[-1], signal.SIGSTOP)

    if name:
        stopped_before(name, monkeypatch, pids)
    said = ended_by(tmp_path, course)
    assert said.startswith(f"given up after 8 s while {waiting}; the destination QEMU has not answered {command} for ")
    assert " is stopped: " in said


def test_what_a_process_does_is_told_in_words(tmp_path):
    mine = next(process for process in processes(os.getpgrp()) if process.pid == os.getpid())
    assert mine.state in "RS" and str(mine).startswith(
        f"{Path('/proc/self/comm').read_text().strip()} {os.getpid()} is"
    )
    assert processes(2**22 + 1) == ()
