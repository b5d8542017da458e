# SPDX-License-Identifier: GPL-2.0-or-later
"""The transport of a migration from source to destination. QMP always goes through UNIX sockets."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any

from ..errors import HarnessError, HostRequirementError
from ..host.netns import Network, NoNetwork
from ..host.shaped import shaped_link
from ..host.wire import ShapedLink
from ..parameters.table import Parameters
from .process import QemuProcess

_FD = "migration"
"""The name by which each QEMU knows the descriptor passed to it."""
_VSOCK_LOOPBACK = 1
"""The context ID of this host itself (vsock(7): VMADDR_CID_LOCAL)."""


class Link:
    """A way to the destination: `uri` is the source's address of it, once the destination listens.

    `header` has the link's fields of the trace header. `source` and `destination` are the networks in which the QEMUs
    must run; None is the host's. If the link `spawns`, QEMU starts a process for it. It carries `bytes_per_s`, infinite
    if not known. A certificate of the destination must be issued for `peer`.
    """

    source: Network | None = NoNetwork()
    destination: Network | None = NoNetwork()
    spawns = False
    bytes_per_s = inf
    peer = "destination.migration"

    def __init__(self, uri: str, header: Mapping[str, Any]) -> None:
        self.uri = uri
        self.header = header

    async def listen(self, source: QemuProcess, destination: QemuProcess) -> None:
        """Make the destination wait for the source; raises HarnessError."""
        await destination.execute("migrate-incoming", {"uri": self.uri})

    async def deliver(self, destination: QemuProcess) -> None:
        """Once the source is done, let the destination read what it left; raises HarnessError."""


class TcpLink(Link):
    """A TCP port. The destination chooses it, so that it is free.

    The source connects to `address`; if the destination's own address differs, it `listens_at` that one. Source:
    `socket-address` of query-migrate at the destination, since QEMU 4.0 (qapi/migration.json).
    """

    def __init__(
        self,
        address: str,
        header: Mapping[str, Any],
        source: Network | None = None,
        destination: Network | None = None,
        listens_at: str = "",
        bytes_per_s: float = inf,
    ) -> None:
        super().__init__("", header)
        self.bytes_per_s = bytes_per_s
        self.source = source
        self.destination = destination
        # The zone of an address means nothing to other hosts.
        self.peer = address.partition("%")[0]
        self._address = _bracketed(address)
        self._listens_at = _bracketed(listens_at or address)

    async def listen(self, source: QemuProcess, destination: QemuProcess) -> None:
        """Make the destination wait for the source; raises HarnessError."""
        await destination.execute("migrate-incoming", {"uri": f"tcp:{self._listens_at}:0"})
        listening = (await destination.execute("query-migrate")).get("socket-address") or [{}]
        if not (port := listening[0].get("port", "")).isdecimal():
            raise HarnessError(
                "the destination QEMU does not report the port that it listens on, as QEMU 4.0 and later do; "
                "use link=unix"
            )
        self.uri = f"tcp:{self._address}:{port}"


def _bracketed(address: str) -> str:
    """The address as QEMU wants it before a port (util/qemu-sockets.c: inet_parse)."""
    return f"[{address}]" if ":" in address else address


class VsockLink(Link):
    """A port of the host's vsock loopback; each network of the host has its own."""

    source = None
    destination = None


class FdLink(Link):
    """A pair of connected sockets; each QEMU is passed one."""

    def __init__(self) -> None:
        super().__init__(f"fd:{_FD}", {"link": "fd"})

    async def listen(self, source: QemuProcess, destination: QemuProcess) -> None:
        """Make the destination wait for the source; raises HarnessError."""
        for qemu, end in zip((source, destination), socket.socketpair(), strict=True):
            with end:
                await qemu.give(_FD, end.fileno())
        await super().listen(source, destination)


class ExecLink(Link):
    """A named pipe: a command that the source starts writes into it, and one of the destination's reads from it."""

    spawns = True

    def __init__(self, sockets: Path) -> None:
        self._pipe = sockets / "migration"
        super().__init__(f"exec:exec cat > {self._pipe}", {"link": "exec"})

    async def listen(self, source: QemuProcess, destination: QemuProcess) -> None:
        """Make the destination wait for the source; raises HarnessError."""
        os.mkfifo(self._pipe, 0o600)
        await destination.execute("migrate-incoming", {"uri": f"exec:exec cat {self._pipe}"})


class FileLink(Link):
    """A file; the destination reads it after the source has written all of it."""

    def __init__(self, sockets: Path) -> None:
        super().__init__(f"file:{sockets}/migration", {"link": "file"})

    async def listen(self, source: QemuProcess, destination: QemuProcess) -> None:
        """Do nothing: the destination reads later."""

    async def deliver(self, destination: QemuProcess) -> None:
        """Make the destination read the file; raises HarnessError."""
        await destination.execute("migrate-incoming", {"uri": self.uri})


@contextmanager
def open_link(parameters: Parameters, sockets: Path, say: Callable[[str], None]) -> Iterator[Link]:
    """The link that `parameters` ask for; raises HostRequirementError if this host cannot provide it."""
    match parameters.link:
        case "unix":
            yield Link(f"unix:{sockets}/migration", {"link": "unix"})
        case "tcp":
            yield TcpLink("127.0.0.1", {"link": "tcp"})
        case "fd":
            yield FdLink()
        case "exec":
            yield ExecLink(sockets)
        case "file":
            yield FileLink(sockets)
        case "vsock":
            yield VsockLink(f"vsock:{_VSOCK_LOOPBACK}:{_free_vsock_port()}", {"link": "vsock"})
        case _:
            with shaped_link(parameters.link_rate) as shaped:
                say(f"a link of {parameters.link_rate / 1e6:g} MB/s carries {shaped.bytes_per_s / 1e6:.2f} MB/s")
                yield _over(shaped, parameters.link_rate)


def _over(shaped: ShapedLink, wanted_bytes_per_s: int) -> TcpLink:
    header = {"link": "shaped", "link_rate": wanted_bytes_per_s, "link_bytes_per_s": round(shaped.bytes_per_s)}
    return TcpLink(shaped.address, header, shaped.source, shaped.destination, bytes_per_s=shaped.bytes_per_s)


def _free_vsock_port() -> int:
    """A free port of the host's vsock loopback."""
    try:
        with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as tried:
            tried.bind((_VSOCK_LOOPBACK, socket.VMADDR_PORT_ANY))
            return int(tried.getsockname()[1])
    except OSError as error:
        raise HostRequirementError(
            f"this host has no vsock of its own ({error.strerror}); load vsock_loopback, or use another link"
        ) from None
