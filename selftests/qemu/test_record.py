# SPDX-License-Identifier: GPL-2.0-or-later
"""`record` on the QMP sockets of real QEMUs that somebody else has started, and of what is none."""

import asyncio
import contextlib
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.probe import find_binary
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.avocado_command import command
from ..support.lone_qemu import Qemu
from ..support.record_command import recorded, started
from ..support.waiting import HANGS_S, until


@pytest.fixture
def qemu(sockets):
    with contextlib.ExitStack() as stack:

        def start(*arguments):
            made = Qemu(sockets, *arguments)
            stack.callback(made.close)
            return made

        yield start


RUNS = 5
DELAYS_MS = (0, 1, 2, 4, 8)
"""Between two signals."""
COMMANDS = re.findall(
    r"^avocado (migdowntime record \S+) (--output recording.jsonl.*)$",
    (Path(__file__).parents[2] / "docs/stuck.md").read_text(),
    re.MULTILINE,
)


def has_samples(directory, name="trace.jsonl"):
    trace = directory / name
    return trace.exists() and trace.read_text().count("query-migrate") > 20


@pytest.mark.alone
@pytest.mark.usefixtures("nothing_left")
def test_a_migration_that_others_started_is_judged_as_they_judge_it(tmp_path, sockets):
    """Where both saw enough of it to tell: on a busy host that takes a few."""
    wrapper, qmp = tmp_path / "qemu", sockets / "second"
    wrapper.write_text(
        f'#!/bin/sh\ncase "$*" in *-incoming*|*"-machine none"*) ;; '
        f'*) set -- "$@" -qmp unix:{qmp},server=on,wait=off;; esac\nexec {find_binary(None, "x86_64")} "$@"\n'
    )
    wrapper.chmod(0o755)
    given = parse({"arch": "x86_64", "accel": "tcg", "qemu": str(wrapper), "page_size": "4K"})

    async def both(own, other):
        experiment = asyncio.create_task(expected_downtime(given, own, lambda _: None))
        while not qmp.exists() and not experiment.done():
            await asyncio.sleep(0.02)
        said = await asyncio.to_thread(recorded, other, qmp)
        return await experiment, said

    for run in range(RUNS):
        (own := tmp_path / str(run)).mkdir()
        (other := own / "other").mkdir()
        theirs, (status, said) = asyncio.run(both(own, other))
        trace = read(str(other / "trace.jsonl"))
        ours = judge(trace)
        if None not in (ours.passed, theirs.passed) and ours.passes >= theirs.passes:
            break
        qmp.unlink(missing_ok=True)
    assert status == 0, said
    assert "the migration completed" in said and "expected-downtime" in said
    assert (ours.verdict, ours.formula) == (Judgement.ACCURATE, "last-sync") and ours.passes >= theirs.passes
    assert ours.relative_error == pytest.approx(theirs.relative_error, abs=0.005)
    assert (ours.downtime_limit_ms, ours.limit_verdict) == (1, theirs.limit_verdict)
    assert ours.subject == f"{theirs.subject.partition(' pc')[0]} {trace.header['machine']}"
    assert trace.header["machine"].startswith("pc-i440fx-") and trace.header["backing_page_size"] == 4096
    assert {event.name for event in trace.events} >= {"MIGRATION", "MIGRATION_PASS", "STOP", "LIMIT_CHANGED"}
    assert any(sample.on == "MIGRATION_PASS" for sample in trace.samples)


def test_ctrl_c_ends_a_recording_and_keeps_it(tmp_path, qemu):
    source = qemu()
    source.migrate_slowly()
    process = started(tmp_path, source.socket)
    until(lambda: has_samples(tmp_path))
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=HANGS_S)[1]
    assert process.returncode == 0 and "Traceback" not in said
    trace = read(str(tmp_path / "trace.jsonl"))
    assert said.endswith(
        f"interrupted\nmigdowntime record: {len(trace.samples)} samples in trace.jsonl, "
        "the migration was still active then\n"
    )
    assert source.execute("query-migrate")["status"] == "active"


