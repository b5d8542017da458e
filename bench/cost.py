# SPDX-License-Identifier: GPL-2.0-or-later
"""What a process costs."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """The time until a process ended, that of the processor with its children, and its memory at the peak."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def cost(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """What a command costs from its start to its end, which has to be a good one: a failure costs nothing like it."""
    begun_s = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - begun_s
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return Cost(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
