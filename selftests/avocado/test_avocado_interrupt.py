# SPDX-License-Identifier: GPL-2.0-or-later
"""However a test is ended, its experiment cleans up; and two tests never run at once."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ..support.avocado_command import command, write_tests
from ..support.waiting import HANGS_S, until

TESTS = """
async def hang(parameters, directory, progress):
    process = await asyncio.create_subprocess_exec("sleep", "1000")
    (Path.home() / "sleep.pid").write_text(str(process.pid))
    try:
        await asyncio.sleep(1000)
    finally:
        await asyncio.sleep(1.5)  # Longer than Avocado waits before it kills the runner.
        process.kill()
        await process.wait()
        (Path.home() / "cleaned_up").touch()

class Hanging(MigrationTest):
    grace_s = 0.0

    def test(self):
        self.judge(hang)

async def note(parameters, directory, progress):
    with (Path.home() / "order").open("a") as order:
        for what in ("begin", "end"):
            order.write(f"{what}\\n")
            order.flush()
            await asyncio.sleep(1.2)
    return ACCURATE

class First(MigrationTest):
    def test(self):
        self.judge(note)

class Second(MigrationTest):
    def test(self):
        self.judge(note)
"""


class Started:
    """An `avocado run` in a session of its own, as a terminal would start it."""

    def __init__(self, directory: Path, temporary: str, *arguments: str) -> None:
        self.directory = directory
        line, environment = command(directory, "run", "--disable-sysinfo", *arguments)
        environment["TMPDIR"] = temporary
        self.process = subprocess.Popen(
            line,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def sleeping(self) -> None:
        """Wait until the experiment runs."""
        until(lambda: bool(self._pid_file.exists() and self._pid_file.read_text()))

    def entries(self) -> list[dict[str, Any]]:
        """What Avocado says of the tests at the end."""
        [results] = (self.directory / "avocado" / "job-results").glob("job-*/results.json")
        tests: list[dict[str, Any]] = json.loads(results.read_text())["tests"]
        return tests

    def entry(self) -> tuple[str, str]:
        """Status and reason of the only one."""
        [test] = self.entries()
        return test["status"], test["fail_reason"]

    def process_of_the_test(self) -> int:
        """The process id of what runs the test, which has started another one."""
        [sleeping] = Path(f"/proc/{self._pid_file.read_text()}/status").read_text().partition("PPid:")[2].split()[:1]
        return int(sleeping)

    def kill_sleeping(self) -> None:
        """End what the experiment has started; this one has nothing that ends it with its parent."""
        os.kill(int(self._pid_file.read_text()), signal.SIGKILL)

    def runner(self) -> int:
        """The process id of the test's runner."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def cleaned_up(self) -> None:
        """Wait until the experiment has cleaned up; nothing that it started is left."""
        until((self.directory / "cleaned_up").exists)
        with pytest.raises(ProcessLookupError):
            os.kill(int(self._pid_file.read_text()), 0)

    @property
    def _pid_file(self) -> Path:
        return self.directory / "sleep.pid"

    def status(self) -> str:
        """The test's status as Avocado reports it."""
        results = self.directory / "avocado" / "job-results" / "latest" / "results.json"
        [entry] = json.loads(results.read_text())["tests"]
        return str(entry["status"])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    write_tests(tmp_path, TESTS)
    started: list[Started] = []
    # A killed Avocado leaves its directories behind; tmp_path is too long for the socket that it puts there.
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:

        def begin(*arguments: str) -> Started:
            started.append(Started(tmp_path, temporary, *arguments))
            return started[-1]

        yield begin
        for each in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(each.process.pid, signal.SIGKILL)
            each.process.communicate()


def test_class_timeout(start: Callable[..., Started]) -> None:
    run = start("made_up.py:Hanging", "--migdowntime-time-limit", "2")
    run.process.communicate(timeout=HANGS_S)
    run.cleaned_up()
    assert run.status() == "INTERRUPTED"


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c(start: Callable[..., Started], times: int) -> None:
    run = start("made_up.py:Hanging")
    run.sleeping()
    for _ in range(times):
        os.killpg(run.process.pid, signal.SIGINT)
        time.sleep(0.3)
    run.process.communicate(timeout=HANGS_S)
    run.cleaned_up()
    assert run.process.returncode == 8


def test_runner_killed(start: Callable[..., Started]) -> None:
    run = start("made_up.py:Hanging")
    run.sleeping()
    os.kill(run.runner(), signal.SIGKILL)
    run.cleaned_up()
    run.process.communicate(timeout=HANGS_S)
    assert run.process.returncode == 1
    assert run.entry() == (
        "ERROR",
        "the test's runner was killed; the host resources that it held were released",
    )


def test_process_of_the_test_killed(start: Callable[..., Started]) -> None:
    run = start("made_up.py:Hanging")
    run.sleeping()
    os.kill(run.process_of_the_test(), signal.SIGKILL)
    run.process.communicate(timeout=HANGS_S)
    assert run.process.returncode == 1
    assert run.entry() == ("ERROR", "the test's process was killed; the host resources that it held were released")
    run.kill_sleeping()


def test_avocado_killed(start: Callable[..., Started]) -> None:
    run = start("made_up.py:Hanging")
    run.sleeping()
    run.process.kill()
    run.cleaned_up()


def test_avocado_that_listens_no_more(tmp_path: Path) -> None:
    write_tests(tmp_path, TESTS)
    _, environment = command(tmp_path)
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
        address = Path(temporary, "status")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(address))
            listening.listen()
            task = ["-i", "1", "-k", "migdowntime", "-u", "made_up.py:Hanging.test", "-s", str(address)]
            runner = subprocess.Popen(
                [sys.executable, "-P", "-m", "avocado_migdowntime.plugins.runner", "task-run", *task],
                cwd=tmp_path,
                env=environment | {"TMPDIR": temporary},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                connection, _ = listening.accept()
                with connection:
                    until(lambda: bool(connection.recv(65536)) and (tmp_path / "sleep.pid").exists())
                    address.unlink()
                until(lambda: runner.poll() is not None)
                assert (tmp_path / "cleaned_up").exists()
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(runner.pid, signal.SIGKILL)
                runner.wait()


@pytest.mark.parametrize("hosts", [(), ("--migdowntime-destination-host", "lab2")], ids=["here", "on others"])
def test_one_at_a_time(hosts: Sequence[str], start: Callable[..., Started], tmp_path: Path) -> None:
    run = start("made_up.py:First", "made_up.py:Second", "--max-parallel-tasks", "2", *hosts)
    output, _ = run.process.communicate(timeout=HANGS_S)
    assert (tmp_path / "order").read_text().split() == ["begin", "end"] * 2
    assert "waiting" not in output
    earlier, later = sorted(run.entries(), key=lambda entry: float(entry["time_start"]))
    assert later["time_start"] > earlier["time_end"], "waiting is no part of a test's time"
