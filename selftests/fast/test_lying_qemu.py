# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that is none, or a mad one: whatever it says, does and leaves behind, it is a sentence, and in time."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from avocado_migdowntime.errors import HarnessError, MigDowntimeError, UsageError
from avocado_migdowntime.experiments.run import run_and_judge
from avocado_migdowntime.host.process_group import Process
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu import pair
from avocado_migdowntime.qemu.far_place import FarPlace
from avocado_migdowntime.qemu.launching import HERE
from avocado_migdowntime.qemu.probe import probe
from avocado_migdowntime.qemu.process import QemuProcess
from avocado_migdowntime.remote.ssh import Connected

from ..support.made_up_qemu import PROBED, made_up_qemu
from ..support.waiting import HANGS_S


class Kernel:
    """What a launcher knows of its host's kernel."""

    def __init__(self, has_filters):
        self.has_filters = has_filters


WITH, WITHOUT = Kernel(True), Kernel(False)


class Other:
    """Another host that has told of its kernel."""

    name = "lab1"

    def __init__(self, filters):
        self.facts = {"identity": "", "machine": "x86_64", "page_bytes": 4096, "kvm": False, "filters": filters}


def version(**parts):
    return {"qemu": {"major": 7, "minor": 2, "micro": 0, **parts}, "package": ""}


def probed(tmp_path, sockets, answers=PROBED, first=""):
    return asyncio.run(probe(made_up_qemu(tmp_path / "mad", answers, first), tmp_path, sockets))


def test_one_that_answers_as_documented_is_taken_at_its_word(tmp_path, sockets):
    found = probed(tmp_path, sockets)
    assert (found.release, found.arch, found.backed_machines) == ((7, 2, 0), "x86_64", {"pc"})
    assert found.confinement(WITH)[0] == "-sandbox" and "spawn=deny" in found.confinement(WITH)[1]
    assert "spawn" not in found.confinement(WITH, spawning=True)[1]


@pytest.mark.parametrize("answer", [{"error": {"class": "GenericError", "desc": "Invalid parameter 'sandbox'"}}, []])
def test_one_that_was_built_without_a_sandbox_is_started_without(tmp_path, sockets, answer):
    assert probed(tmp_path, sockets, {**PROBED, "query-command-line-options": answer}).confinement(WITH) == ()


def test_the_kernel_that_it_is_to_run_on_has_the_filters_of_a_sandbox_or_it_is_started_without(tmp_path, sockets):
    """That of another host is asked there, and nothing of a kernel is remembered of a QEMU."""
    found = probed(tmp_path, sockets)
    assert found.confinement(WITHOUT) == found.confinement(WITHOUT, spawning=True) == ()
    for filters in (True, False):
        place = FarPlace(Connected(Other(filters), *4 * [""]), "source", "qemu")
        assert bool(found.confinement(place.launcher)) == filters
    assert HERE.has_filters == Path("/proc/sys/kernel/seccomp/actions_avail").exists()


class Stopped:
    """A launcher on another host, and what it started there: a process that a signal has stopped."""

    pid, returncode, lost, name, has_filters = 7, None, "", "lab1", True

    def path(self, socket):
        return "/run/qmp"

    async def launch(self, name, command, socket, stdout, stderr, network):
        self._over = asyncio.Event()
        return self

    async def wait(self):
        await self._over.wait()

    def kill(self):
        self._over.set()

    def processes(self):
        return (Process(7, "qemu-system-x86", "T"),)


def test_what_a_process_of_another_host_does_is_told_with_the_host(tmp_path, sockets):
    async def start():
        async with QemuProcess("source", "q", (), tmp_path, sockets, launcher=Stopped(), speaks_within_s=0.01):
            pytest.fail("it has spoken")

    said = "^source QEMU did not speak QMP within 0.01 s, qemu-system-x86 7 is stopped on lab1: it printed nothing$"
    with pytest.raises(HarnessError, match=said):
        asyncio.run(start())


