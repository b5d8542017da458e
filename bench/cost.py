# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures the cost of a process."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LOOK_S = 0.01


@dataclass(frozen=True)
class Cost:
    """A process's wall time, processor time with its children, and peak memory."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def cost(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """The cost of a command from its start to its end; it must succeed, because a failure costs something else."""
    begun_s = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    peak_mb = 0.0
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        # Its usage would include this process, whose memory it shares at first.
        peak_mb = max(peak_mb, peak_mb_of(process.pid))
        time.sleep(_LOOK_S)
    _, status, used = ended
    wall_s = time.monotonic() - begun_s
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return Cost(wall_s, used.ru_utime + used.ru_stime, peak_mb)


def used_s(pid: int) -> float:
    """The processor time of a process so far, with that of its children that have ended (proc(5): stat)."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def peak_mb_of(pid: int) -> float:
    """The peak memory of a process so far (proc(5): VmHWM); 0 if it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0
