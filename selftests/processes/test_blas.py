# SPDX-License-Identifier: GPL-2.0-or-later
"""numpy starts no threads in the processes of this project, unless the user wants some; others have them as before."""

import os
import subprocess
import sys

import pytest

COUNT = "import os, numpy; print(len(os.listdir('/proc/self/task')))"
COMMAND = "import sys; from avocado_migdowntime.__main__ import main; sys.argv[1:] = ['list']; main()"
TEST = "from avocado_migdowntime.plugins.runner import import_needed; import_needed()"
PLUGINS = "import avocado.core.job, avocado_migdowntime.plugins.command, avocado_migdowntime.plugins.result"
several_cpus = pytest.mark.skipif(len(os.sched_getaffinity(0)) == 1, reason="with one CPU numpy starts no threads")


def threads(line: str, **more: str) -> int:
    """The threads of a process that runs this line and uses numpy afterwards."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS")}
    done = subprocess.run(
        [sys.executable, "-c", f"{line}; {COUNT}"],
        env={**environment, **more},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[-1])


@pytest.mark.parametrize("line", [COMMAND, TEST])
def test_one_thread_is_all(line: str) -> None:
    assert threads(line) == 1


@several_cpus
def test_what_the_user_has_set_holds() -> None:
    assert threads(COMMAND, OPENBLAS_NUM_THREADS="2") == 2


@several_cpus
def test_a_job_with_tests_of_others_is_left_alone() -> None:
    assert threads(PLUGINS) > 1
