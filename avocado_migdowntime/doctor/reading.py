# SPDX-License-Identifier: GPL-2.0-or-later
"""What this host shows in /proc and /sys and among the installed distributions; nothing is changed."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from ..agent.look import cpus
from ..basics.programs import find_program
from ..errors import MigDowntimeError, NotPermittedError
from ..host.one_at_a_time import NAME, NEXT, holder
from ..host.pool import Pool, pools
from ..host.shaped import shaped_link
from .host import Cpu, Lock, NodePages, Pages, Shaped, Version

DISTRIBUTION = "avocado-framework-plugin-migdowntime"
_PROGRAMS = ("ip", "tc")
_MODULES = ("veth", "sch_tbf")
_COMMAND_CHARACTERS = 60


def read_pages(page_size_bytes: int, needed: int, reserve: bool) -> tuple[Pages, ...]:
    """All pools; the run needs `needed` pages of `page_size_bytes`, and may add missing ones if `reserve`."""
    return tuple(_pages(pool, needed if pool.page_size_bytes == page_size_bytes else 0, reserve) for pool in pools())


def _pages(pool: Pool, needed: int, reserve: bool) -> Pages:
    counters = pool.counters()
    missing = max(0, needed - counters.available)
    folder = pool.path.parent.name
    nodes = sorted(Path("/sys/devices/system/node").glob(f"node[0-9]*/hugepages/{folder}"))
    return Pages(
        page_size_bytes=pool.page_size_bytes,
        counters=counters,
        nodes=tuple(
            NodePages(
                int(path.parents[1].name.removeprefix("node")),
                int((path / "nr_hugepages").read_text()),
                int((path / "free_hugepages").read_text()),
            )
            for path in nodes
        ),
        needed=needed,
        missing=missing,
        may_grow=reserve and pool.resizable,
        grow_command=pool.grow_command(missing),
    )


def read_shaped(rate_bytes_per_s: int) -> Shaped:
    """Try a link of this rate in temporary network namespaces, unless that would load kernel modules."""
    missing = tuple(program for program in _PROGRAMS if find_program(program) is None)
    if missing:
        return Shaped(missing_programs=missing)
    if loadable := _loadable():
        return Shaped(loadable=loadable)
    try:
        with shaped_link(rate_bytes_per_s) as link:
            return Shaped(
                bytes_per_s=link.bytes_per_s,
                wanted_bytes_per_s=rate_bytes_per_s,
                in_user_namespace=link.in_user_namespace,
            )
    except NotPermittedError as error:
        return Shaped(fault=str(error), forbidden=True)
    except MigDowntimeError as error:
        return Shaped(fault=str(error))


def _loadable() -> tuple[str, ...]:
    """The needed modules that are on disk but not in the kernel."""
    try:
        listed = Path("/lib/modules", os.uname().release, "modules.dep").read_text().splitlines()
        loaded = {line.split()[0] for line in Path("/proc/modules").read_text().splitlines()}
    except FileNotFoundError:  # A container has none on its disk, and a kernel may have all built in.
        return ()
    there = {line.partition(":")[0].rpartition("/")[2].partition(".")[0] for line in listed}
    return tuple(module for module in _MODULES if module in there - loaded)


def read_cpu() -> Cpu:
    """The CPUs, governors and load of this host."""
    return cpu_of(cpus())


def cpu_of(state: Mapping[str, Any]) -> Cpu:
    """The CPU part of the `state` of a host, this one or another."""
    return Cpu(state["usable"], frozenset(state["governors"]), state["load"])


def read_lock(names: Sequence[str] = (NAME, NEXT)) -> Lock:
    """Who holds the lock (sockets of these `names`) in this network namespace (proc(5): /proc/net/unix)."""
    kernel_names = {name.replace("\0", "@", 1): name for name in names}
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()]
    inodes = {row[6]: kernel_names[row[7]] for row in rows if len(row) == 8 and row[7] in kernel_names}
    held_by = {f"socket:[{inode}]" for inode in inodes}
    holders = [int(path.name) for path in Path("/proc").glob("[0-9]*") if held_by & _open_files(path)]
    return Lock(
        is_held=bool(inodes),
        holders=tuple((pid, _command(pid)) for pid in sorted(holders)),
        who=holder(min(inodes.values())) if inodes and not holders else "",
    )


def _open_files(process: Path) -> set[str]:
    links: set[str] = set()
    with suppress(OSError):  # It may have ended, or belong to another user.
        for path in (process / "fd").iterdir():
            with suppress(OSError):
                links.add(os.readlink(path))
    return links


def _command(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "it has ended"
    return command if len(command) <= _COMMAND_CHARACTERS else f"{command[:_COMMAND_CHARACTERS]}…"


def read_versions() -> tuple[Version, ...]:
    """Python, this package, and its requirements."""
    try:
        ours = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:  # It runs from its source, and Avocado does not know it.
        return (Version("migdowntime", DISTRIBUTION, "", False, pip="."),)
    python = ".".join(map(str, sys.version_info[:3]))
    python_wanted = str(ours.metadata["Requires-Python"])
    wanted = [Requirement(line) for line in ours.requires or ()]
    return (
        Version("python", f"python{python_wanted}", python, SpecifierSet(python_wanted).contains(python)),
        Version("migdowntime", f"{DISTRIBUTION}=={ours.version}", ours.version, True),
        *(_version(each) for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})),
    )


def _version(wanted: Requirement) -> Version:
    try:
        installed = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        installed = ""
    return Version(wanted.name, str(wanted), installed, bool(installed) and wanted.specifier.contains(installed))
