# SPDX-License-Identifier: GPL-2.0-or-later
"""`make demo` and Ctrl-C: the run may clean up, and nothing but a sentence follows."""

import os
import signal
import subprocess
import sys

from ..support.documents import TOP

DEMO = """
import sys
from pathlib import Path
from tools import demo
demo.page_size = lambda: "4K"
demo.AVOCADO = Path(sys.argv[1])
sys.exit(demo.main(Path()))
"""
CLEANS_UP = """#!/bin/sh
trap 'sleep 1; echo cleaned up; exit 8' INT
echo runs
while :; do sleep 0.1; done
"""


def test_an_interrupted_demo_waits_for_its_run_and_ends_in_a_sentence(tmp_path):
    (tmp_path / "avocado").write_text(CLEANS_UP)
    (tmp_path / "avocado").chmod(0o755)
    demo = [sys.executable, "-c", DEMO, str(tmp_path / "avocado")]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(demo, cwd=TOP, start_new_session=True, **streams) as process:
        assert process.stdout.readline() == "runs\n"
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate()[0]
    assert said == "cleaned up\ndemo: interrupted; `make demo` begins again\n"
    assert process.returncode == 128 + signal.SIGINT
