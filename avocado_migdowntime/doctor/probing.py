# SPDX-License-Identifier: GPL-2.0-or-later
"""The host as the doctor sees it, with its QEMUs asked and KVM tried."""

import asyncio
import os
import platform
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..basics.resources import directory as resource
from ..basics.run_directory import left_files, temporary_places
from ..errors import MigDowntimeError
from ..host.pool import memory_bytes
from ..host.resources import HostResources
from ..host.workdir import work_directory
from ..parameters.table import ANY_ARCHITECTURE, ARCHITECTURES, Parameters
from ..qemu.accel import choose_accel
from ..qemu.backing import plan
from ..qemu.guest import choose_machine
from ..qemu.place import Here
from ..qemu.planning import check, check_among_themselves, for_architecture, planned_guest
from ..qemu.probe import QemuInfo, find_binary, probe
from ..qemu.profiles import PROFILES, Profile
from .host import Host, Kvm, Qemu
from .reading import read_cpu, read_lock, read_pages, read_shaped, read_versions

_TELL_AFTER_S = 2.0


async def examine(default: Parameters, say: Callable[[str], None]) -> Host:
    """See all of the host and what a run with these parameters takes of it; `say` gets a line every two seconds.

    Raises UsageError or HostRequirementError where the parameters make no sense here, HarnessError where QEMU cannot be
    started.
    """
    backing = plan(default.backing, default.page_size, default.ram, Path("/"))
    cpu, lock, versions = read_cpu(), read_lock(), read_versions()
    with HostResources() as resources, work_directory(resources) as directory:
        default = await _with_architecture(default, directory)
        tried = _probe_qemus(default, directory, resources), asyncio.to_thread(read_shaped, default.link_rate)
        trials = asyncio.create_task(_together(*tried))
        waited_s = 0.0
        try:
            while not (await asyncio.wait({trials}, timeout=_TELL_AFTER_S))[0]:
                waited_s += _TELL_AFTER_S
                say(f"asking each QEMU what it can do, {waited_s:.0f} s so far")
        finally:
            trials.cancel()
            await asyncio.gather(trials, return_exceptions=True)
        (qemus, kvm), shaped = trials.result()
    return Host(
        arch=default.arch,
        page_size_bytes=default.page_size,
        small_pages_bytes=0 if backing.hugepages_needed else 2 * default.ram,
        kvm_wanted=default.accel == "kvm",
        shaped_wanted=default.link == "shaped",
        qemus=qemus,
        kvm=kvm,
        pages=read_pages(default.page_size, 2 * backing.hugepages_needed, default.reserve_hugepages),
        available_bytes=memory_bytes("MemAvailable"),
        shaped=shaped,
        cpu=cpu,
        lock=lock,
        left=left_files(time.time(), temporary_places()),
        versions=versions,
        root=os.geteuid() == 0,
    )


async def _with_architecture(default: Parameters, directory: Path) -> Parameters:
    """With the architecture that the default test would have; where there is no QEMU, the one to have first."""
    if default.arch != ANY_ARCHITECTURE:
        return default
    own = directory / "default"
    own.mkdir()
    try:
        return for_architecture(default, await probe(find_binary(default.qemu, default.arch), own, own))
    except MigDowntimeError:
        return replace(default, arch=ARCHITECTURES[0])


async def _together(*trials: Coroutine[Any, Any, Any]) -> list[Any]:
    """What the trials return; unlike gather() alone it does not end before all of them have, cancelled or not."""
    tasks = [asyncio.create_task(trial) for trial in trials]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            if not task.cancelling():  # A second time would cut its cleaning up short.
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _probe_qemus(default: Parameters, directory: Path, resources: HostResources) -> tuple[tuple[Qemu, ...], Kvm]:
    answers = await _together(*(_ask(profile, default, directory) for profile in PROFILES.values()))
    host_arch = platform.machine().replace("ppc64le", "ppc64")
    host_qemu = next((info for info, _ in answers if info and info.arch == host_arch), None)
    return tuple(qemu for _, qemu in answers), await _try_kvm(host_arch, host_qemu, directory, resources)


async def _ask(profile: Profile, default: Parameters, directory: Path) -> tuple[QemuInfo | None, Qemu]:
    """What the QEMU of an architecture can do; the settings are for the one of the default test."""
    parameters = default if profile.arch == default.arch else replace(Parameters(), arch=profile.arch)
    own = directory / profile.arch
    own.mkdir()
    qemu, info = Qemu(profile.arch, profile.package, given=parameters.qemu is not None), None
    try:
        qemu = replace(qemu, binary=find_binary(parameters.qemu, profile.arch))
        info = await probe(qemu.binary, own, own)
        qemu = replace(
            qemu,
            release=info.release,
            machines=tuple(family for family in profile.families if family in info.machines),
            has_kvm=info.has_kvm,
            capabilities=info.migrate_capabilities,
        )
        check_among_themselves(parameters)
        check(info, parameters)
        choose_machine(profile, info, parameters.machine)
        if parameters.qemu_destination:
            check(await probe(find_binary(parameters.qemu_destination, profile.arch), own, own), parameters)
    except MigDowntimeError as error:
        qemu = replace(qemu, fault=str(error))
    return info, qemu


async def _try_kvm(arch: str, qemu_info: QemuInfo | None, directory: Path, resources: HostResources) -> Kvm:
    fault = f"there is no QEMU of {arch}, this host's architecture, that can use it"
    if qemu_info is not None:
        parameters = replace(Parameters(), arch=arch, backing="anonymous", page_size=os.sysconf("SC_PAGE_SIZE"))
        backing = plan(parameters.backing, parameters.page_size, parameters.ram)
        guest = await planned_guest(parameters, qemu_info, backing, resources, lambda _: None)
        with ExitStack() as stack:
            here = Here(resources, stack, directory)
            _, why = await choose_accel("auto", guest, qemu_info, resource("images"), directory, directory, here)
        fault = why.removeprefix("using TCG: ")
    device = Path("/dev/kvm")
    return Kvm(arch, fault, device.exists(), os.access(device, os.R_OK | os.W_OK))
