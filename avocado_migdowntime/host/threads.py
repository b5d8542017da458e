# SPDX-License-Identifier: GPL-2.0-or-later
"""How long the threads of a process have been awake, and what they wait for, from /proc (proc(5))."""

import os
from pathlib import Path
from typing import NamedTuple

from ..agent.look import thread_times_ns

_NS = 1e-9


class Awake(NamedTuple):
    """Seconds that a thread has had: `on_cpu_s` on a CPU, `queued_s` waiting for one. The rest of its time it slept.

    A kernel brings both up to date as the thread comes and goes, and with each tick of its own.
    """

    on_cpu_s: float
    queued_s: float


def awake(pid: int, thread: int) -> Awake | None:
    """How long a thread of a process has been awake; None where it has ended, or this kernel counts none."""
    times_ns = thread_times_ns(pid, thread)
    return Awake(*(time_ns * _NS for time_ns in times_ns)) if times_ns is not None else None


def waits_in(pid: int, thread: int) -> str | None:
    """The kernel's function in which a thread of a process sleeps, as far as it says so; None where it has ended."""
    try:
        return Path(f"/proc/{pid}/task/{thread}/wchan").read_text()
    except OSError:
        return None


def threads(pid: int) -> list[int]:
    """The threads that a process has; none where there is no such process."""
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []
