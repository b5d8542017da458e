# SPDX-License-Identifier: GPL-2.0-or-later
"""What one QMP message shows about a migration: replies, events, the greeting, and commands that set a limit."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..trace.reading import Happening, Item, Reading, Remark, Setting, Stamp, Version
from .domjobinfo import of_fields
from .filling import reading_of_record
from .form import Line
from .monitor_text import STATUSES
from .stamps import is_time

_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,20})?")
_GUESTS = ("vm", "guest", "domain", "instance")
"""Keys in which other programs name the guest of an answer."""
_GREATEST_DEPTH = 4
_AS_PRINTED = ("remaining ram", "Memory remaining")
"""A field with one of these names is in an object that someone made from `info migrate` or `virsh domjobinfo`."""
_PARAMETERS = ("downtime-limit", "max-bandwidth", "avail-switchover-bandwidth")
ANSWER_FIELDS = frozenset(
    (
        *("status", "total-time", "setup-time", "expected-downtime", "downtime", "error-desc", "socket-address"),
        *("blocked", "blocked-reasons", "cpu-throttle-percentage", "postcopy-blocktime", "postcopy-vcpu-blocktime"),
        *("disk", "xbzrle-cache", "compression", "vfio", "remaining", "dirty-limit-throttle-time-per-round"),
        "dirty-limit-ring-full-time",
    )
)
"""Fields of an answer to query-migrate other than its RAM figures: QEMU's MigrationInfo, qapi/migration.json."""

_OF_RAM_ONLY = frozenset(("dirty-sync-count", "dirty-pages-rate"))
_OF_BOTH = frozenset(("expected-downtime", "mbps"))
"""If an object has one of the former or both of the latter, what remains in it is RAM."""


def with_ram(message: Any) -> Any:
    """A part of an answer to query-migrate, completed to an answer, if it has the remaining RAM; else None.

    It may be RAM figures alone, or with other fields beside them, as a filter of JSON makes it.
    """
    answer = message.get("return", message) if isinstance(message, Mapping) else None
    if not isinstance(answer, Mapping):
        return None
    if "ram" not in answer and (answer.keys() & _OF_RAM_ONLY or answer.keys() >= _OF_BOTH):
        others = answer.keys() & {*_GUESTS, *ANSWER_FIELDS} - {"remaining"}
        of_ram = {name: value for name, value in answer.items() if name not in others}
        answer = message = {**{name: answer[name] for name in others}, "ram": of_ram}
    ram = answer.get("ram")
    return message if isinstance(ram, Mapping) and "remaining" in ram else None


def items_of(message: Any, line: Line) -> Iterator[Item | Line]:
    """The items of a message; empty if it is about something else."""
    if isinstance(message, dict):
        return _of_object(message, line)
    return _of_list(message, line) if isinstance(message, list) else iter(())


def _of_list(messages: Sequence[Any], line: Line) -> Iterator[Item | Line]:
    named = [one for one in messages if isinstance(one, Mapping) and isinstance(one.get("capability"), str)]
    if named:
        yield Setting({}, capabilities={one["capability"]: one.get("state") is True for one in named})
        return
    for one in messages:
        yield from items_of(one, line)


def _of_object(message: Mapping[str, Any], line: Line) -> Iterator[Item | Line]:
    stamp = line.stamp
    if isinstance(greeting := message.get("QMP"), Mapping):
        if isinstance(version := greeting.get("version"), Mapping):
            yield Version(version)
    elif isinstance(message.get("event"), str):
        yield Happening(message, stamp)
    elif isinstance(recorded := message.get("event"), Mapping) and is_time(message.get("t")):
        yield Happening(recorded, Stamp(message["t"], from_begin=True), side=str(message.get("side", "source")))
    elif isinstance(recorded := message.get("query-migrate"), Mapping):
        t_s, latency_ms = message.get("t"), message.get("latency_ms", 0)
        if is_time(t_s) and is_time(latency_ms):
            stamp = Stamp(t_s, latency_ms / 1000, from_begin=True)
        yield reading_of_record(_without_none(recorded), stamp)
    elif isinstance(message.get("execute"), str):
        yield from _of_command(message, stamp)
    elif "return" in message:
        yield from _of_guest_in(message, _of_return(message["return"], line))
    elif isinstance(error := message.get("error"), Mapping) and "class" in error:
        yield Remark(f"QEMU answered with the error {error.get('desc', error['class'])!s}")
    elif isinstance(message.get("capability"), str):
        yield from _of_list([message], line)
    elif len(message) > 1 or "status" not in message:
        whole = with_ram(message)
        items = _of_return(whole or message, line)
        yield from items if whole is None else _of_guest_in(message, items)
        if any(name in message for name in _AS_PRINTED):
            yield from (line.containing(f"{name}: {value}") for name, value in message.items())


def _of_fields(message: Mapping[str, Any], line: Line) -> Iterator[Item | Line]:
    """The items of answers within the fields of another program's object, at any depth."""
    for answer in _answers_in(message, _GREATEST_DEPTH):
        yield from _of_guest_in(message, _of_return(answer, line))


