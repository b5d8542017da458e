# SPDX-License-Identifier: GPL-2.0-or-later
"""QMP as it is found in texts: JSON on one line or over many, and the reprs of Python that test logs have.

A message is found wherever it is in a line, so that prompts, the heads of logs and names such as libvirt's `reply=` do
not matter. What is no message of QMP's is passed over.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..trace.reading import Happening, Item, Reading, Remark, Setting, Stamp, Version
from .domjobinfo import of_fields
from .filling import reading_of_record
from .form import MAYBE, Form, Line
from .monitor_text import STATUSES

_GREATEST_CHARACTERS = 1 << 20
_WRAPPED = 60
"""A line of so many characters may have been cut off by a terminal, to go on in the next: all have the same length."""
_GREATEST_CUT = 1 << 14
_RETURN = re.compile(r"[\"'](?:return|total-time|expected-downtime)[\"']")
_GREATEST_TRIES = 50
"""So many braces and brackets of a line that begin no message are looked at."""
_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda name: None)
_TOKEN = re.compile(r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [\[\]{}] """, re.VERBOSE | re.DOTALL)
_OPENS = re.compile(r"[\[{](?=\s*(?:$|[\"'{}\[\]]))")
_GOES_ON = re.compile(r"\s*(?:[\"'{}\[\],:]|-?\d|-?(?:nan|inf)\b|(?:true|false|null|True|False|None)\b|$)")
_NO_NUMBER = re.compile(r"(?<=[:\[,\s])-?(?:nan|inf(?:inity)?)\b(?=\s*[,}\]])", re.IGNORECASE)
_GUEST = re.compile(r"\bmon=(0x[0-9a-f]+)")
_PARAMETERS = ("downtime-limit", "max-bandwidth", "avail-switchover-bandwidth")
_INFO = frozenset(
    (
        *("status", "total-time", "setup-time", "expected-downtime", "downtime", "error-desc", "socket-address"),
        *("blocked", "blocked-reasons", "cpu-throttle-percentage", "postcopy-blocktime", "postcopy-vcpu-blocktime"),
        *("disk", "xbzrle-cache", "compression", "vfio", "remaining", "dirty-limit-throttle-time-per-round"),
        "dirty-limit-ring-full-time",
    )
)
"""What an answer to query-migrate may have beside its figures of RAM: QEMU's MigrationInfo, qapi/migration.json."""
_SAME_S = 0.05


