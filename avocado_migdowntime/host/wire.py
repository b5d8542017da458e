# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes two network namespaces joined by a link of a chosen rate, by the commands `ip` and `tc`."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..basics.packages import IPROUTE2
from ..basics.programs import WHERE, find_program
from ..errors import HostRequirementError
from .netns import Namespace, new_namespace
from .throughput import payload_bytes_per_s

_DEVICE = "wire"
_ADDRESSES = ("198.18.0.1", "198.18.0.2")
"""Reserved for tests of networks (RFC 2544); nobody else is in these namespaces."""
_MTU_BYTES = 9000
_FRAME_BYTES = _MTU_BYTES + 14
_PAYLOAD_BYTES = _MTU_BYTES - 52
"""The TCP payload of a frame: 20 bytes are IPv4's header, 32 TCP's with time stamps."""
_BURST_S = 0.02
"""On a busy host the shaper may be late by this much and still catch up."""
_BUFFERED_S = 0.02
_BUFFERED_LEAST_BYTES = 64 << 10
_SEND_BUFFERS = Path("/proc/sys/net/ipv4/tcp_wmem")
_QUEUE_BYTES = 4 << 20
"""More than TCP keeps below its sockets, so that nothing is dropped."""


@dataclass(frozen=True)
class ShapedLink:
    """A link to `address` in `destination` that carries `bytes_per_s` of a TCP connection's payload, as measured.

    `in_user_namespace` says whether the namespaces belong to a user namespace, made without root.
    """

    source: Namespace
    destination: Namespace
    address: str
    bytes_per_s: float
    in_user_namespace: bool = False


@contextmanager
def wire(bytes_per_s: int) -> Iterator[ShapedLink]:
    """A link, made by this process, that carries `bytes_per_s` of payload to its destination; the way back is not
    limited.

    A token bucket (tc-tbf(8)) before a veth pair sets the rate. Raises HostRequirementError, with what fixes it, if
    this process, its programs or the kernel cannot make the link; HarnessError if nothing gets through.
    """
    with new_namespace() as source, new_namespace() as destination:
        device = (_DEVICE, "mtu", str(_MTU_BYTES))
        _ip(source, "link", "add", *device, "type", "veth", "peer", "name", *device, "netns", destination.path)
        for namespace, address in zip((source, destination), _ADDRESSES, strict=True):
            _ip(namespace, "address", "add", f"{address}/30", "dev", _DEVICE)
            _ip(namespace, "link", "set", _DEVICE, "up")
        _shape(source, bytes_per_s)
        source.run(lambda: _keep_buffers_small(bytes_per_s))
        address = _ADDRESSES[1]
        yield ShapedLink(source, destination, address, payload_bytes_per_s(source, destination, address))


def _shape(namespace: Namespace, bytes_per_s: int) -> None:
    # tbf counts whole frames, even where the kernel passes it many at once. It splits such a packet if it is bigger
    # than the bucket; so the bucket needs to hold only a few frames.
    rate = round(bytes_per_s * _FRAME_BYTES / _PAYLOAD_BYTES)
    burst = max(2 * _FRAME_BYTES, round(rate * _BURST_S))
    bucket = ("rate", f"{rate}bps", "burst", str(burst), "limit", str(_QUEUE_BYTES))
    _run(namespace, "CONFIG_NET_SCH_TBF", "tc", "qdisc", "add", "dev", _DEVICE, "root", "tbf", *bucket)


def _keep_buffers_small(bytes_per_s: int) -> None:
    # QEMU counts what its socket buffers as sent. By default that is up to 4 MiB, a third of a second at 100 Mbit/s.
    # QEMU's figures, each over 0.1 s, would jump, and its downtime would end before the link has carried everything.
    most = max(_BUFFERED_LEAST_BYTES, round(bytes_per_s * _BUFFERED_S))
    try:
        least, first, _ = map(int, _SEND_BUFFERS.read_text().split())
        _SEND_BUFFERS.write_text(f"{least} {min(first, most)} {most}")
    except OSError as error:
        raise HostRequirementError(
            f"{_SEND_BUFFERS} of a new network namespace cannot be set ({error.strerror}), which link=shaped needs; "
            "have /proc/sys writable, or use link=tcp or link=unix"
        ) from None


def _ip(namespace: Namespace, *arguments: str) -> None:
    _run(namespace, "CONFIG_VETH", "ip", *arguments)


def _run(namespace: Namespace, option: str, *command: str) -> None:
    program = find_program(command[0])
    if program is None:
        raise HostRequirementError(
            f"link=shaped needs {command[0]}, which is not {WHERE}; install it with: {IPROUTE2.install}"
        )

    def run() -> subprocess.CompletedProcess[str]:
        line = [program, *command[1:]]
        return subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    process = namespace.run(run)
    if process.returncode:
        stderr = " ".join(process.stderr.split())
        raise HostRequirementError(
            f"`{' '.join(command)}` failed with {stderr!r}; link=shaped needs a kernel with {option}, "
            "else use link=tcp or link=unix"
        )