def _of_guest_in(message: Mapping[str, Any], items: Iterable[Item | Line]) -> Iterator[Item | Line]:
    """The same items, of the guest that another program names beside them."""
    of = next((name for key in _GUESTS if isinstance(name := message.get(key), str)), "")
    for item in items:
        yield item if isinstance(item, Line) or not of else replace(item, of=of)


def _answers_in(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping) and isinstance(value.get("ram"), Mapping) and _is_of_migration(value):
        yield value
    elif isinstance(value, Mapping | list) and depth:
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _answers_in(one, depth - 1)


def _of_return(answer: Any, line: Line) -> Iterator[Item | Line]:
    if isinstance(answer, str):
        for part in answer.splitlines():
            yield line.containing(part.strip())
    elif isinstance(answer, list):
        yield from _of_list(answer, line)
    elif isinstance(answer, dict):
        if _is_of_migration(answer):
            yield Reading(_measured(_with_numbers(_without_none(answer))), line.stamp, arrived_s=line.arrived_s)
        elif any(name in answer for name in _PARAMETERS):
            yield Setting({name: answer[name] for name in answer if answer[name] is not None}, line.stamp)
        elif isinstance(reasons := answer.get("blocked-reasons"), list) and "status" not in answer:
            yield Remark(f"QEMU says that this guest cannot be migrated: {'; '.join(map(str, reasons))}")
        elif isinstance(release := answer.get("qemu"), Mapping):
            yield from _of_version(answer, release, line)
        elif isinstance(state := answer.get("status"), str) and "running" in answer:
            yield from filter(None, [Happening.of_state(state, line.stamp)])
        elif "memory_remaining" in answer or "memory_total" in answer:
            yield from of_fields(answer, line.stamp, line.arrived_s)
        else:
            yield from _of_fields(answer, line)


def _of_version(answer: Mapping[str, Any], release: Mapping[str, Any], line: Line) -> Iterator[Item]:
    if "major" in release:
        yield Version(answer)
    elif isinstance(parameters := answer.get("migrate-parameters"), Mapping):
        # The header of a recording.
        if isinstance(release.get("qemu"), Mapping):
            yield Version(release)
        capabilities = answer.get("capabilities")
        switched_on = dict.fromkeys(map(str, capabilities), True) if isinstance(capabilities, list) else None
        yield Setting(parameters, line.stamp, capabilities=switched_on)


def _of_command(message: Mapping[str, Any], stamp: Stamp | None) -> Iterator[Item]:
    arguments = message.get("arguments")
    if not isinstance(arguments, Mapping):
        return
    value = arguments.get("value")
    if message["execute"] == "migrate-set-parameters":
        parameters = {name: arguments[name] for name in (*_PARAMETERS, "mode") if name in arguments}
        if parameters:
            yield Setting(parameters, stamp, changed=True)
    elif message["execute"] == "migrate_set_downtime" and isinstance(value, int | float):
        yield Setting({"downtime-limit": round(value * 1000)}, stamp, changed=True)
    elif message["execute"] == "migrate_set_speed" and isinstance(value, int | float):
        yield Setting({"max-bandwidth": value}, stamp, changed=True)


def _is_of_migration(answer: Mapping[str, Any]) -> bool:
    """Checks more than `status`: the answers to query-status and others have one as well."""
    ram = answer.get("ram")
    if isinstance(ram, dict):
        return "remaining" in ram or "transferred" in ram
    status = answer.get("status")
    return isinstance(status, str) and status in STATUSES and answer.keys() <= ANSWER_FIELDS


def is_of_qmp(message: Any) -> bool:
    """Whether a message without items is a QMP message all the same."""
    if isinstance(message, list):
        return any(is_of_qmp(one) for one in message)
    return isinstance(message, Mapping) and bool(message.keys() & {"return", "execute", "QMP", "event"})


def _without_none(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer without values that are no numbers, such as `-nan`; the answer itself if it has none."""
    if not _holds_none(answer):
        return answer
    figures = {name: value for name, value in answer.items() if value is not None}
    return {name: _without_none(value) if isinstance(value, dict) else value for name, value in figures.items()}


def _measured(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer with a throughput of 0 if QEMU has measured none.

    Old releases begin with -1 (migration/migration.c of 2.9: migrate_get_current).
    """
    ram = answer.get("ram")
    if not isinstance(ram, Mapping) or ram.get("mbps") != -1:
        return answer
    return {**answer, "ram": {**ram, "mbps": 0}}


def _with_numbers(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer with numbers, if they or their fractions were written as strings; the answer itself if none was."""
    ram = answer.get("ram")
    if not isinstance(ram, Mapping) or not any(isinstance(ram.get(name), str) for name in ("remaining", "mbps")):
        return answer
    return {
        name: _with_numbers_in(value) if isinstance(value, Mapping) else _number(value)
        for name, value in answer.items()
    }


def _with_numbers_in(part: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: _number(value) for name, value in part.items()}


def _number(value: Any) -> Any:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        return value
    return float(value) if "." in value else int(value)


def _holds_none(answer: Mapping[str, Any]) -> bool:
    parts: list[Mapping[str, Any]] = [answer]  # No recursion: an answer may be nested more deeply than calls may be.
    while parts:
        values = parts.pop().values()
        if None in values:
            return True
        parts += [value for value in values if type(value) is dict]
    return False