class Qmp(Form):
    """Reads QMP's messages; what is sent to QEMU counts where it sets a limit."""

    NAME = "QMP's replies"
    NEEDLES = (b"emain", b"owntime")
    ALSO = (b'"event"', b"'event'", b'"QMP"')

    def __init__(self) -> None:
        super().__init__()
        self._begun: list[str] = []
        self._characters = 0
        self._depth = _Depth()
        self._line: Line | None = None
        self._width, self._is_cut = 0, False
        self._seen: dict[str, tuple[Any, float]] = {}

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        if self._begun:
            return self._going_on(line)
        text = line.message
        found: list[Item | Line] = []
        position, is_qmp = 0, False
        for _ in range(_GREATEST_TRIES):
            match = _OPENS.search(text, position)
            if match is None:
                break
            begin = match.start()
            message, end = _decoded(text, begin)
            if end < 0 and match[0] == "{":
                if is_qmp or not _may_go_on(text[begin:]):
                    break
                self._begin(text[begin:], line)
                return MAYBE
            # What is in an array over many lines is read one by one.
            position = max(end, begin + 1)
            items = list(self._told(message, line))
            is_qmp = is_qmp or bool(items) or _is_of_qmp(message)
            found += items
        return found if is_qmp else None

    def end(self) -> Iterable[Item]:
        self._begun = []
        return ()

    def settle(self) -> Iterable[Item]:
        return ()

    def _begin(self, text: str, line: Line) -> None:
        self._width = len(line.text)
        self._is_cut = self._width >= _WRAPPED and bool(_RETURN.search(text))
        self._begun, self._characters, self._depth, self._line = [text], len(text), _Depth(), line
        self._depth.add(text, 0)

    def _going_on(self, line: Line) -> Sequence[Item | Line] | None:
        text = line.message
        stamped = replace(line, stamp=(self._line or line).stamp or line.stamp)
        if self._is_cut:
            message, whole_to = _decoded("".join([*self._begun, text]), 0)
            if whole_to > 0:
                self._begun = []
                return list(self._told(message, stamped))
            self._is_cut = abs(len(line.text) - self._width) <= 1 and self._characters < _GREATEST_CUT
        if not self._is_cut and not _GOES_ON.match(text):
            self._begun = []
            return [line]
        end = self._depth.add(text, 0)
        if end is None or self._is_cut:
            self._begun.append(text)
            self._characters += len(text)
            if self._characters > _GREATEST_CHARACTERS:
                self._begun = []
            return MAYBE
        pieces, self._begun = [*self._begun, text[:end]], []
        message = parsed("\n".join(pieces))
        items: list[Item | Line] = list(self._told(message, stamped))
        if _OPENS.search(text, end):
            items.append(line.containing(text[end:]))
        return items if items or _is_of_qmp(message) else MAYBE

    def _told(self, message: Any, line: Line) -> Iterator[Item | Line]:
        guest = match[1] if (match := _GUEST.search(line.message)) else ""
        for item in items_of(message, line):
            if isinstance(item, Line):
                yield item
                continue
            if guest:
                item = replace(item, of=guest)
            if not self._is_repeated(item):
                yield item

    def _is_repeated(self, item: Item) -> bool:
        """libvirt logs a message up to three times: as it came, as a line, as a reply."""
        if not isinstance(item, Reading | Happening) or item.stamp is None or item.stamp.from_begin:
            return False
        told = item.answer if isinstance(item, Reading) else item.message
        kind = type(item).__name__ + item.of
        before, self._seen[kind] = self._seen.get(kind), (told, item.stamp.t_s)
        return before is not None and before[0] == told and abs(before[1] - item.stamp.t_s) <= _SAME_S


class _Depth:
    """How deep in objects and arrays a text is that is read piece by piece."""

    def __init__(self) -> None:
        self._open = 0

    def add(self, text: str, position: int) -> int | None:
        """Where the outermost one ends, if it does in `text`, which is read from `position` on."""
        for match in _TOKEN.finditer(text, position):
            token = match[0]
            if token in "[{":
                self._open += 1
            elif token in "]}":
                self._open -= 1
                if self._open <= 0:
                    return match.end()
        return None


def _decoded(text: str, begin: int) -> tuple[Any, int]:
    """The object or array that begins there, None where it is neither of JSON nor a repr, and where it ends, or -1."""
    if text[begin + 1 : begin + 2] != "'":
        try:
            return _DECODER.raw_decode(text, begin)
        except (ValueError, RecursionError):
            pass
    if text[begin] == "[" and not text[begin + 1 :].lstrip().startswith(("{", '"', "'")):
        return None, -1
    end = _Depth().add(text, begin)
    if end is None:
        return None, -1
    message = parsed(text[begin:end])
    return message, 0 if message is None else end


def _may_go_on(text: str) -> bool:
    """Whether an object that is not whole may go on in the next line."""
    return text.rstrip()[-1:] in "{[,:\"'}]0123456789" or (len(text) >= _WRAPPED and bool(_RETURN.search(text)))


