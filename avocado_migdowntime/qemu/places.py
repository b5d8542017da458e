# SPDX-License-Identifier: GPL-2.0-or-later
"""The hosts of the two sides of a migration."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..parameters.host_address import parse_host
from ..parameters.table import Parameters
from .place import Here, Place

if TYPE_CHECKING:
    from .far_place import FarPlace

_QEMUS = {"source": "qemu", "destination": "qemu_destination"}
"""The parameter that names the QEMU of a side."""
_TURN_AGAIN_S = 0.2
"""How often to check whether the lock of a host is free."""


@asynccontextmanager
async def places(parameters: Parameters, here: Here, say: Callable[[str], None]) -> AsyncIterator[tuple[Place, Place]]:
    """Yield the source's and the destination's place once it is this run's turn on each host.

    If both are this host, the caller already has the turn (`alone_on_host`). Raises UsageError if two hosts are the
    same one, HostRequirementError or HarnessError.
    """
    async with AsyncExitStack() as stack:
        far = {side: await far_place(stack, side, host, say) for side, host in hosts_of(parameters).items()}
        check_apart(here, far)
        if far:
            # Take turns in an order that is the same on every host: no run waits for a host that sorts before one it
            # holds, so two runs never wait for each other.
            hosts: list[Place] = [here, *far.values()]
            for place in sorted(hosts, key=lambda host: host.identity):
                await _take_turn(place, say)
        yield far.get("source", here), far.get("destination", here)


def hosts_of(parameters: Parameters) -> Mapping[str, str]:
    """The other hosts that are named, by the side that is to run there."""
    named = {"source": parameters.source_host, "destination": parameters.destination_host}
    return {side: host for side, host in named.items() if host}


async def far_place(stack: AsyncExitStack, side: str, host: str, say: Callable[[str], None]) -> "FarPlace":
    """Connect to another host until the stack is left; raises UsageError or HostRequirementError."""
    from ..remote.ssh import connected
    from .far_place import FarPlace

    address = parse_host(host)
    say(f"connecting to {address}")
    return FarPlace(await stack.enter_async_context(connected(address)), side, _QEMUS[side])


def check_apart(here: Here, far: "dict[str, FarPlace]") -> None:
    """Raise UsageError if a far host is this one, or both are the same: a run would wait for its own turn."""
    names = {here.identity: ""}
    for side, place in far.items():
        if place.identity and place.identity in names:
            same_as = names[place.identity]
            other = f"the same host as {same_as}" if same_as else "this host"
            raise UsageError(f"{side}_host={place.name} is {other}; leave it out, or name another host")
        names[place.identity] = f"{side}_host={place.name}"


async def _take_turn(place: Place, say: Callable[[str], None]) -> None:
    last_holder = ""
    while holder := await place.take_turn():
        if holder != last_holder:
            say(f"waiting for another test on {place.name or 'this host'} to end: that of {holder}")
            last_holder = holder
        await asyncio.sleep(_TURN_AGAIN_S)
