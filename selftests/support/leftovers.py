# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs leave on this host, told apart from what other users of the host have at the time."""

import glob
import os
import uuid
from pathlib import Path

from avocado_migdowntime.basics.cache import cache_directory

_JOURNALS = Path("/run/avocado-migdowntime")
_MARK = "MIGDOWNTIME_SELFTESTS"
"""Environment variable of this process and its descendants: it shows whose a process is that has left its parent."""
NO_RUN = {_MARK: ""}
"""An environment in which nothing counts as part of this process's runs."""


def mark() -> None:
    """Mark everything that this process starts from now on as its own."""
    os.environ[_MARK] = uuid.uuid4().hex


def traces_of_runs():
    """Processes, directories and mounts of this process's runs."""
    lent = _lent_to_others()
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines() if "hugetlbfs" in line)
    directories = [*Path("/tmp").glob("migdowntime-*"), *cache_directory().glob("migdowntime-*")]
    return {
        *(f"process {pid}" for pid in _processes() if _is_of_a_run(pid) and is_own(pid)),
        *(f"mount {path}" for _, path, *_ in mounts if path not in lent),
        *(f"directory {path}" for path in directories if str(path) not in lent),
    }


def hugepage_pools():
    """How many hugepages of each size the host has reserved, for anybody."""
    pools = Path("/sys/kernel/mm/hugepages").glob("*/nr_hugepages")
    return {f"{pool} at {pool.read_text().strip()}" for pool in pools}


def shared_resources():
    """Hugepages and network devices of the host, of anybody, and the network namespaces of this process's runs."""
    devices = {f"network device {name}" for name in os.listdir("/sys/class/net")}
    return hugepage_pools() | devices | network_namespaces(own=True)


def network_namespaces(own=False, mounted=True):
    """Network namespaces that something on this host keeps: a process in it, a descriptor, and a mount if `mounted`.

    Of those kept only by processes, the `own` ones were started by this process; the owner of a mount is unknown.
    """
    lines = Path("/proc/self/mountinfo").read_text().splitlines() if mounted else ()
    mounts = (line.split()[3] for line in lines if " nsfs " in line)
    # Not Path.glob, which fails if a process ends in the meantime.
    keepers = filter(is_own, _processes()) if own else ("[0-9]*",)
    links = [
        link
        for keeper in keepers
        for place in ("task/*/ns/net", "fd/*")
        for link in glob.glob(f"/proc/{keeper}/{place}")
    ]
    return {target for target in (*mounts, *map(_target, links)) if target.startswith("net:[")}


def _lent_to_others():
    """The content of the journals of reapers that others have started."""
    others = [pid for pid in _processes() if _is_of_a_run(pid) and not is_own(pid)]
    # By the descriptor: if a reaper is in its own mount namespace, the path leads to another journal, or none.
    kept = [
        link for pid in others for link in glob.glob(f"/proc/{pid}/fd/*") if _target(link).startswith(f"{_JOURNALS}/")
    ]
    return "".join(_read(link).decode() for link in kept)


def _processes():
    return [pid for pid in os.listdir("/proc") if pid.isdigit()]


def is_own(pid):
    """Whether this process, or one that it has started, has started the process with this id."""
    return f"{_MARK}={os.environ[_MARK]}".encode() in _read(f"/proc/{pid}/environ").split(b"\0")


def _is_of_a_run(pid):
    # A QEMU of another suite is started by its own loader.
    command = _read(f"/proc/{pid}/cmdline")
    program, *words = command.split(b"\0")
    loaded = words[:4] if b"/ld-" in program else []
    return any(b"qemu-system-" in word for word in (program, *loaded)) or b"avocado_migdowntime" in command


def _target(link):
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _read(path):
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
