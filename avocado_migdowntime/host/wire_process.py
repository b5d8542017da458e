# SPDX-License-Identifier: GPL-2.0-or-later
"""The process that makes a shaped link in its own user namespace, passes it on, and ends (unprivileged.py).

It answers by one packet, with descriptors of its namespaces if it could make the link.
"""

import json
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..errors import MigDowntimeError, NotPermittedError
from .netns import may_make_networks
from .parent import end_with_parent
from .protocol import Refusal
from .records import by_kind, from_json, to_json
from .user_namespace import become_root, what_forbids
from .wire import wire

DESCRIPTORS = 3
"""A WireReady comes with those of the user namespace, of the source's network and of the destination's."""


@dataclass(frozen=True)
class WireReady:
    """The link exists, see `ShapedLink`."""

    kind: ClassVar[str] = "wire-ready"
    address: str
    bytes_per_s: int


WireReply = WireReady | Refusal
_REPLIES: Mapping[str, type[WireReply]] = by_kind((WireReady, Refusal))


def decode(packet: bytes) -> WireReply:
    """The reply in a packet."""
    return from_json(json.loads(packet), _REPLIES)


def _make(bytes_per_s: int, client: socket.socket) -> None:
    try:
        become_root()
        if not may_make_networks():
            raise PermissionError(0, "a network in it is refused")
    except OSError as error:
        why, mend = what_forbids(error)
        raise NotPermittedError(
            "link=shaped needs a network namespace, which this process cannot create, not even in a user namespace "
            f"({why}); {mend}, run as root, or use link=tcp or link=unix"
        ) from None
    with wire(bytes_per_s) as link, open("/proc/self/ns/user") as owner:
        ready = json.dumps(to_json(WireReady(link.address, round(link.bytes_per_s)))).encode()
        socket.send_fds(client, [ready], [owner.fileno(), link.source.descriptor, link.destination.descriptor])


def main() -> None:
    """Make a link for the socket, at the rate; the command line has its file descriptor and bytes per second."""
    end_with_parent()
    client, bytes_per_s = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    try:
        _make(bytes_per_s, client)
    except MigDowntimeError as error:
        client.send(json.dumps(to_json(Refusal.of(error))).encode())


if __name__ == "__main__":
    main()
