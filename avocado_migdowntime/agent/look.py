# SPDX-License-Identifier: GPL-2.0-or-later
"""What this host shows of itself in /proc and /sys; nothing is changed."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from typing import Any

_FILTERS = "/proc/sys/kernel/seccomp/actions_avail"
_GOVERNORS = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"
_POOLS = "/sys/kernel/mm/hugepages/hugepages-*kB"
_UTIME, _STIME = 11, 12
"""Fields of /proc/PID/stat, counted after the name in parentheses, which may contain anything (proc(5))."""
_NS = 1e-9


def has_filters() -> bool:
    """Whether the kernel has the system call filters that QEMU's -sandbox needs."""
    return os.path.exists(_FILTERS)


def cpus() -> dict[str, Any]:
    """The number of CPUs that this process may use, all CPUs' governors, and the load average of the last minute."""
    governors = sorted({_text(path) for path in glob.glob(_GOVERNORS)})
    return {"usable": len(os.sched_getaffinity(0)), "governors": governors, "load": os.getloadavg()[0]}


def memory_available() -> int:
    """Bytes of memory available to programs."""
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable:"))


def pools() -> list[dict[str, Any]]:
    """The kernel's hugepages of each size: all, free, reserved and surplus ones; whether this user may add more."""
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
    """CPU seconds used by a process (`qemu_s`) and by these of its threads (`vcpus_s`), as far as they are known."""
    seconds_by_name = {}
    for name, seconds in (("qemu_s", _process_s(pid)), ("vcpus_s", _threads_s(pid, threads))):
        if seconds is not None:
            seconds_by_name[name] = seconds
    return seconds_by_name


def _process_s(pid: int) -> float | None:
    """CPU seconds of all threads of a process, including ended ones; None if there is no such process."""
    try:
        fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[_UTIME]) + int(fields[_STIME])) / os.sysconf("SC_CLK_TCK")


def _threads_s(pid: int, threads: Iterable[int]) -> float | None:
    """CPU seconds of these threads of a process together; None if those of one are not known."""
    times_ns = [thread_times_ns(pid, thread) for thread in threads]
    return None if None in times_ns else sum(one[0] for one in times_ns if one) * _NS


def thread_times_ns(pid: int, thread: int) -> tuple[int, int] | None:
    """How long a thread was on a CPU, and waited for one, in ns; None if it has ended, or if the kernel does not count.

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
