# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGTERM at a runner, by which Avocado ends a test: whenever it comes, one end is told, and the runner ends."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from avocado_migdowntime.basics.termination import WHY_TERMINATED

from ..support.avocado_command import write_tests
from ..support.waiting import HANGS_S, until

Message = dict[str, Any]

WAITS = """
async def wait(parameters, directory, progress):
    progress("waits")
    await asyncio.sleep(60)

class Waits(MigrationTest):
    def test(self):
        self.judge(wait)
"""


@contextmanager
def status_server() -> Iterator[tuple[str, list[Message]]]:
    """Its address, and the messages that came so far."""
    came: list[Message] = []

    def read(connection: socket.socket) -> None:
        for line in connection.makefile("rb"):
            came.append(json.loads(line))

    def serve() -> None:
        while True:
            try:
                threading.Thread(target=read, args=(server.accept()[0],), daemon=True).start()
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", came
        server.shutdown(socket.SHUT_RDWR)


def has_forked(runner: "subprocess.Popen[bytes]", came: list[Message]) -> bool:
    """The process is there that tells the end of a runner that is killed."""
    return bool(Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text().split())


def has_started(runner: "subprocess.Popen[bytes]", came: list[Message]) -> bool:
    return any(message["status"] == "started" for message in came)


def waits(runner: "subprocess.Popen[bytes]", came: list[Message]) -> bool:
    return any(message.get("type") == "output" for message in came)


@pytest.mark.parametrize("moment", [has_forked, has_started, waits])
@pytest.mark.parametrize("later_s", [0, 0.1])
def test_one_end_is_told_and_it_says_what_happened(
    tmp_path: Path, moment: Callable[["subprocess.Popen[bytes]", list[Message]], bool], later_s: float
) -> None:
    test = write_tests(tmp_path, WAITS)
    module = "avocado_migdowntime.plugins.runner"
    task = ["-i", "1-waits", "-j", "job", "-k", "migdowntime", "-u", f"{test}:Waits.test"]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "TMPDIR": str(tmp_path)}
    with status_server() as (address, came):
        line = [sys.executable, "-m", module, "task-run", *task, "-s", address]
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        with subprocess.Popen(line, env=environment, **streams) as runner:
            until(lambda: moment(runner, came) or runner.poll() is not None)
            time.sleep(later_s)
            runner.terminate()
            _, said = runner.communicate(timeout=HANGS_S)
        until(lambda: any(message["status"] == "finished" for message in came))
    ends = [message for message in came if message["status"] == "finished"]
    assert [(end["result"], end["fail_reason"]) for end in ends] == [("interrupted", WHY_TERMINATED)]
    assert runner.returncode == 0 and b"Traceback" not in said
