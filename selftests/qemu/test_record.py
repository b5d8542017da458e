# SPDX-License-Identifier: GPL-2.0-or-later
"""`record` on the QMP sockets of real QEMUs that somebody else has started, and of what is none."""

import asyncio
import contextlib
import json
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.probe import find_binary
from avocado_migdowntime.record import attached
from avocado_migdowntime.record.attached import page_size_of
from avocado_migdowntime.trace.file import read
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.avocado_command import command
from ..support.lone_qemu import Qemu, until


@pytest.fixture
def qemu(sockets):
    with contextlib.ExitStack() as stack:

        def start(*arguments):
            made = Qemu(sockets, *arguments)
            stack.callback(made.end)
            return made

        yield start


COMMANDS = re.findall(
    r"^avocado (migdowntime record \S+) (--output trace.jsonl.*)$",
    (Path(__file__).parents[2] / "README.md").read_text(),
    re.MULTILINE,
)


def started(directory, source, *arguments):
    line, environment = command(directory, "migdowntime", "record", str(source), "-o", "trace.jsonl", *arguments)
    return subprocess.Popen(line, cwd=directory, env=environment, stderr=subprocess.PIPE, text=True)


def recorded(directory, source, *arguments):
    process = started(directory, source, *arguments)
    said = process.communicate(timeout=60)[1]
    assert "Traceback" not in said
    return process.returncode, said


def has_samples(directory):
    trace = directory / "trace.jsonl"
    return trace.exists() and trace.read_text().count("query-migrate") > 20


@pytest.mark.usefixtures("nothing_left")
def test_a_migration_that_others_started_is_judged_as_they_judge_it(tmp_path, sockets):
    wrapper, qmp = tmp_path / "qemu", sockets / "second"
    wrapper.write_text(
        f'#!/bin/sh\ncase "$*" in *-incoming*|*"-machine none"*) ;; '
        f'*) set -- "$@" -qmp unix:{qmp},server=on,wait=off;; esac\nexec {find_binary(None, "x86_64")} "$@"\n'
    )
    wrapper.chmod(0o755)
    own = tmp_path / "own"
    own.mkdir()
    given = parse({"arch": "x86_64", "accel": "tcg", "qemu": str(wrapper), "page_size": "4K"})

    async def both():
        experiment = asyncio.create_task(expected_downtime(given, own, lambda _: None))
        while not qmp.exists() and not experiment.done():
            await asyncio.sleep(0.02)
        said = await asyncio.to_thread(recorded, tmp_path, qmp)
        return await experiment, said

    theirs, (status, said) = asyncio.run(both())
    assert status == 0, said
    assert "the migration completed" in said and "expected-downtime" in said
    trace = read(str(tmp_path / "trace.jsonl"))
    ours = judge(trace)
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
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0 and "Traceback" not in said
    trace = read(str(tmp_path / "trace.jsonl"))
    assert f"interrupted\nmigdowntime record: {len(trace.samples)} samples in trace.jsonl, the migration cut" in said
    assert source.execute("query-migrate")["status"] == "active"


def test_a_qemu_that_goes_half_way_leaves_the_trace_up_to_there(tmp_path, qemu):
    source = qemu()
    source.migrate_slowly()
    process = started(tmp_path, source.socket, "--quiet")
    until(lambda: has_samples(tmp_path))
    source.process.kill()
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert said == f"migdowntime record: the connection to {source.socket} has gone; what was recorded is kept\n"
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
    said = process.communicate(timeout=60)[1]
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
    process.communicate(timeout=60)
    trace = read(str(tmp_path / "trace.jsonl"))
    (changed,) = (event for event in trace.events if event.name == "LIMIT_CHANGED")
    assert trace.downtime_limit_ms == 300 and changed.data["downtime-limit"] == 1234
    before = Evidence.of(trace).undisturbed.samples
    assert 0 < len(before) < len(trace.samples) and before[-1].t_s < changed.since_s < changed.t_s


def test_without_a_migration_there_is_a_sentence_and_no_file(tmp_path, qemu):
    source = qemu()
    status, said = recorded(tmp_path, source.socket, "--wait", "0.3", "--quiet")
    assert (status, said.count("\n")) == (2, 1)
    assert f"no migration was running on {source.socket} within 0.3 s; start it, or --wait longer" in said
    assert not (tmp_path / "trace.jsonl").exists()


