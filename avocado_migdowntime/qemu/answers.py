# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of QEMU's QMP answers that this package relies on, as QEMU documents them. Every answer is checked.

Source: QEMU's qapi/control.json, introspect.json, machine.json, migration.json and misc.json. Other fields of an answer
are kept unchecked.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from ..basics.printable import quoted
from ..errors import HarnessError

_Part = Annotated[int, msgspec.Meta(ge=0, le=999)]
_Name = Annotated[str, msgspec.Meta(max_length=200)]


_Figure = Annotated[int, msgspec.Meta(ge=0)] | Annotated[float, msgspec.Meta(ge=0)]


class _Release(msgspec.Struct):
    major: _Part
    minor: _Part
    micro: _Part


class _Version(msgspec.Struct):
    qemu: _Release
    package: str


class _Target(msgspec.Struct):
    arch: _Name


class _Machine(msgspec.Struct, rename="kebab"):
    name: _Name
    alias: _Name = ""
    default_ram_id: str = ""


class _Kvm(msgspec.Struct):
    enabled: bool
    present: bool = False


class _Capability(msgspec.Struct):
    capability: _Name
    state: bool


class _Member(msgspec.Struct):
    type: _Name = ""
    name: _Name = ""


class _Entity(msgspec.Struct, rename="kebab"):
    name: _Name
    meta_type: _Name
    json_type: _Name = ""
    arg_type: _Name = ""
    values: list[_Name] = []
    members: list[_Member] = []


class _Address(msgspec.Struct):
    port: str = ""


class _Migration(msgspec.Struct, rename="kebab"):
    status: _Name = "none"
    socket_address: list[_Address] = []
    error_desc: str = ""


class _Parameters(msgspec.Struct, rename="kebab"):
    downtime_limit: _Figure = 0
    max_bandwidth: _Figure = 0
    avail_switchover_bandwidth: _Figure = 0


class _Option(msgspec.Struct):
    option: _Name


class _Status(msgspec.Struct):
    status: _Name


DOCUMENTED: Mapping[str, Any] = {
    "query-version": _Version,
    "query-target": _Target,
    "query-machines": list[_Machine],
    "query-kvm": _Kvm,
    "query-migrate-parameters": _Parameters,
    "query-migrate-capabilities": list[_Capability],
    "query-qmp-schema": list[_Entity],
    "query-migrate": _Migration,
    "query-status": _Status,
    "query-command-line-options": list[_Option],
    "human-monitor-command": str,
}
"""For each QMP command used here: the msgspec type of its answer."""


def documented(who: str, command: str, answer: Any) -> Any:
    """Return the `answer` to `command`; raises HarnessError if what `who` answered is not what QEMU documents."""
    try:
        msgspec.convert(answer, DOCUMENTED.get(command, Any))
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        seen = _lower(str(error)) if isinstance(error, msgspec.ValidationError) else "a name in it is no UTF-8"
        raise HarnessError(
            f"{who} answers {command} with {quoted(answer)}, which no QEMU does: {seen}; use QEMU 5.2 or later"
        ) from None
    return answer


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].replace(" - at `$", " at `$")
