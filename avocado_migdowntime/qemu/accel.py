# SPDX-License-Identifier: GPL-2.0-or-later
"""Chooses an accelerator by starting a guest with it: that /dev/kvm opens does not prove that KVM can run a guest."""

import asyncio
from dataclasses import replace
from pathlib import Path

from ..basics.units import MIB
from ..errors import HarnessError, HostRequirementError
from ..host.netns import NoNetwork
from ..parameters.capabilities import DIRTY_LIMIT
from .backing import plan
from .guest import Guest, Orders, dirties_while_tracked, started
from .place import Place
from .probe import QemuInfo
from .process import QemuProcess

_WANTED_S = 30.0
_AUTO_S, _AUTO_LINUX_S = 1.0, 8.0
"""The guest dirties its first page within 0.2 to 0.4 s under KVM; a Linux under TCG takes 3 to 4 s. Slower than this,
KVM is not worth having.
"""


async def choose_accel(
    wanted: str, guest: Guest, qemu_info: QemuInfo, images: Path, directory: Path, sockets: Path, place: Place
) -> tuple[str, str]:
    """Return the accelerator for a place, and why if it is not the obvious one; `wanted` is tcg, kvm or auto.

    KVM is tried with a small copy of the same guest. Raises HostRequirementError if kvm is wanted but does not start.
    """
    if wanted == "tcg":
        return "tcg", ""
    auto_s = _AUTO_LINUX_S if guest.linux else _AUTO_S
    within_s = _WANTED_S if wanted == "kvm" else auto_s
    fault = await _kvm_fault(guest, qemu_info, images, directory, sockets, within_s, place)
    if not fault:
        return "kvm", ""
    where = f"on {place.name}" if place.name else "here"
    if wanted == "kvm":
        instead = f"leave {DIRTY_LIMIT} out, which needs KVM's dirty ring" if guest.dirty_ring else "use accel=tcg"
        raise HostRequirementError(f"KVM cannot run this guest {where}: {fault}; {instead}")
    return "tcg", f"using TCG: {fault}" if where == "here" else f"using TCG: {where}, {fault}"


async def _kvm_fault(
    guest: Guest,
    qemu_info: QemuInfo,
    images: Path,
    directory: Path,
    sockets: Path,
    within_s: float,
    place: Place,
) -> str:
    if not qemu_info.has_kvm:
        return f"{qemu_info.binary} was built without KVM"
    if guest.profile.arch != place.machine.replace("ppc64le", "ppc64"):
        return f"the host is {place.machine}, the guest {guest.profile.arch}"
    if not place.may_use_kvm:
        return "/dev/kvm is missing or cannot be opened"
    ram = max(256 * MIB, guest.profile.ram_multiple_bytes)
    trial = replace(
        guest,
        accel="kvm",
        ram_bytes=ram,
        backing=plan("anonymous", place.page_bytes, ram, base_bytes=place.page_bytes),
        orders=Orders("sequential", MIB, 0, 4096, vcpus=guest.orders.vcpus),
        linux=replace(guest.linux, hugepage_bytes=None) if guest.linux else None,
    )
    try:
        async with asyncio.timeout(within_s):
            arguments = (*qemu_info.confinement(place.launcher), *await place.arguments(trial.arguments(images)))
            name = f"trial-kvm{place.suffix}"
            process = QemuProcess(
                name, qemu_info.binary, arguments, directory, sockets, NoNetwork(), launcher=place.launcher
            )
            async with process as qemu:
                await started(qemu)
                if guest.dirty_ring and not await dirties_while_tracked(qemu):
                    return "once QEMU tracks dirty pages through the dirty ring, the guest stops dirtying"
    except TimeoutError:
        return f"a guest under KVM dirtied no page within {within_s:g} s"
    except HarnessError as error:
        return str(error)
    return ""