def test_a_destination_is_told_from_a_source(tmp_path, qemu):
    status, said = recorded(tmp_path, qemu("-incoming", "defer").socket)
    assert status == 2 and "is a destination, which knows of no expected downtime; give the source" in said


def test_the_commands_of_the_readme_record(tmp_path, qemu):
    assert [where.split()[-1] for where, _ in COMMANDS] == ["/run/qemu/qmp.sock", "localhost:4444"]
    source = qemu()
    source.migrate_slowly()
    for _, options in COMMANDS:
        line, environment = command(tmp_path, "migdowntime", "record", str(source.socket), *options.split())
        process = subprocess.Popen(line, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
        until(lambda: has_samples(tmp_path))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 0
        (tmp_path / "trace.jsonl").unlink()


def test_a_port_is_as_good_as_a_path(tmp_path, qemu):
    source = qemu("-qmp", "tcp:127.0.0.1:0,server=on,wait=off")
    listening = [each["filename"] for each in source.execute("query-chardev") if "tcp:" in each["filename"]]
    port = listening[0].split(":")[-1].split(",")[0]
    status, said = recorded(tmp_path, f"127.0.0.1:{port}", "--wait", "0")
    assert status == 2 and f"no migration was running on 127.0.0.1:{port} within 0 s" in said


@contextlib.contextmanager
def served(path, talk):
    """Something that listens at `path` and does `talk` with whoever comes."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve():
            with contextlib.suppress(OSError), listener.accept()[0] as connection:
                talk(connection)

        server = threading.Thread(target=serve)
        server.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
    server.join()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (b"hello\n", "does not speak QMP"),
        (b'{"a": 1}\n', "does not speak QMP"),
        (b"", "sends no QMP greeting within"),
    ],
)
def test_a_socket_that_is_none_of_qmp_is_refused(words, expected, sockets, monkeypatch):
    monkeypatch.setattr(attached, "_GREETING_S", 0.5)

    async def attach():
        async with attached.AttachedQemu(str(sockets / "other")):
            raise AssertionError("this is no QEMU")

    def talk(connection):
        connection.sendall(words)
        connection.recv(1 << 16)

    with served(sockets / "other", talk), pytest.raises(attached.UsageError, match=expected) as caught:
        asyncio.run(attach())
    assert "\n" not in str(caught.value)


def answering(client, answers):
    """Speaks QMP with who is connected, but answers what is no QEMU's."""
    version = {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}
    client.sendall(json.dumps({"QMP": {"version": version, "capabilities": []}}).encode() + b"\n")
    while data := client.recv(1 << 16):
        asked = json.loads(data)
        answer = {"return": answers.get(asked["execute"], {}), **({"id": asked["id"]} if "id" in asked else {})}
        client.sendall(json.dumps(answer).encode() + b"\n")


RUNNING = {"query-status": {"status": "running"}}


@pytest.mark.parametrize(
    ("answers", "command"),
    [
        ({}, "query-status"),
        ({"query-status": []}, "query-status"),
        ({**RUNNING, "query-migrate": {"status": ["active"]}}, "query-migrate"),
        ({**RUNNING, "query-migrate": {"status": "active"}}, "query-target"),
    ],
)
def test_what_speaks_qmp_and_is_no_qemu_is_refused(answers, command, sockets, tmp_path):
    with served(sockets / "other", lambda client: answering(client, answers)):
        status, said = recorded(tmp_path, sockets / "other", "--wait", "1")
    assert (status, said.count("\n")) == (2, 1) and not (tmp_path / "trace.jsonl").exists()
    assert f"{sockets / 'other'} answers {command} with " in said and "as no QEMU does" in said


@pytest.mark.parametrize("source", ["nowhere", "trace", "127.0.0.1:1", "127.0.0.1:65536", "/tmp/" + "x" * 120])
def test_where_nobody_listens_it_is_said(source, tmp_path):
    (tmp_path / "trace").touch()
    status, said = recorded(tmp_path, source)
    assert (status, said.count("\n")) == (2, 1)
    assert f"{source}: " in said and "expected the QMP socket of a running QEMU, PATH or HOST:PORT" in said


def test_the_page_size_is_that_of_the_largest_block():
    blocks = """              Block Name    PSize              Offset               Used              Total
                     ram    2 MiB  0x0000000000000000 0x0000000010000000 0x0000000010000000
    0000:00:02.0/vga.vram    4 KiB  0x0000000010000000 0x0000000001000000 0x0000000001000000
"""
    assert page_size_of(blocks) == 2 << 20
    assert page_size_of("no blocks\n") is None
