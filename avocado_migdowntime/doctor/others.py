# SPDX-License-Identifier: GPL-2.0-or-later
"""Examines the other hosts of the default run, over SSH."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import HostRequirementError, MigDowntimeError
from ..host.pool import Counters
from ..host.resources import HostResources
from ..parameters.table import Parameters
from ..qemu.backing import plan
from ..qemu.guest import choose_machine
from ..qemu.place import Here, Place
from ..qemu.places import check_apart, far_place, hosts_of
from ..qemu.planning import check, check_among_themselves
from ..qemu.profiles import PROFILES
from .host import Lock, Network, OtherHost, Pages, Qemu
from .kvm import try_kvm
from .reading import cpu_of

if TYPE_CHECKING:
    from ..qemu.far_place import FarPlace


@dataclass
class Reached:
    """The hosts of the sides that run elsewhere: those that answer, and why the others do not."""

    places: "dict[str, FarPlace]" = field(default_factory=dict)
    faults: dict[str, OtherHost] = field(default_factory=dict)


async def reach(stack: AsyncExitStack, default: Parameters, here: Here, say: Callable[[str], None]) -> Reached:
    """Connect to them until the stack is left; takes no turn."""
    reached = Reached()
    for side, host in hosts_of(default).items():
        try:
            place = await far_place(stack, side, host, say)
            check_apart(here, {**reached.places, side: place})
            reached.places[side] = place
        except MigDowntimeError as error:
            reached.faults[side] = OtherHost(host, fault=str(error))
    return reached


async def look_at(reached: Reached, default: Parameters, directory: Path, resources: HostResources) -> list[OtherHost]:
    """Examine all of them, one after the other."""
    hosts = dict(reached.faults)
    for side, place in reached.places.items():
        own = directory / side
        own.mkdir()
        try:
            hosts[side] = await _other(place, side, default, own, resources)
        except MigDowntimeError as error:
            hosts[side] = OtherHost(place.name, fault=str(error))
    return [hosts[side] for side in hosts_of(default)]


async def look_between(reached: Reached, here: Here, say: Callable[[str], None]) -> Network | None:
    """Try the network from the source's host to the destination's; None if one of them does not answer."""
    if reached.faults or not reached.places:
        return None
    from ..qemu.network_link import network_link

    source, destination = (_place(reached, here, side) for side in ("source", "destination"))
    try:
        return Network(bytes_per_s=(await network_link(source, destination, say)).bytes_per_s)
    except HostRequirementError as lacking:
        return Network(fault=str(lacking))


def _place(reached: Reached, here: Here, side: str) -> Place:
    return reached.places.get(side, here)


async def _other(
    place: "FarPlace", side: str, default: Parameters, directory: Path, resources: HostResources
) -> OtherHost:
    state, _ = await place.conversation.ask("look")
    backing = plan(default.backing, default.page_size, default.ram, Path("/"), place.page_bytes, default.numa_nodes)
    qemu, kvm = Qemu(default.arch, PROFILES[default.arch].package), None
    wanted = default.qemu if side == "source" else default.qemu_destination or default.qemu
    try:
        qemu = replace(qemu, is_named=wanted is not None)
        qemu = replace(qemu, binary=await place.binary(wanted, default.arch))
        info = await place.probed(qemu.binary, directory, directory)
        qemu = qemu.answered(info.release, info.machines, info.has_kvm, info.migrate_capabilities)
        check_among_themselves(default)
        check(info, default)
        choose_machine(PROFILES[default.arch], info, default.machine)
        own_arch = place.machine.replace("ppc64le", "ppc64") == default.arch
        if default.accel == "kvm" or (default.accel == "auto" and own_arch):
            kvm = await try_kvm(place, info, directory, resources, state["kvm_exists"])
    except MigDowntimeError as error:
        qemu = replace(qemu, fault=str(error))
    return OtherHost(
        place.name,
        python=place.conversation.facts["python"],
        qemu=qemu,
        kvm=kvm,
        page_size_bytes=default.page_size,
        pages=_pages(state, default, backing.hugepages_needed),
        small_pages_bytes=0 if backing.hugepages_needed else default.ram,
        available_bytes=state["available_bytes"],
        cpu=cpu_of(state),
        lock=Lock(bool(state["turn"]), who=state["turn"]),
        root=state["root"],
    )


def _pages(state: Mapping[str, Any], default: Parameters, needed: int) -> Pages | None:
    """The pages that the run needs; None if it needs none, or if that host has none of this size."""
    for pool in state["pools"]:
        if needed and pool["page_bytes"] == default.page_size:
            counters = Counters(*pool["counters"])
            missing = max(0, needed - counters.available)
            grows = default.reserve_hugepages and pool["resizable"]
            command = f"echo {counters.total + missing} > {pool['file']}"
            return Pages(default.page_size, counters, (), needed, missing, grows, command)
    return None
