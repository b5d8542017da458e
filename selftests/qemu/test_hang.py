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

from ..support.stopped import stop

pytestmark = pytest.mark.usefixtures("nothing_left")
LIMIT_S = 25
"""So long a run may take: side by side, and on a busy host, all get within it as far as where they hang."""
SLOW = {
    **{"arch": "x86_64", "accel": "tcg", "page_size": "4K", "ram": "64M"},
    **{"max_bandwidth": "1M", "time_limit": f"{LIMIT_S}"},
}
LOADED = "waiting for the destination to load the whole guest"
COMPARED = "comparing the guest's memory at the destination"
GOES_ON = "waiting for the guest to continue at the destination"


async def ended_by(directory, course, progress=lambda _: None, **given):
    """The sentence that a run ends with whose migration has `course`."""
    directory.mkdir()
    with pytest.raises(HarnessError) as caught:
        await run_and_judge(parse({**SLOW, **given}), directory, progress, course)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def stopping(side):
    """A course in which a QEMU is stopped with all its processes, and the samples are taken to the end."""

    async def course(run):
        await run.follow(lambda sample: sample.ram is not None and sample.ram.dirty_sync_count > 0)
        stop(getattr(run.pair, side).pid)
        await run.follow(lambda _: False)

    return course


async def writing_to_nobody(run):
    """The source waits for whoever reads what it is to write, and has its big lock meanwhile."""
    fifo = run.pair.sockets / "fifo"
    os.mkfifo(fifo)
    await run.follow(lambda sample: sample.ram is not None)
    await run.pair.source.execute("pmemsave", {"val": 0, "size": 4096, "filename": str(fifo)})


async def ended_after(directory, said):
    """The sentence of a run whose destination is stopped before it does what it has `said`."""
    pids = []

    async def course(run):
        pids.append(run.pair.destination.pid)
        heartbeat = run.arrival._heartbeat

        async def stopped_before_it_beats(_):
            # Its heart may have beaten since it was told to go on, up to the very stop.
            stop(pids[0])
            await heartbeat(await run.arrival._beats())

        if said == GOES_ON:
            run.arrival._heartbeat = stopped_before_it_beats
        await run.follow(lambda sample: sample.ram is not None)
        await run.let_complete()

    def progress(line):
        if line == said != GOES_ON:
            stop(pids[0])

    return await ended_by(directory, course, progress)


def ends(directory):
    """The sentences of runs that wait, side by side, by their names."""
    wrapper = directory / "wrapper"
    wrapper.write_text(f'#!/bin/sh\necho "as ever" >&2\n{find_binary(None, "x86_64")} "$@"\nexit $?\n')
    wrapper.chmod(0o755)

    async def side_by_side():
        runs = {
            **{side: ended_by(directory / side, stopping(side)) for side in ("source", "destination")},
            "script": ended_by(directory / "script", stopping("destination"), qemu_destination=str(wrapper)),
            "lock": ended_by(directory / "lock", writing_to_nobody),
            **{said: ended_after(directory / said.replace(" ", "-"), said) for said in (LOADED, COMPARED, GOES_ON)},
        }
        return dict(zip(runs, await asyncio.gather(*runs.values()), strict=True))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrival, "_HEARTBEAT_PATIENCE_S", 1.0)
        return asyncio.run(side_by_side())


@pytest.mark.parametrize(("side", "command"), [("source", "query-migrate"), ("destination", "query-status")])
def test_a_side_that_is_stopped_is_named_with_its_command_and_state(once, side, command):
    said = once(ends)[side]
    told = re.search(
        rf"^given up after {LIMIT_S} s while pass 1: .*; the {side} QEMU has not answered {command} for (\d+) s, "
        r"qemu-system-x86 \d+ is stopped: it printed nothing; if it is only slow, raise `time_limit`$",
        said,
    )
    assert told and 1 <= int(told[1]) <= LIMIT_S, said
    assert said.count("has not answered") == 1


def test_of_a_script_all_processes_are_shown(once):
    said = once(ends)["script"]
    assert re.search(r" s, wrapper \d+ is stopped, qemu-system-x86 \d+ is stopped: as ever; if", said), said


def test_a_qemu_that_is_held_by_a_lock_of_its_own_is_named(once):
    said = once(ends)["lock"]
    assert re.search(r"; the source QEMU has not answered pmemsave for \d+ s, qemu-system-x86 \d+ is sleeping: ", said)


@pytest.mark.parametrize(
    ("waiting", "command"), [(LOADED, "query-status"), (COMPARED, "cont"), (GOES_ON, "query-status")]
)
def test_the_look_at_the_guest_says_what_it_waits_for(once, waiting, command):
    """And it is not the guest that is blamed for not going on."""
    said = once(ends)[waiting]
    assert said.startswith(
        f"given up after {LIMIT_S} s while {waiting}; the destination QEMU has not answered {command} for "
    )
    assert " is stopped: " in said


@pytest.mark.alone
def test_one_that_stays_stopped_is_not_waited_for_as_long_as_the_run_may_take(tmp_path, monkeypatch):
    monkeypatch.setattr(hang, "_STOPPED_S", 2.0)
    said = asyncio.run(ended_by(tmp_path / "run", stopping("destination"), time_limit="1000"))
    assert re.search(
        r"^the destination QEMU has not answered query-status for (?:[2-9]|\d\d+) s, .* is stopped: .*; given up", said
    )


@pytest.mark.alone
def test_one_that_goes_on_in_time_is_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(hang, "_STOPPED_S", 2.5)

    async def course(run):
        await run.follow(lambda sample: sample.ram is not None and sample.ram.dirty_sync_count > 0)
        for side in (run.pair.source, run.pair.destination):
            stop(side.pid)
            await asyncio.sleep(1.5)
            assert side.silence(1.0) or side is run.pair.source
            assert [process.state for process in processes(side.pid)] == ["T"]
            os.killpg(side.pid, signal.SIGCONT)
        await run.let_complete()

    given = parse({**SLOW, "time_limit": "120"})
    verdict = asyncio.run(run_and_judge(given, tmp_path, lambda _: None, course))
    assert verdict.check("memory").code == "intact" and verdict.check("guest").code == "went-on"


def test_what_a_process_does_is_told_in_words(tmp_path):
    mine = next(process for process in processes(os.getpgrp()) if process.pid == os.getpid())
    assert mine.state in "RS" and str(mine).startswith(
        f"{Path('/proc/self/comm').read_text().strip()} {os.getpid()} is"
    )
    assert processes(2**22 + 1) == ()
