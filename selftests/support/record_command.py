# SPDX-License-Identifier: GPL-2.0-or-later
"""The real `avocado migdowntime record`."""

import subprocess

from .avocado_command import command
from .waiting import HANGS_S


def started(directory, source, *arguments):
    line, environment = command(directory, "migdowntime", "record", str(source), "-o", "trace.jsonl", *arguments)
    return subprocess.Popen(line, cwd=directory, env=environment, stderr=subprocess.PIPE, text=True)


def recorded(directory, source, *arguments):
    process = started(directory, source, *arguments)
    said = process.communicate(timeout=HANGS_S)[1]
    assert "Traceback" not in said
    return process.returncode, said
