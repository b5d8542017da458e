# SPDX-License-Identifier: GPL-2.0-or-later
"""The packaged default matrix on real QEMU: every verdict accurate, and nothing left behind."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.documents import MATRIX

pytestmark = [pytest.mark.alone, pytest.mark.qemu]


def test_the_default_matrix_is_accurate_and_leaves_the_host_as_it_was(tmp_path, nothing_left):
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    command = [sys.executable, "-m", *shlex.split(MATRIX), "--job-results-dir", str(tmp_path)]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = [json.loads(path.read_text()) for path in Path(tmp_path).glob("latest/test-results/*/data/verdict.json")]
    assert len(verdicts) == 8
    assert {v["verdict"] for v in verdicts} == {"accurate"}, verdicts
    assert {v["limit_verdict"] for v in verdicts} == {"respected"}
    assert not list(scratch.iterdir())
