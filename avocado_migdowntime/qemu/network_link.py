# SPDX-License-Identifier: GPL-2.0-or-later
"""The network between two hosts, and its bandwidth, measured before a migration goes over it."""

import asyncio
from collections.abc import Callable

from ..errors import HarnessError, HostRequirementError
from .far_place import FarPlace
from .link import TcpLink
from .place import Place

_LINK_S = 30.0


async def network_link(source: Place, destination: Place, say: Callable[[str], None]) -> TcpLink:
    """The network from one host to the other; raises HostRequirementError if nothing gets through."""
    names = [place.name or "here" for place in (source, destination)]
    failures = []
    for address, listens_at in _ways(source, destination):
        try:
            async with asyncio.timeout(_LINK_S):
                bytes_per_s = await _carried(source, destination, address, listens_at)
        except (OSError, HarnessError, TimeoutError) as error:
            failures.append(f"at {address}: {str(error) or 'nothing arrived'}")
            continue
        say(f"the network from {names[0]} to {names[1]} carries {bytes_per_s / 1e6:.2f} MB/s")
        header = {"link": "tcp", "link_bytes_per_s": round(bytes_per_s)}
        sides = ("source", source), ("destination", destination)
        header |= {f"{side}_host": place.name for side, place in sides if place.name}
        return TcpLink(address, header, listens_at=listens_at, bytes_per_s=bytes_per_s)
    raise HostRequirementError(
        f"no TCP connection gets from {names[0]} to {names[1]} {'; '.join(failures)}; allow TCP connections to any "
        "port there"
    )


def _ways(source: Place, destination: Place) -> list[tuple[str, str]]:
    """Pairs of addresses to try: the one that the source connects to, and the one that the destination listens at."""
    if not isinstance(destination, FarPlace):
        assert isinstance(source, FarPlace)
        return [(source.connection.address_here, source.connection.own_address_here)]
    its, own = destination.connection.its_address, destination.connection.own_address
    # How one far host sees the other is not known here. Try the address that it has for itself, then the one seen from
    # here.
    ways = [(own, own), (its, own)] if isinstance(source, FarPlace) else [(its, own)]
    return list(dict.fromkeys(ways))


async def _carried(source: Place, destination: Place, address: str, listens_at: str) -> float:
    port = await destination.listen(listens_at)
    received = asyncio.create_task(destination.receive())
    try:
        await source.send(address, port)
        return await received
    finally:
        received.cancel()
        await asyncio.gather(received, return_exceptions=True)
