# SPDX-License-Identifier: GPL-2.0-or-later
"""A source and a destination QEMU on this host, ready to migrate, with everything they borrow from it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..basics.resources import directory as resource
from ..basics.units import MIB
from ..errors import HarnessError
from ..host.hugepages import lease_hugepages
from ..host.hugetlbfs import hugetlbfs_directory
from ..host.resources import HostResources
from ..host.workdir import work_directory
from ..parameters.table import Parameters
from ..trace.model import TRACKED
from .accel import choose_accel
from .backing import plan
from .filling import filling
from .guest import Guest
from .link import Link, open_link
from .planning import check, check_among_themselves, for_architecture, planned_guest
from .probe import QemuInfo, find_binary
from .process import QemuProcess
from .remembered import probed
from .settings import check_ranges, typed
from .tls import Credentials, credentials


@dataclass(frozen=True)
class Pair:
    """Two running QEMUs, the guest that the source runs, and the link between them.

    `sockets` is a private directory that goes when they do; `credentials` are what an encrypted migration takes. Their
    hugepages are all made when `filled` is done; it raises HostRequirementError where they are not to be had.
    """

    source: QemuProcess
    destination: QemuProcess
    qemu_info: QemuInfo
    guest: Guest
    link: Link
    credentials: Credentials
    sockets: Path
    filled: asyncio.Task[None]

    @property
    def uri(self) -> str:
        """Where the source finds the destination, once the pair is configured."""
        return self.link.uri

    async def configure(self, parameters: Parameters) -> Mapping[str, Any]:
        """Set migration parameters and capabilities on both ends; gives the header of the trace to come.

        Raises HarnessError where QEMU refuses, or says that it has other parameters.
        """
        capabilities = ("events", *parameters.capabilities)
        settings = {
            "max-bandwidth": parameters.bytes_per_s,
            "downtime-limit": parameters.downtime_limit,
            **typed(self.qemu_info, parameters.migrate_parameters),
        }
        switched = [{"capability": name, "state": True} for name in capabilities]
        for qemu in (self.source, self.destination):
            of_side = self.credentials.settings.get(qemu.name, {})
            await qemu.execute("migrate-set-capabilities", {"capabilities": switched})
            await qemu.execute("migrate-set-parameters", {**settings, **of_side})
        await self.link.listen(self.source, self.destination)
        in_force = await self.source.execute("query-migrate-parameters")
        for name, value in settings.items():
            if in_force.get(name) != value:
                answer = f"that its {name} is {in_force[name]}" if name in in_force else f"nothing of its {name!r}"
                raise HarnessError(
                    f"QEMU says {answer} in its answer to query-migrate-parameters, where {value} was set just before; "
                    "try another QEMU"
                )
        return {
            "qemu": await self.source.execute("query-version"),
            "arch": self.guest.profile.arch,
            "accelerator": self.guest.accel,
            "machine": self.guest.machine,
            "boot": self.guest.boot,
            "guest": self.guest.name,
            "ram_mib": self.guest.ram_bytes // MIB,
            "dirtied_mib": self.guest.orders.region_bytes / MIB,
            "orders": str(self.guest.orders),
            "granule": self.guest.orders.granule_bytes,
            "backing": self.guest.backing.kind,
            "backing_page_size": self.guest.backing.page_size_bytes,
            **self.link.header,
            "tls": parameters.tls,
            "qemu_arguments": list(parameters.qemu_arguments),
            "capabilities": list(capabilities),
            "migrate-parameters": in_force,
            TRACKED: list(settings),
        }


@asynccontextmanager
async def launched_pair(parameters: Parameters, directory: Path, say: Callable[[str], None]) -> AsyncIterator[Pair]:
    """Launch both ends of a migration as `parameters` say; on leaving, they end and the host has all it lent.

    QEMU's own output goes to `directory`. Raises UsageError, HostRequirementError or HarnessError.
    """
    check_among_themselves(parameters)
    binary = find_binary(parameters.qemu, parameters.arch)
    with HostResources() as resources, work_directory(resources) as sockets, ExitStack() as stack:
        hugetlbfs = None
        if parameters.backing == "hugetlbfs":
            hugetlbfs = stack.enter_context(hugetlbfs_directory(resources, parameters.page_size))
        backing = plan(parameters.backing, parameters.page_size, parameters.ram, hugetlbfs)
        qemu_info = await probed(binary, directory, sockets)
        parameters = for_architecture(parameters, qemu_info)
        check(qemu_info, parameters)
        destination_info = qemu_info
        if parameters.qemu_destination:
            destination_binary = find_binary(parameters.qemu_destination, parameters.arch)
            destination_info = await probed(destination_binary, directory, sockets)
            check(destination_info, parameters)
        await check_ranges(qemu_info, typed(qemu_info, parameters.migrate_parameters), directory, sockets)
        images = resource("images")
        guest = await planned_guest(parameters, qemu_info, backing, resources, say)
        accel, why = await choose_accel(parameters.accel, guest, qemu_info, images, directory, sockets)
        guest = guest.under(accel, parameters.tlb_flush)
        because = f" ({why})" if why else ""
        say(f"QEMU {qemu_info.release_text}, {guest.name} on {guest.machine} under {accel.upper()}{because}")
        link = stack.enter_context(open_link(parameters, sockets, say))
        pages = stack.enter_context(
            lease_hugepages(
                resources, backing.page_size_bytes, 2 * backing.hugepages_needed, allowed=parameters.reserve_hugepages
            )
        )
        made = credentials(parameters.tls, sockets)
        arguments = (*guest.arguments(images), *parameters.qemu_arguments)
        incoming = ("-incoming", "defer", *(("-S",) if parameters.integrity else ()))
        # What a user adds may start a process of its own, such as the script of a tap.
        spawning = link.spawns or bool(parameters.qemu_arguments)
        source, destination = (
            QemuProcess(side, info.binary, (*info.confinement(spawning=spawning), *words), directory, sockets, network)
            for side, info, words, network in (
                ("source", qemu_info, (*arguments, *made.arguments_of("source")), link.source),
                (
                    "destination",
                    destination_info,
                    (*arguments, *made.arguments_of("destination"), *incoming),
                    link.destination,
                ),
            )
        )
        async with AsyncExitStack() as running:
            with pages.hand_over():
                await _enter_all(running, source, destination)
            async with filling((source, destination), backing, parameters.ram) as filled:
                yield Pair(source, destination, qemu_info, guest, link, made, sockets, filled)


async def _enter_all(stack: AsyncExitStack, *processes: QemuProcess) -> None:
    """Start several QEMUs at once; whichever did start is ended by the stack."""
    starts = [asyncio.create_task(stack.enter_async_context(process)) for process in processes]
    try:
        await asyncio.gather(*starts)
    finally:
        for start in starts:
            start.cancel()
        await asyncio.gather(*starts, return_exceptions=True)
