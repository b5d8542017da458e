# SPDX-License-Identifier: GPL-2.0-or-later
"""Each command that README and docs show runs as it stands there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.documents import RUN_ELSEWHERE, TOP, commands

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("command", [c for c in commands() if c not in RUN_ELSEWHERE])
def test_each_command_of_the_documents_runs(command, tmp_path, nothing_left):
    """As it stands there, with this environment's programs first on the PATH."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(command, shell=True, cwd=TOP, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
