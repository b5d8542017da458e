# SPDX-License-Identifier: GPL-2.0-or-later
"""The QMP monitor in QEMU's arguments: its address, and the same arguments with a descriptor instead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import UsageError

_OWN_ID = "faulty-qmp"
_QMP = ("-qmp", "-qmp-pretty")
_SUPPORTED = "-qmp unix:PATH, or -chardev socket,id=ID,path=PATH with -mon chardev=ID,mode=control"


@dataclass(frozen=True)
class MonitorOption:
    """A QMP monitor on a UNIX socket; QEMU listens there if `listens`, else it connects."""

    path: str
    listens: bool
    arguments: tuple[str, ...]
    _places: Mapping[int, str]

    def with_descriptor(self, number: int) -> list[str]:
        """QEMU's arguments with an open descriptor in place of the path."""
        arguments = list(self.arguments)
        for place, text in self._places.items():
            arguments[place] = text.replace(_DESCRIPTOR, str(number))
        return arguments


_DESCRIPTOR = "\0"
"""Placeholder for the descriptor's number: no argument can contain it."""


def find(arguments: Sequence[str]) -> MonitorOption | None:
    """The QMP monitor in these arguments; None if there is none. Raises UsageError for an unsupported kind."""
    monitors = [monitor for place in range(len(arguments) - 1) if (monitor := _monitor(arguments, place))]
    if len(monitors) > 1:
        raise UsageError("QEMU is given several QMP monitors, and a fault needs exactly one; remove the others")
    return monitors[0] if monitors else None


def _monitor(arguments: Sequence[str], place: int) -> MonitorOption | None:
    option = _option(arguments[place])
    value = arguments[place + 1]
    if option in _QMP:
        return _short(arguments, place, pretty=option == "-qmp-pretty")
    if option == "-mon":
        options = parsed(value, "chardev")
        if options.get("mode") == "control":
            return _long(arguments, options.get("chardev", ""))
    return None


def _short(arguments: Sequence[str], place: int, pretty: bool) -> MonitorOption:
    scheme, colon, rest = arguments[place + 1].partition(":")
    if scheme != "unix" or not colon:
        raise UsageError(f"QMP is at {arguments[place + 1]!r}, and a fault needs {_SUPPORTED}")
    options = parsed(rest, "path")
    chardev = _socket({**options, "id": _OWN_ID})
    mon = f"chardev={_OWN_ID},mode=control" + (",pretty=on" if pretty else "")
    rewritten = (*arguments[:place], "-chardev", chardev, "-mon", mon, *arguments[place + 2 :])
    return MonitorOption(options.get("path", ""), _listens(options), rewritten, {place + 1: chardev})


def _long(arguments: Sequence[str], name: str) -> MonitorOption:
    for place in range(len(arguments) - 1):
        if _option(arguments[place]) != "-chardev":
            continue
        options = parsed(arguments[place + 1], "backend")
        if options.get("id") == name and options.get("backend") == "socket" and "path" in options:
            return MonitorOption(options["path"], _listens(options), tuple(arguments), {place + 1: _socket(options)})
    raise UsageError(f"QMP is at the chardev {name!r}, and a fault needs {_SUPPORTED}")


def _option(word: str) -> str:
    return word[1:] if word.startswith("--") else word


def _listens(options: Mapping[str, str]) -> bool:
    return options.get("server", "off") == "on"


def _socket(options: Mapping[str, str]) -> str:
    kept_options = {k: v for k, v in options.items() if k not in ("backend", "path", "reconnect", "reconnect-ms")}
    words = [f"{name}={value.replace(',', ',,')}" for name, value in kept_options.items()]
    return ",".join(["socket", *words, f"fd={_DESCRIPTOR}"])


def parsed(text: str, first: str) -> dict[str, str]:
    """Parse QEMU's `name=value,…`: a first value without a name is that of `first`.

    A later name without a value means on, or off if `no` precedes it. A comma in a value is doubled (util/keyval.c,
    util/qemu-option.c).
    """
    options: dict[str, str] = {}
    for index, part in enumerate(text.replace(",,", _DESCRIPTOR).split(",")):
        name, equals, value = part.replace(_DESCRIPTOR, ",").partition("=")
        if not index and not equals:
            name, value = first, name
        elif not equals:
            name, value = _switch(name)
        options[name] = value
    return options


def _switch(name: str) -> tuple[str, str]:
    return (name[2:], "off") if name in ("nowait", "noserver") else (name, "on")
