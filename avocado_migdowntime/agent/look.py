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
_STEAL = 8
"""The field of the first line of /proc/stat (proc(5))."""
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


def cpu_seconds(pid: int, vcpus: Iterable[int]) -> dict[str, float]:
    """CPU seconds used by a process (`qemu_s`) and by these of its threads (`vcpus_s`), as far as they are known.

    `queued_s` are the seconds for which its threads, added up, waited for a CPU; `stolen_s` those for which a
    hypervisor withheld CPUs from this host.
    """
    figures = {
        "qemu_s": _process_s(pid),
        "vcpus_s": _threads_s(pid, vcpus),
        "queued_s": _queued_s(pid),
        "stolen_s": _stolen_s(),
    }
    known = {name: seconds for name, seconds in figures.items() if seconds is not None}
    return known if "qemu_s" in known else {}


def _process_s(pid: int) -> float | None:
    """CPU seconds of all threads of a process, including ended ones; None if there is no such process."""
    try:
        fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[_UTIME]) + int(fields[_STIME])) / os.sysconf("SC_CLK_TCK")


def _threads_s(pid: int, some: Iterable[int]) -> float | None:
    """CPU seconds of these threads of a process together; None if those of one are not known."""
    times_ns = [thread_times_ns(pid, thread) for thread in some]
    return None if None in times_ns else sum(one[0] for one in times_ns if one) * _NS


def _queued_s(pid: int) -> float | None:
    """For how many seconds the threads of a process, added up, waited for a CPU; None if no thread's are known."""
    times_ns = [times for thread in threads(pid) if (times := thread_times_ns(pid, thread)) is not None]
    return sum(queued for _, queued in times_ns) * _NS if times_ns else None


def _stolen_s() -> float | None:
    """For how many seconds a hypervisor withheld CPUs from this host, all of them added up; None if not known."""
    fields = _text("/proc/stat").partition("\n")[0].split()
    return int(fields[_STEAL]) / os.sysconf("SC_CLK_TCK") if len(fields) > _STEAL else None


def threads(pid: int) -> list[int]:
    """The thread ids of a process; empty if there is no such process."""
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


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
