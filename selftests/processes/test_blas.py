# SPDX-License-Identifier: GPL-2.0-or-later
"""numpy starts no threads in the processes of this project, unless the user wants some."""

import os
import subprocess
import sys

import pytest

COUNT = "import os, numpy; print(len(os.listdir('/proc/self/task')))"
IN_AVOCADO = f"import avocado_migdowntime.plugins; {COUNT}"
BY_ITSELF = f"import sys; from avocado_migdowntime.__main__ import main; sys.argv[1:] = ['list']; main(); {COUNT}"


def threads(line: str, **more: str) -> int:
    """The threads of a process that runs this line, which prints their number last."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS")}
    done = subprocess.run(
        [sys.executable, "-c", line], env={**environment, **more}, capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1])


@pytest.mark.parametrize("line", [IN_AVOCADO, BY_ITSELF])
def test_one_thread_is_all(line: str) -> None:
    assert threads(line) == 1


@pytest.mark.skipif(len(os.sched_getaffinity(0)) == 1, reason="with one CPU numpy starts no threads")
def test_what_the_user_has_set_holds() -> None:
    assert threads(COUNT) > 1
    assert threads(IN_AVOCADO, OPENBLAS_NUM_THREADS="2") == 2
