# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose figures a text shows, by the commands above them: those of several guests may be in one paste."""

import re
from dataclasses import replace

from ..trace.reading import Happening, Item, Reading, Setting

_NAMED = re.compile(
    r"(?:\bvirsh\b.{0,200}?\s|^(?:virsh #\s*)?)(?:domjobinfo|qemu-monitor-command|migrate-[gs]etmaxdowntime)"
    r"(?P<arguments>(?:\s+[^\s;|&>]+)+)|\bqm monitor\s+(?P<vm>\d+)"
)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


class Guests:
    """Knows the guest of which a command was last."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._named = ""
        self._are_unnamed = False
        """Whether figures are told of a guest that no command above them names: of the first one that one names."""

    @property
    def has_names(self) -> bool:
        """Whether any was named."""
        return bool(self._first)

    def is_named_in(self, text: str) -> bool:
        """Whether a line is a command that names one."""
        # Words take a fraction of the time that patterns do to find nothing.
        is_command = "domjobinfo" in text or "monitor-command" in text or "maxdowntime" in text or "qm monitor" in text
        return is_command and _name_in(text) is not None

    def name(self, text: str) -> None:
        """What follows is of the guest that a command names. A guest may have a name, a number and a UUID."""
        name = _name_in(text)
        if name is None:
            return
        kind = "number" if name.isdecimal() else "uuid" if _UUID.fullmatch(name) else "name"
        self._first.setdefault(kind, name)
        first = next(iter(self._first.values()))
        is_first = name == self._first[kind]
        self._named = name if not is_first else "" if self._are_unnamed else first

    def of(self, item: Item) -> Item:
        """An item as one of that guest, unless it says itself of which it is."""
        if item.of or not isinstance(item, Reading | Happening | Setting):
            return item
        if self._named:
            return replace(item, of=self._named)
        self._are_unnamed = self._are_unnamed or isinstance(item, Reading)
        return item


def _name_in(text: str) -> str | None:
    match = _NAMED.search(text)
    if match is None:
        return None
    if match["vm"]:
        return match["vm"]
    names = [word.strip("'\"") for word in match["arguments"].split() if not word.startswith("-")]
    return names[0] if names and not names[0].startswith(("$", "{")) else None
