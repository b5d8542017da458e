# SPDX-License-Identifier: GPL-2.0-or-later
"""`judge`, ended by a signal: it cleans up, and leaves nothing."""

import os
import signal
import subprocess
import sys

import pytest

from ..support.documents import TOP
from ..support.waiting import HANGS_S

HANGING = """
import asyncio, sys
from contextlib import nullcontext
from avocado_migdowntime.__main__ import main
from avocado_migdowntime.experiments import catalogue
from avocado_migdowntime.host import one_at_a_time

async def hang(parameters, directory, progress):
    (directory / "trace.jsonl").touch()
    progress("under way")
    try:
        await asyncio.sleep(1000)
    finally:
        await asyncio.sleep(0.3)
        progress("cleaned up")

one_at_a_time.alone_on_host = lambda say, within_s, on_others: nullcontext()
catalogue.EXPERIMENTS["expected-downtime"] = catalogue.Experiment(hang)
sys.exit(main())
"""


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["Ctrl-C", "terminated", "hung up"]
)
def test_an_interrupted_run_cleans_up_and_leaves_nothing(number, times, tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    line = [sys.executable, "-c", HANGING, "judge"]
    with subprocess.Popen(
        line, cwd=TOP, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr.readline() == "migdowntime judge: under way\n" and len(os.listdir(tmp_path)) == 1
        for _ in range(times):
            process.send_signal(number)
        out, told = process.communicate(timeout=HANGS_S)
    assert (process.returncode, out) == (130, "")
    assert told == "migdowntime judge: cleaned up\nmigdowntime judge: interrupted\n"
    assert os.listdir(tmp_path) == []
