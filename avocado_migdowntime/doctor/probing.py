# SPDX-License-Identifier: GPL-2.0-or-later
"""Examines the host, including its QEMUs, KVM, and other hosts."""

import asyncio
import os
import platform
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..basics.run_directory import left_files, temporary_places
from ..errors import MigDowntimeError
from ..host.pool import memory_bytes
from ..host.resources import HostResources
from ..host.workdir import work_directory
from ..parameters.table import ANY_ARCHITECTURE, ARCHITECTURES, Parameters
from ..qemu.backing import plan
from ..qemu.guest import choose_machine
from ..qemu.place import Here
from ..qemu.planning import check, check_among_themselves, for_architecture
from ..qemu.probe import QemuInfo, find_binary, probe
from ..qemu.profiles import PROFILES, Profile
from .host import Host, Kvm, Qemu
from .kvm import try_kvm
from .others import Reached, look_at, look_between, reach
from .reading import read_cpu, read_lock, read_pages, read_shaped, read_versions

_TELL_AFTER_S = 2.0


async def examine(default: Parameters, say: Callable[[str], None]) -> Host:
    """Examine the host, and what a run with these parameters needs of it; `say` gets a line every two seconds.

    Other hosts of the run are examined as well, if they answer. Raises UsageError or HostRequirementError if the
    parameters are invalid here, HarnessError if QEMU cannot be started.
    """
    small_pages, needed = _pages_needed(default)
    cpu, lock, versions = read_cpu(), read_lock(), read_versions()
    with HostResources() as resources, work_directory(resources) as directory, ExitStack() as stack:
        here = Here(resources, stack, directory)
        async with AsyncExitStack() as connections:
            reached = await reach(connections, default, here, say)
            default = await _with_architecture(default, reached, directory)
            trials = asyncio.create_task(
                _together(
                    _probe_qemus(_of_this_host(default), directory, resources, here),
                    asyncio.to_thread(read_shaped, default.link_rate),
                    look_at(reached, default, directory, resources),
                )
            )
            waited_s = 0.0
            try:
                while not (await asyncio.wait({trials}, timeout=_TELL_AFTER_S))[0]:
                    waited_s += _TELL_AFTER_S
                    say(f"asking each QEMU what it can do, {waited_s:.0f} s so far")
            finally:
                trials.cancel()
                await asyncio.gather(trials, return_exceptions=True)
            (qemus, kvm), shaped, others = trials.result()
            network = await look_between(reached, here, say)
    return Host(
        arch=default.arch,
        page_size_bytes=default.page_size,
        small_pages_bytes=small_pages,
        kvm_wanted=default.accel == "kvm",
        shaped_wanted=default.link == "shaped",
        qemus=qemus,
        kvm=kvm,
        pages=read_pages(default.page_size, needed, default.reserve_hugepages),
        available_bytes=memory_bytes("MemAvailable"),
        shaped=shaped,
        cpu=cpu,
        lock=lock,
        left_files=left_files(time.time(), temporary_places()),
        versions=versions,
        root=os.geteuid() == 0,
        sides=default.sides_here,
        others=tuple(others),
        network=network,
    )


def _pages_needed(default: Parameters) -> tuple[int, int]:
    """The bytes of base pages, and the number of hugepages, that the QEMUs on this host need."""
    sides = default.sides_here
    if not sides:
        return 0, 0
    backing = plan(default.backing, default.page_size, default.ram, Path("/"))
    return 0 if backing.hugepages_needed else sides * default.ram, sides * backing.hugepages_needed


def _of_this_host(default: Parameters) -> Parameters:
    """The parameters with only the QEMUs that run here."""
    if not default.other_hosts:
        return default
    if not default.sides_here:
        return replace(Parameters(), arch=default.arch)
    qemu = default.qemu_destination or default.qemu if default.source_host else default.qemu
    return replace(default, qemu=qemu, qemu_destination=None)


async def _with_architecture(default: Parameters, reached: Reached, directory: Path) -> Parameters:
    """The parameters with the default test's architecture; if there is no QEMU, the first architecture to install."""
    if default.arch != ANY_ARCHITECTURE:
        return default
    own = directory / "default"
    own.mkdir()
    with suppress(MigDowntimeError):
        if not default.source_host:
            return for_architecture(default, await probe(find_binary(default.qemu, default.arch), own, own))
        if place := reached.places.get("source"):
            binary = await place.binary(default.qemu, default.arch)
            return for_architecture(default, await place.probed(binary, own, own))
    return replace(default, arch=ARCHITECTURES[0])


async def _together(*trials: Coroutine[Any, Any, Any]) -> list[Any]:
    """Return the trials' results. Unlike gather(), it waits until all of them have ended, even if cancelled."""
    tasks = [asyncio.create_task(trial) for trial in trials]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            if not task.cancelling():  # A second time would interrupt its cleanup.
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _probe_qemus(
    default: Parameters, directory: Path, resources: HostResources, here: Here
) -> tuple[tuple[Qemu, ...], Kvm]:
    answers = await _together(*(_ask(profile, default, directory) for profile in PROFILES.values()))
    host_arch = platform.machine().replace("ppc64le", "ppc64")
    device = Path("/dev/kvm").exists()
    host_qemu = next((info for info, _ in answers if info and info.arch == host_arch), None)
    kvm = Kvm(
        host_arch,
        f"there is no QEMU of {host_arch}, this host's architecture, that can use it",
        device,
        here.may_use_kvm,
        PROFILES[host_arch].package.install if host_arch in PROFILES else "",
    )
    if host_qemu is not None:
        kvm = await try_kvm(here, host_qemu, directory, resources, device)
    return tuple(qemu for _, qemu in answers), kvm


async def _ask(profile: Profile, default: Parameters, directory: Path) -> tuple[QemuInfo | None, Qemu]:
    """What the QEMU of an architecture can do; the settings apply only to the default test's."""
    parameters = default if profile.arch == default.arch else replace(Parameters(), arch=profile.arch)
    own = directory / profile.arch
    own.mkdir()
    qemu, info = Qemu(profile.arch, profile.package, is_named=parameters.qemu is not None), None
    try:
        qemu = replace(qemu, binary=find_binary(parameters.qemu, profile.arch))
        info = await probe(qemu.binary, own, own)
        qemu = qemu.answered(info.release, info.machines, info.has_kvm, info.migrate_capabilities)
        check_among_themselves(parameters)
        check(info, parameters)
        choose_machine(profile, info, parameters.machine)
        if parameters.qemu_destination:
            check(await probe(find_binary(parameters.qemu_destination, profile.arch), own, own), parameters)
    except MigDowntimeError as error:
        qemu = replace(qemu, fault=str(error))
    return info, qemu
