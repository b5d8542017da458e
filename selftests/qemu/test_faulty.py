# SPDX-License-Identifier: GPL-2.0-or-later
"""What puts a fault between a QEMU and its user: arguments, bytes, processes, on a real QEMU without a machine."""

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.cli import faulty as command
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.faults.catalogue import KINDS
from avocado_migdowntime.faulty import monitors
from avocado_migdowntime.faulty.framing import Framing
from avocado_migdowntime.faulty.launcher import MARK
from avocado_migdowntime.qemu.probe import find_binary, probe

MACHINE = ["-machine", "none", "-nodefaults", "-display", "none"]


def run(*arguments):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(list(map(str, arguments))))


@pytest.fixture
def faulty(sockets):
    def make(fault):
        path = sockets / "faulty"
        assert run(fault, "--output", path) == 0
        return str(path)

    return make


@pytest.fixture
def started():
    """Start programs; all of them have to end by themselves, or by what the test does."""
    processes = []

    def start(*line, **more):
        more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        processes.append(subprocess.Popen(line, process_group=0, **more))
        return processes[-1]

    yield start
    for process in processes:
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise


def handing_on(directory):
    """The processes that hand on QMP for a launcher in this directory or with a socket there."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if b"faulty.launcher" in line and str(directory).encode() in line:
            found.append(int(path.parent.name))
    return found


def gone(directory):
    until = time.monotonic() + 10
    while handing_on(directory) and time.monotonic() < until:
        time.sleep(0.05)
    return not handing_on(directory)


class User:
    """A QMP user that is as plain as can be."""

    def __init__(self, connection):
        self._file = connection.makefile("rw")
        self.greeting = self.read()
        assert "QMP" in self.greeting, self.greeting

    def read(self):
        return json.loads(self._file.readline())

    def ask(self, execute, **arguments):
        self._file.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
        self._file.flush()
        while "event" in (answer := self.read()):
            pass
        return answer.get("return", answer)


def reached(path):
    """A user that connects to a QEMU which listens."""
    until = time.monotonic() + 10
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
            return User(connection)
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)


LISTENING = ["qmp", "chardev"]


def listening(kind, path):
    if kind == "qmp":
        return ["-qmp", f"unix:{path},server=on,wait=off"]
    return ["-chardev", f"socket,id=m,path={path},server,nowait", "-mon", "m,mode=control"]


def test_the_harness_finds_behind_it_what_it_finds_in_the_real_one(faulty, sockets, tmp_path):
    real = find_binary(None, "ppc64")
    found = asyncio.run(probe(faulty("none"), tmp_path, sockets))
    assert found.release == asyncio.run(probe(real, tmp_path, sockets)).release
    assert found.arch == "ppc64" and "pseries" in found.machines
    assert gone(sockets)


@pytest.mark.parametrize("options", [["-version"], ["-machine", "help"]])
def test_what_needs_no_monitor_is_answered_by_the_real_one(faulty, options):
    outputs = [
        subprocess.run([b, *options], capture_output=True, check=True).stdout
        for b in (faulty("kb"), find_binary(None, "ppc64"))
    ]
    assert outputs[0] == outputs[1] != b""


@pytest.mark.parametrize("kind", LISTENING)
def test_a_qemu_that_listens_is_reached_through_the_fault_as_often_as_one_likes(faulty, started, sockets, kind):
    path = sockets / "qmp"
    process = started(faulty("limit-factor=2"), *MACHINE, *listening(kind, path))
    for limit_ms in (500, 700):
        user = reached(path)
        assert user.greeting["QMP"]["version"]["qemu"]["major"] >= 5
        assert user.ask("qmp_capabilities") == {}
        assert user.ask("migrate-set-parameters", **{"downtime-limit": limit_ms}) == {}
        assert user.ask("query-migrate-parameters")["downtime-limit"] == limit_ms
        user._file.close()
    unseen = reached(path)
    unseen.ask("qmp_capabilities")
    # A fault remembers nothing from one connection to the next: this one sees what QEMU really has.
    assert unseen.ask("query-migrate-parameters")["downtime-limit"] == 1400
    assert "error" in unseen.ask("nonsense")
    unseen.ask("quit")
    assert process.wait(10) == 0
    assert gone(sockets) and not path.exists()


def test_the_process_is_qemu_itself_and_what_hands_on_ends_with_it(faulty, started, sockets):
    path = sockets / "qmp"
    process = started(faulty("none"), *MACHINE, *listening("qmp", path))
    reached(path)
    assert Path(f"/proc/{process.pid}/exe").resolve().name == Path(find_binary(None, "ppc64")).resolve().name
    (child,) = (pid for pid in handing_on(sockets))
    assert os.getpgid(child) == process.pid
    os.kill(process.pid, signal.SIGKILL)
    assert gone(sockets)


def test_a_killed_group_leaves_nothing(faulty, started, sockets):
    path = sockets / "qmp"
    process = started(faulty("none"), *MACHINE, *listening("chardev", path))
    reached(path)
    os.killpg(process.pid, signal.SIGKILL)
    assert gone(sockets)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-qmp", "stdio"], "QMP is at 'stdio', where a fault needs -qmp unix:PATH"),
        (["-mon", "chardev=x,mode=control", "-chardev", "pipe,id=x,path=/y"], "QMP is at the chardev 'x', where"),
        (["-qmp", "unix:/a", "-qmp", "unix:/b"], "QEMU is given several QMP monitors"),
        (["-qmp", "unix:/nowhere/qmp"], "the QMP socket /nowhere/qmp cannot be connected to: No such file"),
        (["-qmp", "unix:/nowhere/qmp,server=on"], "the QMP socket /nowhere/qmp cannot be made: No such file"),
    ],
)
def test_a_monitor_that_cannot_be_stood_between_is_named(faulty, arguments, says):
    done = subprocess.run([faulty("kb"), *MACHINE, *arguments], capture_output=True, text=True)
    assert done.returncode == 1 and says in done.stderr and "with the fault kb: " in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_qemu_that_is_gone_is_named(faulty, tmp_path):
    other = tmp_path / "qemu"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    launcher = tmp_path / "launcher"
    assert run("kb", "--qemu", other, "--output", launcher) == 0
    other.unlink()
    done = subprocess.run([launcher], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"{other} with the fault kb: No such file or directory\n")


OWN = "-chardev socket,{}id=faulty-qmp,fd=9 -mon chardev=faulty-qmp,mode=control"
IN_FULL = "-mon chardev=c,mode=control,id=x -chardev socket,id=c,path=/a,reconnect=1,logfile=/l,,m -m 1G"
BARE = "-chardev socket,id=c,path=/a,server,nowait -mon c,mode=control"


@pytest.mark.parametrize(
    ("arguments", "path", "listens", "rewritten"),
    [
        ("-m 1G -qmp unix:/a,,b", "/a,b", False, f"-m 1G {OWN.format('')}"),
        ("--qmp-pretty unix:path=/a,server=on", "/a", True, f"{OWN.format('server=on,')},pretty=on"),
        (IN_FULL, "/a", False, IN_FULL.replace("path=/a,reconnect=1,logfile=/l,,m", "logfile=/l,,m,fd=9")),
        (BARE, "/a", True, BARE.replace("path=/a,server,nowait", "server=on,wait=off,fd=9")),
    ],
)
def test_the_monitor_is_found_in_the_arguments_and_replaced(arguments, path, listens, rewritten):
    found = monitors.find(arguments.split())
    assert (found.path, found.listens) == (path, listens)
    assert " ".join(found.with_descriptor(9)) == rewritten


@pytest.mark.parametrize(
    "arguments", [[], ["-qmp"], ["-mon", "chardev=c"], ["-monitor", "stdio"], ["-chardev", "socket,id=c,path=/a"]]
)
def test_without_a_qmp_monitor_there_is_nothing_to_replace(arguments):
    assert monitors.find(arguments) is None


MESSAGES = st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=4), max_size=6)


@given(MESSAGES, st.sampled_from(["\r\n", "", "\n", " \n\n"]), st.integers(1, 50))
def test_messages_are_cut_anywhere_and_none_of_their_bytes_lost(messages, between, chunk):
    stream = b"".join(json.dumps(m, ensure_ascii=False).encode() + between.encode() for m in messages)
    framing, found = Framing(), []
    for begin in range(0, len(stream), chunk):
        found += framing.feed(stream[begin : begin + chunk])
    assert [message for _, message in found if message is not None] == messages
    assert b"".join(raw for raw, _ in found).strip() == stream.strip()


def test_a_line_that_is_no_json_is_handed_on_as_it_is():
    framing = Framing()
    assert list(framing.feed(b'{"a": 1}{nonsense}\n')) == [(b'{"a": 1}', {"a": 1}), (b"{nonsense}\n", None)]
    assert list(framing.feed(b'{"b": 2}')) == [(b'{"b": 2}', {"b": 2})]


def test_the_list_has_a_sentence_for_each_fault(capsys):
    assert run("--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0].partition("=")[0] for line in lines] == list(KINDS)
    assert "factor=FACTOR         expected-downtime is so many times the right one" in lines


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["kb"], "give a FAULT and --output FILE, or --list"),
        (["frost", "--output", "new"], "unknown fault 'frost'"),
        (["kb", "--output", "/nowhere/new"], "/nowhere/new: the launcher cannot be written: No such file or directory"),
        (["kb", "--output", "mine"], "mine exists and is no launcher of this kind; give another name with --output"),
        (["kb", "--output", "new", "--qemu", "/no/such"], "the QEMU binary /no/such does not exist"),
    ],
)
def test_what_cannot_be_made_is_said_in_a_sentence(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine").write_text("precious")
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"migdowntime faulty: {says}") and captured.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["mine"] and Path("mine").read_text() == "precious"


def test_one_launcher_takes_the_place_of_another(tmp_path):
    path = tmp_path / "launcher"
    for fault in ("kb", "frozen"):
        assert run(fault, "--output", path) == 0
    assert MARK in path.read_text() and " frozen " in path.read_text()
    with pytest.raises(UsageError):
        monitors.find(["-qmp", "tcp:localhost:1"])
