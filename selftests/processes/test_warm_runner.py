# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs runners on another host: it reads them from its terminal, and ends them with its connection."""

import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from avocado_migdowntime.plugins.warm_runner import BEGUN, ENDED, READY

from ..support.documents import TOP
from ..support.waiting import HANGS_S, until

_RUNNERS = {
    "tells": "import sys; print('unseen'); print(*sys.argv[1:], file=sys.stderr)",
    "fails": "raise SystemExit('it failed')",
    "breaks": "1 / 0",
    "killed": "import os; os.kill(os.getpid(), 9)",
    "waits": """
import os, signal, sys, time
from pathlib import Path
def note(number, frame):
    Path(sys.argv[1], "ended").write_text(str(number))
    raise SystemExit(7)
signal.signal(signal.SIGTERM, note)
Path(sys.argv[1], "pid").write_text(f"{os.getpid()} {os.getsid(0)} {os.readlink('/proc/self/fd/0')}")
time.sleep(600)
""",
}


@pytest.fixture(scope="module")
def runners(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runners")
    for name, text in _RUNNERS.items():
        (directory / f"{name}.py").write_text(text)
    return directory


class Served:
    """The program on its own terminal, as a shell starts it that was logged in to."""

    def __init__(self, runners: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(runners), str(TOP)])}
        line = ["setsid", "--ctty", sys.executable, "-m", "avocado_migdowntime.plugins.warm_runner"]
        self._ours, theirs = pty.openpty()
        ends = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
        self.process = subprocess.Popen(line, env=environment, cwd=runners, **ends)
        os.close(theirs)
        os.set_blocking(self._ours, False)
        self.shown = ""
        self.see(READY)

    def see(self, text: str, times: int = 1) -> None:
        """Read until it has shown this text so many times."""
        until(lambda: self._read().count(text) >= times or self.process.poll() is not None, text)
        assert self.shown.count(text) >= times, self.shown

    def run(self, *words: str) -> None:
        """Give it a runner and the runner's arguments."""
        line = json.dumps(words).encode() + b"\n"
        while line:
            with suppress(BlockingIOError):
                line = line[os.write(self._ours, line) :]

    def interrupt(self) -> None:
        os.write(self._ours, b"\x03")

    def end(self, hang_up: bool = False) -> int:
        if not hang_up:
            self.process.terminate()
            self.process.wait(HANGS_S)
        os.close(self._ours)
        return self.process.wait(HANGS_S)

    def _read(self) -> str:
        with suppress(BlockingIOError):
            self.shown += os.read(self._ours, 1 << 16).decode().replace("\r\n", "\n")
        return self.shown


def test_runners_are_run_one_after_the_other_and_the_end_of_each_is_told(runners: Path) -> None:
    served = Served(runners)
    for number, name in enumerate(("tells", "fails", "breaks", "killed", "tells"), 1):
        served.run(name, "a" * 100_000, "ü\x03")
        served.see(f"{ENDED} ", number)
    assert "unseen" not in served.shown and '["' not in served.shown
    parts = served.shown.partition(READY)[2].split(BEGUN)[1:]
    assert [part.split()[-1] for part in parts] == ["0", "1", "1", str(128 + signal.SIGKILL), "0"]
    assert parts[0].splitlines()[1:] == ["a" * (2000 - 5) + " ü\x03", f" {ENDED} 0"]
    assert parts[1].splitlines()[1:] == ["it failed", f" {ENDED} 1"]
    assert parts[2].splitlines()[-2:] == ["ZeroDivisionError: division by zero", f" {ENDED} 1"]
    assert served.end() == 128 + signal.SIGTERM


def test_ctrl_c_ends_a_runner_and_is_nothing_while_there_is_none(runners: Path, tmp_path: Path) -> None:
    served = Served(runners)
    served.interrupt()
    served.run("waits", str(tmp_path))
    until(lambda: (tmp_path / "pid").exists())
    pid, session, given = (tmp_path / "pid").read_text().split()
    assert pid == session and given == "/dev/null"
    served.interrupt()
    served.see(f"{ENDED} 7")
    assert (tmp_path / "ended").read_text() == str(int(signal.SIGTERM)) and "Traceback" not in served.shown
    served.end()


@pytest.mark.parametrize("runs", [False, True])
def test_it_ends_with_its_connection_once_its_runner_has(runners: Path, tmp_path: Path, runs: bool) -> None:
    served = Served(runners)
    if runs:
        served.run("waits", str(tmp_path))
        until(lambda: (tmp_path / "pid").exists())
    served.end(hang_up=True)
    assert (tmp_path / "ended").exists() == runs
