# SPDX-License-Identifier: GPL-2.0-or-later
"""What the migration goes over, from source to destination; QMP goes through the file system in any case."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any, Protocol

from ..errors import HarnessError
from ..host.netns import Namespace
from ..host.shaped import shaped_link
from ..host.wire import ShapedLink
from ..parameters.table import Parameters
from .process import QemuProcess


class Link(Protocol):
    """A way to the destination: `uri` is where the source finds it, once it listens.

    `header` is what a trace says of the link. A QEMU has to run in the namespace of its side, if there is one.
    It carries `bytes_per_s`, infinite where that is not known.
    """

    uri: str
    bytes_per_s: float
    header: Mapping[str, Any]
    source: Namespace | None
    destination: Namespace | None

    async def listen(self, destination: QemuProcess) -> None:
        """Have the destination wait for the source; raises HarnessError."""


class UnixLink:
    """A socket in a directory that both sides see."""

    source: Namespace | None = None
    destination: Namespace | None = None
    bytes_per_s = inf

    def __init__(self, sockets: Path) -> None:
        self.uri = f"unix:{sockets}/migration"
        self.header: Mapping[str, Any] = {"link": "unix"}

    async def listen(self, destination: QemuProcess) -> None:
        """Have the destination wait for the source; raises HarnessError."""
        await destination.execute("migrate-incoming", {"uri": self.uri})


class TcpLink:
    """A port that the destination chooses, so that it is nobody else's, at an address of its own.

    The source sees it at `address`; where that is another than its own, it `listens_at` that.

    Source: `socket-address` of query-migrate at the destination, since QEMU 4.0 (qapi/migration.json).
    """

    def __init__(
        self,
        address: str,
        header: Mapping[str, Any],
        source: Namespace | None = None,
        destination: Namespace | None = None,
        listens_at: str = "",
        bytes_per_s: float = inf,
    ) -> None:
        self.uri = ""
        self.header = header
        self.bytes_per_s = bytes_per_s
        self.source = source
        self.destination = destination
        self._address = _bracketed(address)
        self._listens_at = _bracketed(listens_at or address)

    async def listen(self, destination: QemuProcess) -> None:
        """Have the destination wait for the source; raises HarnessError."""
        await destination.execute("migrate-incoming", {"uri": f"tcp:{self._listens_at}:0"})
        listening = (await destination.execute("query-migrate")).get("socket-address") or [{}]
        if not (port := listening[0].get("port", "")).isdecimal():
            raise HarnessError(
                "the destination QEMU listens for the source and does not say at which port, as those from 4.0 on do; "
                "use link=unix"
            )
        self.uri = f"tcp:{self._address}:{port}"


def _bracketed(address: str) -> str:
    """As QEMU wants it before a port (util/qemu-sockets.c: inet_parse)."""
    return f"[{address}]" if ":" in address else address


@contextmanager
def open_link(parameters: Parameters, sockets: Path, say: Callable[[str], None]) -> Iterator[Link]:
    """The link that `parameters` ask for; raises HostRequirementError where this host cannot have it."""
    match parameters.link:
        case "unix":
            yield UnixLink(sockets)
        case "tcp":
            yield TcpLink("127.0.0.1", {"link": "tcp"})
        case _:
            with shaped_link(parameters.link_rate) as shaped:
                say(f"a link of {parameters.link_rate / 1e6:g} MB/s carries {shaped.bytes_per_s / 1e6:.2f} MB/s")
                yield _over(shaped, parameters.link_rate)


def _over(shaped: ShapedLink, wanted_bytes_per_s: int) -> TcpLink:
    header = {"link": "shaped", "link_rate": wanted_bytes_per_s, "link_bytes_per_s": round(shaped.bytes_per_s)}
    return TcpLink(shaped.address, header, shaped.source, shaped.destination, bytes_per_s=shaped.bytes_per_s)