def parsed(text: str) -> Any:
    """The object or array in `text`, of JSON or of a Python repr; None where it is neither."""
    if "n" in text or "I" in text:
        text = _NO_NUMBER.sub("null", text) if _NO_NUMBER.search(text) else text
    try:
        return json.loads(text, strict=False, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        pass
    if "'" not in text:
        return None
    try:
        return ast.literal_eval(text.replace("null", "None"))
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def items_of(message: Any, line: Line) -> Iterator[Item | Line]:
    """What a message tells; nothing where it is of something else."""
    if isinstance(message, list):
        yield from _of_list(message, line)
    elif isinstance(message, Mapping):
        yield from _of_object(message, line)


def _of_list(messages: Sequence[Any], line: Line) -> Iterator[Item | Line]:
    named = [one for one in messages if isinstance(one, Mapping) and isinstance(one.get("capability"), str)]
    if named:
        yield Setting({}, capabilities=tuple(one["capability"] for one in named if one.get("state") is True))
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
    elif isinstance(recorded := message.get("event"), Mapping) and isinstance(message.get("t"), int | float):
        yield Happening(recorded, Stamp(message["t"], from_begin=True), side=str(message.get("side", "source")))
    elif isinstance(recorded := message.get("query-migrate"), Mapping):
        t_s, latency_ms = message.get("t"), message.get("latency_ms", 0)
        if isinstance(t_s, int | float) and isinstance(latency_ms, int | float):
            stamp = Stamp(t_s, latency_ms / 1000, from_begin=True)
        yield reading_of_record(_without_none(recorded), stamp)
    elif isinstance(message.get("execute"), str):
        yield from _of_command(message, stamp)
    elif "return" in message:
        yield from _of_return(message["return"], line)
    elif isinstance(error := message.get("error"), Mapping) and "class" in error:
        yield Remark(f"QEMU answered with the error {error.get('desc', error['class'])!s}")
    elif isinstance(message.get("capability"), str):
        yield from _of_list([message], line)
    elif len(message) > 1 or "status" not in message:
        yield from _of_return(message, line)


def _of_return(answer: Any, line: Line) -> Iterator[Item | Line]:
    if isinstance(answer, str):
        for part in answer.splitlines():
            yield line.containing(part.strip())
    elif isinstance(answer, list):
        yield from _of_list(answer, line)
    elif isinstance(answer, Mapping):
        if _is_of_migration(answer):
            yield Reading(_without_none(answer), line.stamp)
        elif any(name in answer for name in _PARAMETERS):
            yield Setting({name: answer[name] for name in answer if answer[name] is not None}, line.stamp)
        elif isinstance(release := answer.get("qemu"), Mapping):
            yield from _of_version(answer, release, line)
        elif "memory_remaining" in answer or "memory_total" in answer:
            yield from of_fields(answer, line.stamp, line.arrived_s)


def _of_version(answer: Mapping[str, Any], release: Mapping[str, Any], line: Line) -> Iterator[Item]:
    if "major" in release:
        yield Version(answer)
    elif isinstance(parameters := answer.get("migrate-parameters"), Mapping):
        # The header of a recording.
        if isinstance(release.get("qemu"), Mapping):
            yield Version(release)
        capabilities = answer.get("capabilities")
        switched_on = tuple(map(str, capabilities)) if isinstance(capabilities, list) else None
        yield Setting(parameters, line.stamp, capabilities=switched_on)


def _of_command(message: Mapping[str, Any], stamp: Stamp | None) -> Iterator[Item]:
    arguments = message.get("arguments")
    if not isinstance(arguments, Mapping):
        return
    value = arguments.get("value")
    if message["execute"] == "migrate-set-parameters":
        told = {name: arguments[name] for name in _PARAMETERS if name in arguments}
        if told:
            yield Setting(told, stamp, changed=True)
    elif message["execute"] == "migrate_set_downtime" and isinstance(value, int | float):
        yield Setting({"downtime-limit": round(value * 1000)}, stamp, changed=True)
    elif message["execute"] == "migrate_set_speed" and isinstance(value, int | float):
        yield Setting({"max-bandwidth": value}, stamp, changed=True)


def _is_of_migration(answer: Mapping[str, Any]) -> bool:
    """query-status and others have a status as well."""
    if "running" in answer or "singlestep" in answer:
        return False
    if isinstance(answer.get("ram"), Mapping):
        return "remaining" in answer["ram"] or "transferred" in answer["ram"]
    status = answer.get("status")
    return isinstance(status, str) and status in STATUSES and answer.keys() <= _INFO


def _is_of_qmp(message: Any) -> bool:
    """Whether a message that tells nothing is one of QMP's all the same."""
    if isinstance(message, list):
        return any(_is_of_qmp(one) for one in message)
    return isinstance(message, Mapping) and bool(message.keys() & {"return", "execute", "QMP", "event"})


def _without_none(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is no number, as `-nan`."""
    kept: dict[str, Any] = {}
    for name, value in answer.items():
        if isinstance(value, Mapping):
            kept[name] = _without_none(value)
        elif value is not None:
            kept[name] = value
    return kept
