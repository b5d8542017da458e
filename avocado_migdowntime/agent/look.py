# SPDX-License-Identifier: GPL-2.0-or-later
"""What this host shows of itself, in /proc and /sys; nothing is changed."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from typing import Any

_FILTERS = "/proc/sys/kernel/seccomp/actions_avail"
_GOVERNORS = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"
_POOLS = "/sys/kernel/mm/hugepages/hugepages-*kB"
_UTIME, _STIME = 11, 12
"""Of /proc/PID/stat, counted after the name in parentheses, which may hold anything (proc(5))."""
_NS = 1e-9


def has_filters() -> bool:
    """Whether the kernel has the filters of system calls that QEMU's -sandbox takes."""
    return os.path.exists(_FILTERS)


def cpus() -> dict[str, Any]:
    """How many this process may use, the governors of all, and the load average of the last minute."""
    governors = sorted({_text(path) for path in glob.glob(_GOVERNORS)})
    return {"usable": len(os.sched_getaffinity(0)), "governors": governors, "load": os.getloadavg()[0]}


def memory_available() -> int:
    """Bytes that programs can still have."""
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable:"))


def pools() -> list[dict[str, Any]]:
    """The kernel's hugepages of each size: all, free, reserved and surplus ones; whether this user may have more."""
    return [
        {
            "page_bytes": int(os.path.basename(path)[len("hugepages-") : -len("kB")]) << 10,
            "counters": [int(_text(f"{path}/{name}_hugepages")) for name in ("nr", "free", "resv", "surplus")],
            "file": f"{path}/nr_hugepages",
            "resizable": os.access(f"{path}/nr_hugepages", os.W_OK),
        }
        for path in glob.glob(_POOLS)
    ]


def cpu_seconds(pid: int, threads: Iterable[int]) -> dict[str, float]:
    """CPU seconds that a process has had (`qemu_s`), and these of its threads (`vcpus_s`), as far as they are told."""
    seconds_by_name = {}
    for name, seconds in (("qemu_s", _process_s(pid)), ("vcpus_s", _threads_s(pid, threads))):
        if seconds is not None:
            seconds_by_name[name] = seconds
    return seconds_by_name


def _process_s(pid: int) -> float | None:
    """Seconds that all threads of a process have had, those that have ended as well; None where there is none."""
    try:
        fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[_UTIME]) + int(fields[_STIME])) / os.sysconf("SC_CLK_TCK")


def _threads_s(pid: int, threads: Iterable[int]) -> float | None:
    """Seconds that these threads of a process have had together; None where those of one are not known."""
    times_ns = [thread_times_ns(pid, thread) for thread in threads]
    return None if None in times_ns else sum(one[0] for one in times_ns if one) * _NS


def thread_times_ns(pid: int, thread: int) -> tuple[int, int] | None:
    """How long a thread of a process was on a CPU, and waited for one; None where it has ended, or none is counted.

    These are the first figures of schedstat (Documentation/scheduler/sched-stats.rst).
    """
    try:
        on_cpu_ns, queued_ns, *_ = _text(f"/proc/{pid}/task/{thread}/schedstat").split()
        return int(on_cpu_ns), int(queued_ns)
    except (OSError, ValueError):
        return None


def _text(path: str) -> str:
    with open(path, errors="replace") as file:
        return file.read().strip()
