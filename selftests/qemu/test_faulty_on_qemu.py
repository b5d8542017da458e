# SPDX-License-Identifier: GPL-2.0-or-later
"""What puts a fault between a QEMU and its user, with a real QEMU without a machine."""

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from avocado_migdowntime.cli import faulty as command
from avocado_migdowntime.qemu.probe import find_binary, probe

from ..support.waiting import HANGS_S, until

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
            process.communicate(timeout=HANGS_S)
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


def wait_until_gone(directory):
    until(lambda: not handing_on(directory), "the end of what hands on", 0.05)


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
    user = None

    def connected():
        nonlocal user
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except OSError:
            connection.close()
            return False
        user = User(connection)
        return True

    until(connected, f"a QEMU that listens on {path}", 0.05)
    return user


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
    wait_until_gone(sockets)


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
    assert process.wait(HANGS_S) == 0
    wait_until_gone(sockets)
    assert not path.exists()


def test_the_process_is_qemu_itself_and_what_hands_on_ends_with_it(faulty, started, sockets):
    path = sockets / "qmp"
    process = started(faulty("none"), *MACHINE, *listening("qmp", path))
    reached(path)
    assert Path(f"/proc/{process.pid}/exe").resolve().name == Path(find_binary(None, "ppc64")).resolve().name
    (child,) = (pid for pid in handing_on(sockets))
    assert os.getpgid(child) == process.pid
    os.kill(process.pid, signal.SIGKILL)
    wait_until_gone(sockets)


def test_a_killed_group_leaves_nothing(faulty, started, sockets):
    path = sockets / "qmp"
    process = started(faulty("none"), *MACHINE, *listening("chardev", path))
    reached(path)
    os.killpg(process.pid, signal.SIGKILL)
    wait_until_gone(sockets)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-qmp", "stdio"], "QMP is at 'stdio', and a fault needs -qmp unix:PATH"),
        (
            ["-mon", "chardev=x,mode=control", "-chardev", "pipe,id=x,path=/y"],
            "QMP is at the chardev 'x', and a fault needs",
        ),
        (["-qmp", "unix:/a", "-qmp", "unix:/b"], "QEMU is given several QMP monitors"),
        (["-qmp", "unix:/nowhere/qmp"], "the QMP socket /nowhere/qmp cannot be connected to: No such file"),
        (["-qmp", "unix:/nowhere/qmp,server=on"], "the QMP socket /nowhere/qmp cannot be made: No such file"),
    ],
)
def test_a_monitor_that_cannot_be_stood_between_is_named(faulty, arguments, says):
    done = subprocess.run([faulty("kb"), *MACHINE, *arguments], capture_output=True, text=True)
    assert done.returncode == 1 and says in done.stderr and "with the fault kb: " in done.stderr
    assert done.stderr.count("\n") == 1
