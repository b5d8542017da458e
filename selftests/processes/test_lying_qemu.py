# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that is none, or a mad one: whatever it says, does and leaves behind, it is a sentence, and in time."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from avocado_migdowntime.errors import HarnessError, UsageError
from avocado_migdowntime.host.process_group import Process
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
        ("query-version", {**version(), "\ud800": 1}, "query-version with {'package': '', 'qemu': "),
        ("query-version", {"\ud800": 1}, "with {'\\ud800': 1}, which no QEMU does: a name in it is no UTF-8"),
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
    ("silent", "says"),
    [
        (PROBED, r"it has not answered query-version for \d+ s, \S+ \d+ is \w+: it printed nothing"),
        (["query-machines"], "it has not answered all that it was asked for 3 s"),
    ],
)
def test_one_that_does_not_answer_is_told_of_in_time(tmp_path, sockets, silent, says):
    binary = made_up_qemu(tmp_path / "mad", {**PROBED, **dict.fromkeys(silent)})
    with pytest.raises(UsageError, match=rf"mad did not answer as a QEMU does \({says}\); give the path"):
        asyncio.run(probe(binary, tmp_path, sockets, within_s=3.0))


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
stray = subprocess.Popen(["sleep", "600"], start_new_session=True)
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
        assert probed(tmp_path, sockets, first=STRAY.format(told=str(told))).arch == "x86_64"
        assert Path(f"/proc/{told.read_text()}/exe").exists()


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
