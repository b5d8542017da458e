# SPDX-License-Identifier: GPL-2.0-or-later
"""The name of another host: `[user@]host[:port]`, with an IPv6 address in brackets."""

import re
from dataclasses import dataclass

from ..basics.printable import quoted
from ..errors import UsageError

_FORM = re.compile(
    r"(?:(?P<user>[^@\s]+)@)?"
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[^\s@:\[\]]+))"
    r"(?::(?P<port>\d{1,5}))?"
)
_GREATEST_PORT = 65535


@dataclass(frozen=True)
class HostAddress:
    """Where a host's sshd is; None means the value in the user's SSH configuration."""

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" if self.user else self.host


def parse_host(value: str) -> HostAddress:
    """The host that `value` names; raises UsageError."""
    match = _FORM.fullmatch(value)
    port = int(match["port"]) if match and match["port"] else None
    name = (match["v6"] or match["name"]) if match else "-"
    # Many programs take what starts with a dash as an option.
    if match is None or name.startswith("-") or (port is not None and not 0 < port <= _GREATEST_PORT):
        raise UsageError(f"{quoted(value)} is not [USER@]HOST[:PORT], such as root@lab2:22 or root@[2001:db8::2]")
    return HostAddress(name, match["user"], port)
