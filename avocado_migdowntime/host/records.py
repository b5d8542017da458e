# SPDX-License-Identifier: GPL-2.0-or-later
"""Frozen dataclasses as JSON objects that name their kind: the format of the reaper's journal and of its messages.

A kind is a fixed string, not the class's name: the next release reads what this one wrote, whatever the class is called
there. Kinds and field names are a file format; a change needs code that reads the old format.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar, get_args, get_origin, get_type_hints


class Record(Protocol):
    """A frozen dataclass with a kind; its fields are int, bool, str, or tuples of any length of one of these."""

    kind: ClassVar[str]


R = TypeVar("R", bound=Record)


class MalformedRecordError(ValueError):
    """A JSON value is no record of these kinds; the text says why, as a clause of a sentence."""


def by_kind(classes: Iterable[type[R]]) -> Mapping[str, type[R]]:
    """Map kinds to classes; raises ValueError if two classes share a kind."""
    table: dict[str, type[R]] = {}
    for each in classes:
        if each.kind in table:
            raise ValueError(f"{each.__name__} and {table[each.kind].__name__} are both of the kind {each.kind!r}")
        table[each.kind] = each
    return table


def to_json(record: Record) -> dict[str, Any]:
    """The record as a value for json.dumps."""
    return {"kind": record.kind, **vars(record)}


def from_json(value: object, kinds: Mapping[str, type[R]]) -> R:
    """The inverse of `to_json`; raises MalformedRecordError if the value is no record of these kinds."""
    if not isinstance(value, dict):
        raise MalformedRecordError(f"{value!r} is not an object")
    content = dict(value)
    kind = content.pop("kind", None)
    if not isinstance(kind, str) or kind not in kinds:
        raise MalformedRecordError(f"the kind {kind!r} is unknown")
    types = _types(kinds[kind])
    if content.keys() != types.keys():
        raise MalformedRecordError(f"{kind} has the fields {sorted(types)}, not {sorted(content)}")
    return kinds[kind](**{name: _checked(f"{kind}.{name}", content[name], types[name]) for name in types})


@cache
def _types(its_class: type[Record]) -> dict[str, Any]:
    hints = get_type_hints(its_class)
    return {field.name: hints[field.name] for field in fields(its_class)}  # type: ignore[arg-type]


def _checked(where: str, value: object, wanted: Any) -> object:
    if get_origin(wanted) is tuple:
        if not isinstance(value, list):
            raise MalformedRecordError(f"{where} is {value!r}, which is not a list")
        return tuple(_checked(where, each, get_args(wanted)[0]) for each in value)
    # Not isinstance: True would pass for an int.
    if type(value) is not wanted:
        raise MalformedRecordError(f"{where} is {value!r}, expected {wanted.__name__}")
    return value