@pytest.mark.parametrize(
    ("command", "answer", "says"),
    [
        ("query-version", [], "with [], which no QEMU does: expected `object`, got `array`"),
        ("query-version", {}, "with {}, which no QEMU does: object missing required field `qemu`"),
        ("query-version", None, None),
        ("query-version", {"qemu": 7, "package": ""}, "expected `object`, got `int` at `$.qemu`"),
        ("query-version", version(major="7"), "expected `int`, got `str` at `$.qemu.major`"),
        ("query-version", version(minor=[2]), "expected `int`, got `array` at `$.qemu.minor`"),
        ("query-version", version(micro=10**4000), "at `$.qemu.micro`"),
        ("query-version", version(micro=-1), "expected `int` >= 0 at `$.qemu.micro`"),
        ("query-target", {"arch": 5}, "expected `str`, got `int` at `$.arch`"),
        ("query-target", {"arch": "x" * 201}, "expected `str` of length <= 200 at `$.arch`"),
        ("query-machines", {}, "expected `array`, got `object`"),
        ("query-machines", [{"name": {}}], "expected `str`, got `object` at `$[0].name`"),
        ("query-machines", ["pc"], "expected `object`, got `str` at `$[0]`"),
        ("query-kvm", {"enabled": "no"}, "expected `bool`, got `str` at `$.enabled`"),
        ("query-migrate-parameters", [1], "expected `object`, got `array`"),
        ("query-migrate-parameters", {"downtime-limit": "1"}, "at `$.downtime-limit`"),
        ("query-qmp-schema", {}, "expected `array`, got `object`"),
        ("query-qmp-schema", [{"name": "x"}], "object missing required field `meta-type` at `$[0]`"),
        (
            "query-qmp-schema",
            [],
            "query-qmp-schema lacks 'migrate-set-parameters', which every QEMU with",
        ),
        ("query-migrate-capabilities", [[]], "expected `object`, got `array` at `$[0]`"),
        ("query-migrate-capabilities", [{"capability": "x"}], "object missing required field `state` at `$[0]`"),
    ],
)
def test_an_answer_that_is_none_is_named_with_its_command(tmp_path, sockets, command, answer, says):
    if says is None:
        answer, says = {"error": {"class": "GenericError", "desc": "a\udcff"}}, "refused query-version: a\udcff"
    with pytest.raises(UsageError) as caught:
        probed(tmp_path, sockets, {**PROBED, command: answer})
    said = str(caught.value)
    assert says in said and command in said and len(said) < 500
    assert said.startswith(f"{tmp_path / 'mad'} did not answer as a QEMU does (")


@pytest.mark.parametrize(
    "answer", ["[" * 200_000, '{"return":{}}' * 3, '{"return":', "\0\0\n", "nonsense\n", '{"event":1}\n']
)
def test_what_is_no_answer_is_a_sentence_too(tmp_path, sockets, answer):
    first = f"""
with socket.socket(socket.AF_UNIX) as client:
    client.connect(at.removeprefix("socket,id=qmp,path="))
    client.sendall(b'{{"QMP":{{"version":{{}},"capabilities":[]}}}}\\n')
    client.recv(1000)
    client.sendall({answer.encode()!r})
    client.shutdown(socket.SHUT_WR)
    client.recv(1000)
sys.exit()
"""
    with pytest.raises(UsageError, match="^[^\n]*did not answer as a QEMU does"):
        probed(tmp_path, sockets, first=first)


def test_of_what_it_prints_the_beginning_and_the_end_are_kept(tmp_path, sockets):
    first = "sys.stderr.write('first' + 20_000_000 * 'x' + '\\nlast words\\n'); sys.stderr.flush(); sys.exit(3)"
    with pytest.raises(UsageError, match="ended with status 3 at its start: last words"):
        probed(tmp_path, sockets, first=first)
    (kept,) = (path.read_bytes() for path in tmp_path.glob("*.stderr"))
    assert kept.startswith(b"firstxxx") and kept.endswith(b"xxx\nlast words\n") and len(kept) < 2_200_000
    left_out = 20_000_017 - (2 << 20)
    assert f"x\n[{left_out} bytes are left out]\nx".encode() in kept


def test_so_of_what_comes_over_its_serial_line(tmp_path, sockets):
    first = "sys.stdout.write('hello\\n' + 20_000_000 * 'x' + 'bye'); sys.stdout.flush()"

    async def talk():
        binary = made_up_qemu(tmp_path / "mad", PROBED, first)
        async with QemuProcess("mad", binary, (), tmp_path, sockets) as qemu:
            assert await qemu.line("hel") == "hello"

    asyncio.run(talk())
    kept = (tmp_path / "mad.serial").read_bytes()
    assert kept.startswith(b"hello\nxxx") and kept.endswith(b"xbye") and len(kept) < 2_200_000


STRAY = """
import subprocess
stray = subprocess.Popen(["sleep", "60"], start_new_session=True)
open({told!r}, "w").write(str(stray.pid))
"""


@contextlib.contextmanager
def no_stray(told):
    try:
        yield
    finally:
        os.kill(int(told.read_text()), signal.SIGKILL)


def test_what_it_left_behind_is_not_waited_for(tmp_path, sockets):
    """A process in a session of its own holds the pipes; the end is that of the QEMU."""
    told = tmp_path / "told"
    with no_stray(told):
        began_s = time.monotonic()
        assert probed(tmp_path, sockets, first=STRAY.format(told=str(told))).arch == "x86_64"
        assert time.monotonic() - began_s < 30
        assert Path(f"/proc/{told.read_text()}").exists()


def test_nor_by_who_waits_for_a_word_of_the_guest(tmp_path, sockets):
    told = tmp_path / "told"
    first = STRAY.format(told=str(told))

    async def wait():
        binary = made_up_qemu(tmp_path / "mad", {**PROBED, "quit": {}}, first)
        async with QemuProcess("mad", binary, (), tmp_path, sockets) as qemu:
            line = asyncio.ensure_future(qemu.line("hello"))
            await asyncio.sleep(0)
            os.kill(qemu.pid, signal.SIGKILL)
            async with asyncio.timeout(HANGS_S):
                await line

    with no_stray(told), pytest.raises(HarnessError, match="was ended by SIGKILL before the guest had reported"):
        asyncio.run(wait())


