# SPDX-License-Identifier: GPL-2.0-or-later
"""An answer to query-migrate with a field on each line, as YAML shows it, and tables that people make of it.

Where a field belongs follows from its name, not from its indentation: a name that is no top-level field of an answer
belongs to the part that began last.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..trace.reading import Item
from .form import MAYBE, Form, Line
from .heads import HEAD
from .qmp_messages import ANSWER_FIELDS, items_of, with_ram

_LINE = re.compile(
    r"(?:[\w-]+\.)*?(?:(?P<part>ram|disk)\.)?(?P<name>[a-z][a-z-]*):\s*(?P<value>.*?)[,;]?(?:\s+(?:#|//|<-|--|\u2190).*)?"
)
_BETWEEN = re.compile(r"[{},]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
_PARTS = frozenset(("ram", "disk", "xbzrle-cache", "compression", "vfio"))
_OF_RAM = frozenset(
    (
        *("total", "remaining", "transferred", "duplicate", "skipped", "normal", "normal-bytes", "page-size", "mbps"),
        *("dirty-pages-rate", "dirty-sync-count", "pages-per-second", "multifd-bytes", "postcopy-requests"),
        *("precopy-bytes", "downtime-bytes", "postcopy-bytes", "dirty-sync-missed-zero-copy"),
    )
)
_OF_OTHERS = frozenset(
    (
        *("cache-size", "bytes", "pages", "cache-miss", "cache-miss-rate", "encoding-rate", "overflow"),
        *("busy", "busy-rate", "compressed-size", "compression-rate"),
    )
)
_BESIDE = frozenset(("return", "id", "timestamp", "seconds", "microseconds"))
_OWN = frozenset(
    ("expected-downtime", "total-time", "dirty-sync-count", "dirty-pages-rate", "normal-bytes", "setup-time")
)
"""Names that no other program uses for its figures."""
_OWN_IN = re.compile("|".join(_OWN))
PLACES = {
    **{name: f"ram.{name}" for name in _OF_RAM},
    **{f"{before}{name}": f"ram.{name}" for name in _OF_RAM for before in ("ram.", "ram-")},
    **{f"{before}{name}": f"disk.{name}" for name in ("remaining", "total") for before in ("disk.", "disk-")},
    **{
        name: name
        for name in ("status", "total-time", "setup-time", "expected-downtime", "downtime", "cpu-throttle-percentage")
    },
}
"""Where a figure is in an answer, by the names that people use."""
_BEHIND_A_HEAD = re.compile(
    rf"{HEAD}((?:{'|'.join(sorted({*PLACES, *_PARTS, *_BESIDE, *ANSWER_FIELDS}, reverse=True))}):.*)"
)
_ENOUGH = 3
_PATIENCE = 3


@dataclass
class _Fields:
    line: Line
    answer: dict[str, Any] = field(default_factory=dict)
    part: str = ""
    own: int = 0
    strange: int = 0
    last: tuple[str, str] | None = None
    """The part and the name of the last field, until something follows it: it may be cut off."""


class QmpFields(Form):
    """Reads answers one after another; an answer ends where a name comes again."""

    NAME = "an answer to query-migrate, field by field"
    NEEDLES = (b"emain", b"owntime")

    def __init__(self) -> None:
        super().__init__()
        self._fields: _Fields | None = None

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        entries = _entries(line.text)
        if not entries and (behind := self._behind_a_head(line)):
            entries = _entries(behind)
        if not entries:
            return self._something_else(line)
        items: list[Item] = []
        for named, value in entries:
            part, _, name = named.rpartition(".")
            if name in _BESIDE:
                items += self.settle() if name == "return" else ()
                continue
            if self._fields is not None and _stands(self._fields, name):
                items += self.settle()
            if self._fields is None:
                self._fields = _Fields(line)
            if part:
                _add(self._fields, part, {})
            _add(self._fields, name, value)
        if self._fields is None:
            return items or None
        self._fields.strange = 0
        return items if items or self._fields.own else MAYBE

    def end(self) -> Iterable[Item]:
        if self._fields is not None and self._fields.last is not None:
            _without_last(self._fields.answer, *self._fields.last)
        return self.settle()

    def settle(self) -> Iterable[Item]:
        fields, self._fields = self._fields, None
        if fields is None or fields.own < _ENOUGH:
            return []
        answer = fields.answer
        message = answer if "status" in answer else with_ram(answer)
        self.recognised = True
        return [item for item in items_of(message, fields.line) if not isinstance(item, Line)]

    def _behind_a_head(self, line: Line) -> str:
        text = line.message
        if ":" not in text or (self._fields is None and _OWN_IN.search(text) is None):
            return ""
        match = _BEHIND_A_HEAD.search(text)
        return match[1] if match else ""

    def _something_else(self, line: Line) -> Sequence[Item | Line] | None:
        fields = self._fields
        if fields is None:
            return None
        fields.last = None
        if not line.text:
            return None
        fields.strange += 1
        if fields.strange < _PATIENCE and not line.text.startswith("---"):
            return None
        items = [*self.settle()]
        return [*items, line] if items else None


def _entries(text: str) -> Sequence[tuple[str, Any]]:
    """The fields on a line, usually one; none if it has anything else."""
    entries: list[tuple[str, Any]] = []
    if ":" not in text or not (text[0].islower() or text[0] in "{'"):
        return entries
    for part in _BETWEEN.split(text) if text[-1] in "{}," or "{" in text else [text]:
        match = _LINE.fullmatch(part.strip())
        if match is None and part.strip():
            return []
        if match is not None:
            value = _value(match["name"], match["value"].strip())
            if value is None:
                return []
            entries.append((f"{match['part'] or ''}.{match['name']}", value))
    return entries


def _stands(fields: _Fields, name: str) -> bool:
    """Whether the answer already has a field of that name, wherever that may belong."""
    if name in _PARTS or (name in ANSWER_FIELDS and name != "remaining"):
        return name in fields.answer
    of_part = fields.answer.get(fields.part or "ram", {})
    return name in of_part and (name != "remaining" or "remaining" in fields.answer)


def _add(fields: _Fields, name: str, value: Any) -> None:
    fields.own += name in _OWN
    if name in _PARTS:
        fields.part = name
        fields.answer.setdefault(name, {})
        return
    part = fields.part or "ram"
    of_part = fields.answer.get(part, {})
    is_of_part = name in _OF_RAM | _OF_OTHERS and name not in of_part
    if name in ANSWER_FIELDS and not (name == "remaining" and is_of_part):
        part = ""
    (fields.answer.setdefault(part, {}) if part else fields.answer)[name] = value
    fields.last = part, name


def _without_last(answer: dict[str, Any], part: str, name: str) -> None:
    """Remove a field that may be cut off; keep the total time, which tells migrations apart."""
    if name not in ("total-time", "status"):
        del (answer[part] if part else answer)[name]


def _value(name: str, text: str) -> Any:
    """The value of a field; None if it is no valid value."""
    if name in _PARTS or name in _BESIDE:
        return {} if not text or name in _BESIDE else None
    if name not in _OF_RAM and name not in _OF_OTHERS and name not in ANSWER_FIELDS:
        return None
    text = text.strip("'\"")
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text or "e" in text else int(text)
    if name in ("status", "error-desc") and text:
        return text
    return text in ("true", "True") if text in ("true", "false", "True", "False") else None
