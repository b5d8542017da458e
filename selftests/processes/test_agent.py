# SPDX-License-Identifier: GPL-2.0-or-later
"""What is sent to another host, run by a python3 of this one: what it does, and that nothing of it stays."""

import ast
import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from avocado_migdowntime.agent import look
from avocado_migdowntime.agent.keeper import Leases
from avocado_migdowntime.errors import HarnessError, HostRequirementError
from avocado_migdowntime.host.process_group import processes
from avocado_migdowntime.remote.agent_code import _MODULES
from avocado_migdowntime.remote.conversation import SILENCE_S
from avocado_migdowntime.remote.program import FarProgram

from ..support.agents import PATIENCE_S, sent
from ..support.documents import TOP

ROOM = TOP / "avocado_migdowntime" / "agent"


async def sleeper(conversation, tmp_path):
    """A program of the far host that sleeps, with a child that does."""
    output = {part: os.open(tmp_path / part, os.O_CREAT | os.O_RDWR) for part in ("stdout", "stderr")}
    ends = {part: os.pipe() for part in output}
    started = FarProgram(conversation, "sleeper", tmp_path / "qmp")
    script = "echo to be heard; echo last words >&2; sleep 600 & wait"
    await started.start(["sh", "-c", script], *(write_end for _, write_end in ends.values()))
    for _, write_end in ends.values():
        os.close(write_end)
    return started, [read_end for read_end, _ in ends.values()]


async def gone(group):
    async with asyncio.timeout(PATIENCE_S):
        while any(each.state not in "ZX" for each in processes(group)):
            await asyncio.sleep(0.02)


def run(coroutine):
    return asyncio.run(coroutine)


def test_a_program_is_started_heard_and_ended_with_all_it_started(tmp_path):
    async def course():
        async with sent() as (conversation, _):
            started, (stdout, stderr) = await sleeper(conversation, tmp_path)
            loop = asyncio.get_running_loop()
            assert await loop.run_in_executor(None, os.read, stdout, 100) == b"to be heard\n"
            assert await loop.run_in_executor(None, os.read, stderr, 100) == b"last words\n"
            assert started.returncode is None
            started.kill()
            assert await started.wait() == -signal.SIGKILL
            await gone(started.pid)

    run(course())


def test_what_it_cannot_do_is_told_in_words(tmp_path):
    async def course():
        async with sent() as (conversation, _):
            missing = FarProgram(conversation, "missing", tmp_path / "qmp")
            with pytest.raises(HarnessError, match="far could not do what it was asked .launch.: .*No such file"):
                await missing.start(["/no/such/program"], *os.pipe()[1:], *os.pipe()[1:])
            with pytest.raises(HostRequirementError, match="on far: it has no hugepages of 12 KiB but "):
                await conversation.ask("reserve", page_bytes=12 << 10, count=1, allowed=False)
            assert (await conversation.ask("find", names=["no-such-program", "sh"]))[0].endswith("/sh")

    run(course())


def test_it_tells_of_the_host_that_it_is_on(tmp_path):
    async def course():
        async with sent() as (conversation, process):
            facts = conversation.facts
            assert facts["filters"] == look.has_filters() and facts["page_bytes"] == os.sysconf("SC_PAGE_SIZE")
            had, _ = await conversation.ask("cpu", pid=process.pid, threads=[process.pid])
            assert 0 < had["vcpus_s"] < PATIENCE_S and 0 <= had["qemu_s"] < PATIENCE_S
            of_none, _ = await conversation.ask("cpu", pid=process.pid, threads=[0])
            assert of_none.keys() == had.keys() - {"vcpus_s"}

    run(course())


def test_memory_is_read_and_summed_up_over_there(tmp_path):
    (tmp_path / "ram").write_bytes(bytes(4096) + b"x" * 4096)

    async def course():
        async with sent() as (conversation, _):
            file, _ = await conversation.ask("open", path=str(tmp_path / "ram"))
            assert (await conversation.ask("read", file=file, offset=4090, size=8))[1] == bytes(6) + b"xx"
            _, sums = await conversation.ask("sums", file=file, offset=0, size=8192)
            assert len(sums) == 16 and sums[:8] != sums[8:]
            with pytest.raises(HarnessError, match="its file ends before 0x2000"):
                await conversation.ask("read", file=file, offset=4096, size=8192)

    run(course())


@pytest.mark.parametrize("ending", ["closed", "worker", "keeper", "silence"])
def test_whatever_ends_it_all_is_ended_and_given_back(tmp_path, ending):
    async def course():
        async with sent(0.3 if ending == "silence" else SILENCE_S) as (conversation, process):
            started, _ = await sleeper(conversation, tmp_path)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            if ending == "closed":
                process.stdin.close()
            elif ending == "silence":
                conversation._tasks[1].cancel()
            else:
                os.kill(int(children[0]) if ending == "worker" else process.pid, signal.SIGKILL)
            begun_s = time.monotonic()
            await gone(started.pid)
            async with asyncio.timeout(PATIENCE_S):
                await started.wait()
                while Path(conversation.facts["directory"]).exists():
                    await asyncio.sleep(0.02)
            assert conversation.loss and started.loss
            assert ending != "silence" or time.monotonic() - begun_s > 0.2
            with suppress(HarnessError):
                await conversation.ask("facts")
                pytest.fail("nobody is there")

    run(course())


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.stem)
def test_it_is_written_in_an_older_python_and_needs_nothing_else(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    assert not any(isinstance(node, ast.Match) for node in ast.walk(tree))
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = [getattr(node, "module", None) or node.names[0].name for node in imports if not getattr(node, "level", 0)]
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_all_of_it_is_sent():
    assert {f"{name or '__init__'}.py" for name in _MODULES} == {path.name for path in ROOM.glob("*.py")}


def test_where_no_other_host_is_named_nothing_that_speaks_to_one_is_imported():
    asked = "import sys, avocado_migdowntime.experiments.catalogue as c; print(*sys.modules)"
    line = [sys.executable, "-c", asked]
    loaded = subprocess.run(line, capture_output=True, text=True, check=True, cwd=TOP).stdout.split()
    assert "avocado_migdowntime.qemu.pair" in loaded and "asyncssh" not in loaded
    assert [name for name in loaded if name.startswith("avocado_migdowntime.remote")] == []


@pytest.mark.parametrize("surplus", [0, 128])
def test_a_pool_gets_back_what_it_was_grown_by_whatever_leaves_it_by_itself(tmp_path, surplus):
    """Surplus pages are in use by what is about to end: they leave when they are freed, and are none of the pool's."""
    (tmp_path / "nr_hugepages").write_text("256")
    (tmp_path / "surplus_hugepages").write_text(str(surplus))
    leases = Leases()
    leases.remember("pages", {"path": str(tmp_path / "nr_hugepages"), "added": 128})
    assert leases.release() == []
    assert (tmp_path / "nr_hugepages").read_text() == str(128 - surplus)
