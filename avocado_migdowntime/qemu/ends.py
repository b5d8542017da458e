# SPDX-License-Identifier: GPL-2.0-or-later
"""Plans the source and destination QEMU of a migration, each for the host where it is to run."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..basics.resources import directory as resource
from ..errors import HostRequirementError
from ..host.resources import HostResources
from ..parameters.table import Parameters
from .accel import choose_accel
from .backing import Backing, plan
from .guest import Guest, machine_of_both
from .place import Place
from .planning import check, for_architecture, planned_guest
from .probe import QemuInfo
from .process import START_S
from .settings import check_taken, typed

_BUSY_S = 5.0
"""On a busy host a QEMU may take some seconds to start and to answer."""


@dataclass(frozen=True)
class End:
    """One QEMU to launch: its host, its binary's abilities, and the arguments for its guest."""

    place: Place
    info: QemuInfo
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Ends:
    """Both ends of a migration; `guest` is the one launched at the source."""

    source: End
    destination: End
    guest: Guest

    async def lend_hugepages(self, allowed: bool) -> None:
        """Reserve the hugepages of both ends; raises HostRequirementError if a host lacks them."""
        backing = self.guest.backing
        here, there = self.source.place, self.destination.place
        count = backing.hugepages_needed
        await here.lend_hugepages(backing.page_size_bytes, 2 * count if there is here else count, allowed)
        if there is not here:
            await there.lend_hugepages(backing.page_size_bytes, count, allowed)

    @asynccontextmanager
    async def handing_over(self) -> AsyncIterator[None]:
        """Release the reserved hugepages to the QEMUs that are launched in this block."""
        async with AsyncExitStack() as stack:
            for place in dict.fromkeys((self.source.place, self.destination.place)):
                await stack.enter_async_context(place.handing_over())
            yield


async def planned_ends(
    parameters: Parameters,
    source: Place,
    destination: Place,
    resources: HostResources,
    directory: Path,
    sockets: Path,
    say: Callable[[str], None],
) -> Ends:
    """Plan both ends from `parameters`; raises UsageError, HostRequirementError or HarnessError."""
    binary = await source.binary(parameters.qemu, parameters.arch)
    backing = await _backing(parameters, source)
    # Short enough to name a QEMU that hangs before the run is given up, but no QEMU is called hung for a busy host.
    within_s = min(START_S, max(_BUSY_S, parameters.time_limit / 4))
    qemu_info = await source.probed(binary, directory, sockets, within_s)
    parameters = for_architecture(parameters, qemu_info)
    check(qemu_info, parameters)
    its_info, its_backing = qemu_info, backing
    if parameters.qemu_destination or destination is not source:
        its_binary = await destination.binary(parameters.qemu_destination or parameters.qemu, parameters.arch)
        its_info = await destination.probed(its_binary, directory, sockets, within_s)
        check(its_info, parameters)
    if destination is not source:
        its_backing = await _backing(parameters, destination)
    for name, place, info in (("source", source, qemu_info), ("destination", destination, its_info)):
        if name == "source" or info is not qemu_info:
            settings = typed(info, parameters.migrate_parameters)
            of_run = parameters.capabilities, settings
            await check_taken(f"settings-{name}", info, *of_run, directory, sockets, place.launcher)
    images = resource("images")
    guest = await planned_guest(parameters, qemu_info, backing, resources, say)
    guest = replace(guest, machine=machine_of_both(guest.machine, qemu_info, its_info))
    accel, why = await choose_accel(parameters.accel, guest, qemu_info, images, directory, sockets, source)
    if accel == "kvm" and destination is not source:
        accel, why = await choose_accel(parameters.accel, guest, its_info, images, directory, sockets, destination)
    guest = guest.under(accel, parameters.tlb_flush)
    because = f" ({why})" if why else ""
    what = f"{guest.name} on {guest.machine} under {accel.upper()}{because}"
    from_where, to_where = [f" on {place.name}" if place.name else "" for place in (source, destination)]
    to = f", to QEMU {its_info.release_text}{to_where}" if from_where or to_where else ""
    say(f"QEMU {qemu_info.release_text}{from_where}, {what}{to}")

    disk = _shared_disk(parameters, sockets)

    async def end(place: Place, info: QemuInfo, own: Backing) -> End:
        arguments = await place.arguments(replace(guest, backing=own).arguments(images))
        return End(place, info, (*arguments, *disk, *parameters.qemu_arguments))

    return Ends(await end(source, qemu_info, backing), await end(destination, its_info, its_backing), guest)


def _shared_disk(parameters: Parameters, directory: Path) -> tuple[str, ...]:
    """The arguments for a disk in a sparse file that both QEMUs open, if there is to be one."""
    if not parameters.shared_disk:
        return ()
    file = directory / "disk"
    file.touch(mode=0o600)
    os.truncate(file, parameters.shared_disk)
    node = f"raw,node-name=shared,file.driver=file,file.filename={file}"
    return ("-blockdev", node, "-device", "virtio-blk,drive=shared")


async def _backing(parameters: Parameters, place: Place) -> Backing:
    hugetlbfs = await place.hugetlbfs(parameters.page_size) if parameters.backing == "hugetlbfs" else None
    of = parameters.backing, parameters.page_size, parameters.ram
    try:
        return plan(*of, hugetlbfs, place.page_bytes, parameters.numa_nodes)
    except HostRequirementError as lacking:
        where = f"on {place.name}: " if place.name else ""
        raise HostRequirementError(f"{where}{lacking}") from None
