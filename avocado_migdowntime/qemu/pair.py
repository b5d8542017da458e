# SPDX-License-Identifier: GPL-2.0-or-later
"""A source and a destination QEMU, ready to migrate, with everything they borrow from their hosts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..basics.units import MIB
from ..errors import HarnessError
from ..host.resources import HostResources
from ..host.workdir import work_directory
from ..parameters.table import Parameters
from ..trace.model import DESTINATION, TRACKED
from .ends import Ends, planned_ends
from .filling import filling
from .guest import Guest
from .link import Link, open_link
from .place import Here, Place
from .places import places
from .planning import check_among_themselves
from .probe import QemuInfo
from .process import START_S, QemuProcess
from .settings import typed
from .tls import Credentials, credentials


@dataclass(frozen=True)
class Side:
    """A QEMU and its host."""

    qemu: QemuProcess
    place: Place


@dataclass(frozen=True)
class Pair:
    """Two running QEMUs, the guest that the source runs, and the link between them.

    `sockets` is a private directory that is removed with them; `credentials` are for an encrypted migration. The task
    `filled` is done when all their hugepages are allocated; it raises HostRequirementError if a host lacks them.
    `sides` are the QEMUs with their hosts.
    """

    source: QemuProcess
    destination: QemuProcess
    qemu_info: QemuInfo
    guest: Guest
    link: Link
    credentials: Credentials
    sockets: Path
    filled: asyncio.Task[None]
    sides: tuple[Side, Side]

    @property
    def uri(self) -> str:
        """The source's address of the destination, valid once the pair is configured."""
        return self.link.uri

    async def configure(self, parameters: Parameters) -> Mapping[str, Any]:
        """Set migration capabilities and parameters on both ends; return the header of the trace to come.

        Raises HarnessError if QEMU refuses, or reports other values than were set.
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
                    f"QEMU says {answer} in its answer to query-migrate-parameters, although {value} was set just "
                    "before; try another QEMU"
                )
        qemu, its = [await end.execute("query-version") for end in (self.source, self.destination)]
        return {
            "qemu": qemu,
            **({} if its == qemu else {DESTINATION: its}),
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
            TRACKED: list(in_force),
        }


@asynccontextmanager
async def launched_pair(parameters: Parameters, directory: Path, say: Callable[[str], None]) -> AsyncIterator[Pair]:
    """Launch both ends of a migration. On leaving, both end, and each host gets back all that it lent.

    QEMU's own output goes to `directory`. Raises UsageError, HostRequirementError or HarnessError.
    """
    check_among_themselves(parameters)
    with HostResources() as resources, work_directory(resources) as sockets, ExitStack() as stack:
        here = Here(resources, stack, sockets)
        async with places(parameters, here, say) as (at_source, at_destination):
            ends = await planned_ends(parameters, at_source, at_destination, resources, directory, sockets, say)
            link = await _link(parameters, ends, sockets, stack, say)
            await ends.lend_hugepages(parameters.reserve_hugepages)
            tls = credentials(parameters.tls, link.peer)
            # The user's own arguments may make QEMU start a process, such as the script of a tap device.
            spawning = link.spawns or bool(parameters.qemu_arguments)
            incoming = ("-incoming", "defer", *(("-S",) if parameters.integrity else ()))
            source, destination = [
                QemuProcess(
                    side,
                    end.info.binary,
                    (
                        *end.info.confinement(end.place.launcher, spawning=spawning),
                        *end.arguments,
                        *await tls.arguments(side, end.place),
                        *more,
                    ),
                    directory,
                    sockets,
                    network,
                    end.place.launcher,
                    # Short enough to name a QEMU that hangs as it starts, before the run is given up.
                    min(START_S, parameters.time_limit / 2),
                )
                for side, end, more, network in (
                    ("source", ends.source, (), link.source),
                    ("destination", ends.destination, incoming, link.destination),
                )
            ]
            async with AsyncExitStack() as running:
                async with ends.handing_over():
                    await _enter_all(running, source, destination)
                sides = (Side(source, at_source), Side(destination, at_destination))
                fills = [partial(each.place.fill, each.qemu, ends.guest.backing, parameters.ram) for each in sides]
                async with filling(fills) as filled:
                    yield Pair(source, destination, ends.source.info, ends.guest, link, tls, sockets, filled, sides)


async def _link(
    parameters: Parameters, ends: Ends, sockets: Path, stack: ExitStack, say: Callable[[str], None]
) -> Link:
    """The link of the migration; raises HostRequirementError if the hosts cannot provide it."""
    source, destination = ends.source.place, ends.destination.place
    if source is destination:
        return stack.enter_context(open_link(parameters, sockets, say))
    from .network_link import network_link

    return await network_link(source, destination, say)


async def _enter_all(stack: AsyncExitStack, *processes: QemuProcess) -> None:
    """Start several QEMUs at once; the stack ends those that did start."""
    starts = [asyncio.create_task(stack.enter_async_context(process)) for process in processes]
    try:
        await asyncio.gather(*starts)
    finally:
        for start in starts:
            start.cancel()
        await asyncio.gather(*starts, return_exceptions=True)
