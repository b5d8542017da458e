# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds out whose figures a text shows, by the commands above them: one paste may have those of several guests."""

import re
from dataclasses import replace

from ..trace.reading import Happening, Item, Reading, Setting

_NAMED = re.compile(
    r"(?:\bvirsh\b.{0,200}?\s(?:domstate|suspend|resume)"
    r"|(?:\bvirsh\b.{0,200}?\s|^)(?:domjobinfo|qemu-monitor-command|migrate-[gs]etmaxdowntime))"
    r"(?P<arguments>(?:\s+[^\s;|&>]+)+)|\bqm monitor\s+(?P<vm>\d+)"
)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


class Guests:
    """Remembers the guest in the last command."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._named = ""
        self._are_unnamed = False
        """Whether figures without a naming command above them were seen; they belong to the first guest that a command
        names.
        """

    @property
    def has_names(self) -> bool:
        """Whether any guest was named."""
        return bool(self._first)

    def is_named_in(self, text: str) -> bool:
        """Whether a line is a command that names a guest."""
        # To find nothing, searching for words takes a fraction of the time that patterns take.
        is_command = "domjobinfo" in text or "monitor-command" in text or "maxdowntime" in text or "qm monitor" in text
        return (is_command or "virsh" in text) and _name_in(text) is not None

    def name(self, text: str) -> None:
        """Note that what follows is of the guest in a command. A guest may have a name, a number and a UUID."""
        name = _name_in(text)
        if name is None:
            return
        kind = "number" if name.isdecimal() else "uuid" if _UUID.fullmatch(name) else "name"
        self._first.setdefault(kind, name)
        first = next(iter(self._first.values()))
        is_first = name == self._first[kind]
        self._named = name if not is_first else "" if self._are_unnamed else first

    def of(self, item: Item) -> Item:
        """The item assigned to that guest, unless it names its own."""
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
