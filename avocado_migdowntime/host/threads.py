# SPDX-License-Identifier: GPL-2.0-or-later
"""How long the threads of a process have been awake, and what they wait for, from /proc (proc(5))."""

from pathlib import Path
from typing import NamedTuple

from ..agent.look import thread_times_ns

_NS = 1e-9


class Awake(NamedTuple):
    """Seconds that a thread spent on a CPU (`on_cpu_s`) and waiting for one (`queued_s`); the rest of its time it
    slept.

    The kernel updates both when it schedules the thread in or out, and at each tick.
    """

    on_cpu_s: float
    queued_s: float


def awake(pid: int, thread: int) -> Awake | None:
    """How long a thread of a process has been awake; None if it has ended, or if this kernel does not count it."""
    times_ns = thread_times_ns(pid, thread)
    return Awake(*(time_ns * _NS for time_ns in times_ns)) if times_ns is not None else None


def waits_in(pid: int, thread: int) -> str | None:
    """The kernel function in which a thread of a process sleeps, if the kernel tells; None if the thread has ended."""
    try:
        return Path(f"/proc/{pid}/task/{thread}/wchan").read_text()
    except OSError:
        return None