@contextlib.contextmanager
def recording(directory, sockets):
    """A recording under way, of a migration of its own."""
    directory.mkdir()
    sockets.mkdir()
    with contextlib.closing(Qemu(sockets)) as source:
        source.migrate_slowly()
        yield started(directory, source.socket)


def end_by_two_signals(directory, process, number, delay_ms):
    process.send_signal(number)
    time.sleep(delay_ms / 1000)
    process.send_signal(number)
    said = process.communicate(timeout=HANGS_S)[1]
    assert process.returncode == 0 and "Traceback" not in said and "never retrieved" not in said, said
    samples = len(read(str(directory / "trace.jsonl")).samples)
    assert said.endswith(f"{samples} samples in trace.jsonl, the migration was still active then\n")


@contextlib.contextmanager
def busy_loops(count):
    """So many processes that keep the host busy."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            spin = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
            busy = stack.enter_context(subprocess.Popen(spin, stdout=subprocess.PIPE))
            stack.callback(busy.kill)
            assert busy.stdout.readline()
        yield


@pytest.mark.alone
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_twice_beside_busy_loops_ends_it_as_well(tmp_path, sockets, number):
    """As timeout(1) sends it: to the process, and to its group. So many at once keep the host busy, too."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(DELAYS_MS)) as at_once:
        places = {delay_ms: tmp_path / str(delay_ms) for delay_ms in DELAYS_MS}
        processes = {
            delay_ms: stack.enter_context(recording(place, sockets / place.name)) for delay_ms, place in places.items()
        }
        until(lambda: all(map(has_samples, places.values())))
        stack.enter_context(busy_loops(2))
        ended = [
            at_once.submit(end_by_two_signals, place, processes[delay_ms], number, delay_ms)
            for delay_ms, place in places.items()
        ]
        for one in ended:
            one.result()


def test_a_qemu_that_stops_answering_is_told_of_and_waited_for(tmp_path, qemu):
    source = qemu()
    source.migrate_slowly()
    process = started(tmp_path, source.socket)
    until(lambda: has_samples(tmp_path))
    source.process.send_signal(signal.SIGSTOP)
    told = next(line for line in process.stderr if "has not answered" in line)
    before = (tmp_path / "trace.jsonl").read_text().count("query-migrate")
    source.process.send_signal(signal.SIGCONT)
    until(lambda: (tmp_path / "trace.jsonl").read_text().count("query-migrate") > before + 20)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=HANGS_S)[1]
    assert process.returncode == 0
    name = re.escape(str(source.socket))
    telling = rf"^migdowntime record: the QEMU at {name} has not answered query-migrate\S* for (\d+) s; "
    told_s = [int(seconds) for seconds in re.findall(telling, told + said, re.MULTILINE)]
    samples = read(str(tmp_path / "trace.jsonl")).samples
    longest_s = max(later.t_s - sample.t_s for sample, later in pairwise(samples))
    # A busy host lets it stand for longer, and then it is told of again, but never for longer than it stood.
    assert min(told_s) >= 2 and max(told_s) <= round(longest_s) + 1
    assert said.count("has not answered") == len(told_s) - 1


def test_a_qemu_that_stays_stopped_before_a_migration_is_given_up(tmp_path, qemu):
    source = qemu()
    process = started(tmp_path, source.socket, "--wait", "3")
    assert "waiting for a migration to begin" in process.stderr.readline()
    source.process.send_signal(signal.SIGSTOP)
    said = process.communicate(timeout=HANGS_S)[1]
    assert process.returncode == 2 and said.splitlines()[-1].endswith(
        ", so no migration was seen within 3 s; check whether it is stopped or hangs, or use a larger --wait"
    )
    assert f"the QEMU at {source.socket} has not answered query-migrate for" in said.splitlines()[-1]


def test_a_qemu_that_goes_half_way_leaves_the_trace_up_to_there(tmp_path, qemu):
    source = qemu()
    source.migrate_slowly()
    process = started(tmp_path, source.socket, "--quiet")
    until(lambda: has_samples(tmp_path))
    source.process.kill()
    said = process.communicate(timeout=HANGS_S)[1]
    assert process.returncode == 1
    assert said == f"migdowntime record: the connection to {source.socket} was lost; what was recorded is kept\n"
    assert read(str(tmp_path / "trace.jsonl")).samples[-1].status == "active"


def test_a_cancelled_migration_is_recorded_to_its_end_and_nothing_is_changed(tmp_path, qemu):
    source = qemu()
    process = started(tmp_path, source.socket)
    assert "waiting for a migration to begin" in process.stderr.readline()
    source.migrate_slowly()
    asked = [source.execute(f"query-migrate-{what}") for what in ("parameters", "capabilities")]
    until(lambda: has_samples(tmp_path))
    assert [source.execute(f"query-migrate-{what}") for what in ("parameters", "capabilities")] == asked
    source.execute("migrate_cancel")
    said = process.communicate(timeout=HANGS_S)[1]
    assert process.returncode == 1 and "the migration cancelled" in said
    trace = read(str(tmp_path / "trace.jsonl"))
    assert trace.samples[-1].status == "cancelled" and trace.capabilities == ()


def test_another_limit_on_the_way_is_noted_with_the_time_since_which_it_may_hold(tmp_path, qemu):
    source = qemu()
    source.migrate_slowly()
    process = started(tmp_path, source.socket)
    until(lambda: has_samples(tmp_path))
    source.execute("migrate-set-parameters", **{"downtime-limit": 1234})
    until(lambda: "LIMIT_CHANGED" in (tmp_path / "trace.jsonl").read_text())
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=HANGS_S)
    trace = read(str(tmp_path / "trace.jsonl"))
    (changed,) = (event for event in trace.events if event.name == "LIMIT_CHANGED")
    assert trace.downtime_limit_ms == 300 and changed.data["downtime-limit"] == 1234
    before = Evidence.of(trace).undisturbed.samples
    assert 0 < len(before) < len(trace.samples) and before[-1].t_s < changed.since_s < changed.t_s


def test_without_a_migration_there_is_a_sentence_and_no_file(tmp_path, qemu):
    source = qemu()
    status, said = recorded(tmp_path, source.socket, "--wait", "0.3", "--quiet")
    assert (status, said.count("\n")) == (2, 1)
    assert f"no migration was running on {source.socket} within 0.3 s; start one, or use a larger --wait" in said
    assert not (tmp_path / "trace.jsonl").exists()


def test_a_destination_is_told_from_a_source(tmp_path, qemu):
    status, said = recorded(tmp_path, qemu("-incoming", "defer").socket)
    assert status == 2 and "is a destination, which computes no expected downtime; give the source" in said


def test_the_commands_of_the_readme_record(tmp_path, qemu):
    assert [where.split()[-1] for where, _ in COMMANDS] == ["/run/qemu/qmp.sock", "localhost:4444"]
    source = qemu()
    source.migrate_slowly()
    for _, options in COMMANDS:
        line, environment = command(tmp_path, "migdowntime", "record", str(source.socket), *options.split())
        process = subprocess.Popen(line, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
        until(lambda: has_samples(tmp_path, "recording.jsonl"))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=HANGS_S)
        assert process.returncode == 0
        (tmp_path / "recording.jsonl").unlink()


def test_a_port_is_as_good_as_a_path(tmp_path, qemu):
    source = qemu("-qmp", "tcp:127.0.0.1:0,server=on,wait=off")
    listening = [each["filename"] for each in source.execute("query-chardev") if "tcp:" in each["filename"]]
    port = listening[0].split(":")[-1].split(",")[0]
    status, said = recorded(tmp_path, f"127.0.0.1:{port}", "--wait", "0")
    assert status == 2 and f"no migration was running on 127.0.0.1:{port} within 0 s" in said
