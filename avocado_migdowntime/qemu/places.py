# SPDX-License-Identifier: GPL-2.0-or-later
"""On which hosts the two sides of a migration run."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ..agent.turn import identity
from ..errors import UsageError
from ..parameters.host_address import parse_host
from ..parameters.table import Parameters
from .place import Here, Place

if TYPE_CHECKING:
    from .far_place import FarPlace

_TURN_AGAIN_S = 0.2
"""So often it is seen whether the turn of another host is to be had."""


@asynccontextmanager
async def places(parameters: Parameters, here: Here, say: Callable[[str], None]) -> AsyncIterator[tuple[Place, Place]]:
    """That of the source and that of the destination, once it is this one's turn on each other host.

    Raises UsageError where two of the hosts are one, HostRequirementError or HarnessError.
    """
    async with AsyncExitStack() as stack:
        far = {
            side: await _far_place(stack, side, named_by, host, say)
            for side, named_by, host in (
                ("source", "qemu", parameters.source_host),
                ("destination", "qemu_destination", parameters.destination_host),
            )
            if host
        }
        _check_apart(far)
        # In an order that is the same for all who want them: two that wait for each other would wait for ever.
        for place in sorted(far.values(), key=lambda place: str(place.conversation.facts["identity"])):
            await _take_turn(place, say)
        yield far.get("source", here), far.get("destination", here)


async def _far_place(
    stack: AsyncExitStack, side: str, named_by: str, host: str, say: Callable[[str], None]
) -> "FarPlace":
    from ..remote.ssh import connected
    from .far_place import FarPlace

    address = parse_host(host)
    say(f"connecting to {address}")
    return FarPlace(await stack.enter_async_context(connected(address)), side, named_by)


def _check_apart(far: "dict[str, FarPlace]") -> None:
    """Raise UsageError where a host is this one, or both are the same: it would wait for its own turn."""
    names = {identity(): ""}
    for side, place in far.items():
        its = place.conversation.facts["identity"]
        if its and its in names:
            other = f"the same host as {names[its]}" if names[its] else "this host"
            raise UsageError(f"{side}_host={place.name} is {other}; leave it out, or name another host")
        names[its] = f"{side}_host={place.name}"


async def _take_turn(place: "FarPlace", say: Callable[[str], None]) -> None:
    said = ""
    while holder := (await place.conversation.ask("turn"))[0]:
        if holder != said:
            say(f"waiting for another test on {place.name} to end: that of {holder}")
            said = holder
        await asyncio.sleep(_TURN_AGAIN_S)
