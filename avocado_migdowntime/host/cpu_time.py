# SPDX-License-Identifier: GPL-2.0-or-later
"""How much CPU time a process and some of its threads have had, from /proc (proc(5))."""

import os
from collections.abc import Iterable
from pathlib import Path

_UTIME, _STIME = 11, 12
"""Of /proc/PID/stat, counted after the name in parentheses, which may hold anything."""
_NS = 1e-9


def process_s(pid: int) -> float | None:
    """Seconds that all threads of a process have had, those that have ended as well; None where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[_UTIME]) + int(fields[_STIME])) / os.sysconf("SC_CLK_TCK")


def threads_s(pid: int, threads: Iterable[int]) -> float | None:
    """Seconds that these threads of a process have had together; None where one has ended, or this kernel counts none.

    The first figure of schedstat is the time on a CPU in ns (Documentation/scheduler/sched-stats.rst).
    """
    try:
        texts = [Path(f"/proc/{pid}/task/{thread}/schedstat").read_text() for thread in threads]
    except OSError:
        return None
    return sum(int(text.split()[0]) for text in texts) * _NS