CLOSES = """
with socket.socket(socket.AF_UNIX) as client:
    client.connect(at.removeprefix("socket,id=qmp,path="))
    client.sendall(b'{"QMP": {"version": {}, "capabilities": []}}\\n')
    client.recv(1000)
    client.sendall(b'{"return": {}}\\n')
    client.recv(1000)
time.sleep(60)
"""


def test_one_that_closes_its_connection_and_goes_on_is_told_of_at_once(tmp_path, sockets):
    """Its end, which would be told, is waited for meanwhile; a run that is out of time then says what was seen."""

    async def ask():
        binary = made_up_qemu(tmp_path / "mad", PROBED, CLOSES)
        async with asyncio.timeout(HANGS_S), QemuProcess("mad", binary, (), tmp_path, sockets) as qemu:
            asking = asyncio.ensure_future(qemu.execute("query-status"))
            while (said := qemu.silence(50)) is None:
                await asyncio.sleep(0.01)
            assert not asking.done()
            asking.cancel()
            return said

    said = asyncio.run(ask())
    assert said.startswith("the mad QEMU closed its QMP connection during query-status, ")


MIGRATES = {
    **PROBED,
    "query-migrate-parameters": {"downtime-limit": 300, "max-bandwidth": 1_000_000},
    "query-migrate": {**PROBED["query-migrate"], "socket-address": [{"port": "1"}]},
}
SPEAKS = "print('migdowntime: ready\\nmigdowntime: dirtying', flush=True)"
MIGRATION = {
    **{"arch": "x86_64", "accel": "tcg", "page_size": "4K", "ram": "64M", "region": "16M", "time_limit": "60"},
    **{"max_bandwidth": "1000000", "downtime_limit": "300", "integrity": "no"},
}
BRIEFLY = {"time_limit": "3"}
"""Where a run goes on for as long as it may."""


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("lie", "says"),
    [
        ({"migrate": {"error": {"class": "a", "desc": "b\udcff\n\x1b[2Jc"}}}, "source QEMU refused migrate: b\udcff\n"),
        ({"query-migrate-parameters": {"max-bandwidth": 1}}, "QEMU says that its max-bandwidth is 1 in its answer"),
        ({"query-migrate-parameters": {"max-bandwidth": 1_000_000}}, "QEMU says nothing of its 'downtime-limit' in"),
        ({"migrate-set-capabilities": {"error": {}}}, "during migrate-set-capabilities"),
        ({"migrate-incoming": None, **BRIEFLY}, "the destination QEMU has not answered migrate-incoming for"),
        ({"query-migrate": None, **BRIEFLY}, "the source QEMU has not answered query-migrate for"),
        ({"query-migrate": []}, "the source QEMU answers query-migrate with [], which no QEMU does: expected `object`"),
        ({"query-migrate": {"status": "failed", "error-desc": 5}}, "expected `str`, got `int` at `$.error-desc`"),
        (
            {"query-migrate": {"status": "failed", "error-desc": "a\x1b"}},
            "the migration ended as failed: a\x1b; the destination",
        ),
        ({"query-migrate": {"status": "active"}}, "has no 'ram', as that of an active migration should"),
        ({"query-migrate": {"status": "none"}, **BRIEFLY}, "given up after 3 s while"),
        *(
            (
                {"query-migrate": {"status": "none", **where}, "link": "tcp"},
                "does not report the port that it listens on",
            )
            for where in ({}, {"socket-address": []}, {"socket-address": [{"port": "a b"}]})
        ),
    ],
)
def test_a_migration_of_such_ends_in_a_sentence_and_leaves_nothing(tmp_path, lie, says):
    binary = made_up_qemu(tmp_path / "mad", {**MIGRATES, **lie}, SPEAKS)
    given = {**MIGRATION, **{name: lie[name] for name in ("link", "time_limit") if name in lie}, "qemu": binary}

    async def course(run):
        await run.follow(lambda _: False)

    with pytest.raises(MigDowntimeError) as caught:
        asyncio.run(run_and_judge(parse(given), tmp_path, lambda _: None, course))
    assert says in str(caught.value)


HANGS = "if any('memory-backend' in word for word in sys.argv): time.sleep(600)"


@pytest.mark.usefixtures("nothing_left")
def test_one_that_hangs_as_it_starts_is_named_before_the_run_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(pair, "START_S", 0.5)
    given = {**MIGRATION, "qemu": made_up_qemu(tmp_path / "mad", MIGRATES, HANGS)}
    with pytest.raises(
        HarnessError, match=r"^\w+ QEMU did not speak QMP within 0.5 s, mad \d+ is \w+: it printed nothing"
    ):
        asyncio.run(run_and_judge(parse(given), tmp_path, lambda _: None, lambda _: None))
