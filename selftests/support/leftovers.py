# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs may leave behind on this host."""

import glob
import os
from pathlib import Path

from avocado_migdowntime.basics.cache import cache_directory


def traces_of_runs():
    """What runs may leave on this host: QEMU processes, mounts, hugepages, directories, sockets, networks."""
    pools = Path("/sys/kernel/mm/hugepages").glob("*/nr_hugepages")
    return {
        *(f"process {pid}" for pid in os.listdir("/proc") if pid.isdigit() and _is_ours(pid)),
        *(f"mount {line}" for line in Path("/proc/mounts").read_text().splitlines() if "hugetlbfs" in line),
        *(f"{pool} at {pool.read_text().strip()}" for pool in pools),
        *(f"directory {path}" for path in Path("/tmp").glob("migdowntime-*")),
        *(f"directory {path}" for path in cache_directory().glob("migdowntime-*")),
        *(f"network device {name}" for name in os.listdir("/sys/class/net")),
        *network_namespaces(),
    }


def network_namespaces():
    """Network namespaces that something on this host keeps: a process in it, a descriptor, a mount."""
    mounts = (line.split()[3] for line in Path("/proc/self/mountinfo").read_text().splitlines() if " nsfs " in line)
    # Not Path.glob, which a process that ends in the meantime makes fail.
    links = [link for place in ("task/*/ns/net", "fd/*") for link in glob.glob(f"/proc/[0-9]*/{place}")]
    return {target for target in (*mounts, *map(_target, links)) if target.startswith("net:[")}


def _target(link):
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _is_ours(pid):
    try:
        command = Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return False
    # A QEMU of another suite is started by a loader of its own.
    program, *words = command.split(b"\0")
    loaded = words[:4] if b"/ld-" in program else []
    return any(b"qemu-system-" in word for word in (program, *loaded)) or b"avocado_migdowntime" in command
