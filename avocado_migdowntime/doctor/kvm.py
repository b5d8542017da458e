# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a guest really starts under KVM, on this host or another."""

from dataclasses import replace
from pathlib import Path

from ..basics.resources import directory as resource
from ..host.resources import HostResources
from ..parameters.table import Parameters
from ..qemu.accel import choose_accel
from ..qemu.backing import plan
from ..qemu.place import Place
from ..qemu.planning import planned_guest
from ..qemu.probe import QemuInfo
from .host import Kvm


async def try_kvm(
    place: Place, qemu_info: QemuInfo, directory: Path, resources: HostResources, device_exists: bool
) -> Kvm:
    """Try KVM with a small guest of that QEMU's architecture; raises UsageError or HostRequirementError."""
    parameters = replace(Parameters(), arch=qemu_info.arch, backing="anonymous", page_size=place.page_bytes)
    backing = plan(parameters.backing, parameters.page_size, parameters.ram, base_bytes=place.page_bytes)
    guest = await planned_guest(parameters, qemu_info, backing, resources, lambda _: None)
    _, why = await choose_accel("auto", guest, qemu_info, resource("images"), directory, directory, place)
    fault = why.removeprefix("using TCG: ").removeprefix(f"on {place.name}, ")
    return Kvm(qemu_info.arch, fault, device_exists, place.may_use_kvm)
