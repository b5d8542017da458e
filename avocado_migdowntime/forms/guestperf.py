# SPDX-License-Identifier: GPL-2.0-or-later
"""The report of QEMU's guestperf: of each pass what query-migrate answered first, and of the last one the end.

Source: tests/migration-stress/guestperf of QEMU, before 10.0 tests/migration/guestperf: engine.py, progress.py. It
has 0 for each figure that an answer lacked.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..trace.reading import Item, Reading, Setting
from .form import Form, Line
from .objects import Depth, closed, parsed

_BEGINS, _SCENARIO = "progress_history", "scenario"
_PART = re.compile(rf'"({_BEGINS}|{_SCENARIO})"\s*:\s*([{{\[])')
_LONGEST_CHARACTERS = 1 << 24
_FIGURES = {
    "total": "total_bytes",
    "remaining": "remaining_bytes",
    "transferred": "transferred_bytes",
    "duplicate": "duplicate_pages",
    "normal": "normal_pages",
    "normal-bytes": "normal_bytes",
    "dirty-pages-rate": "dirty_rate_pps",
    "mbps": "transfer_rate_mbs",
    "dirty-sync-count": "iterations",
}
_BANDWIDTH_UNIT = 1 << 20


class Guestperf(Form):
    """Reads a report as guestperf writes it, on many lines or on one."""

    NAME = "a report of QEMU's guestperf"
    NEEDLES = (b"emain",)
    INSTEAD = "`avocado migdowntime record SOCKET`"

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[str] = []
        self._characters = 0
        self._depth = Depth()
        self._of = ""

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        text = line.message
        if not self._pieces:
            if _BEGINS not in text and _SCENARIO not in text:
                return None
            match = _PART.search(text)
            if match is None:
                return None
            self._of, self._depth, self._characters = match[1], Depth(), 0
            text = text[match.start(2) :]
        self._pieces.append(text)
        self._characters += len(text)
        end = self._depth.add(text, 0)
        if end is None and self._characters < _LONGEST_CHARACTERS:
            return []
        self._pieces[-1] = text[:end]
        items = [*self._items(parsed("\n".join(self._pieces)), line)]
        self._pieces = []
        rest = text[end:].strip() if end is not None else ""
        return [*items, line.containing(rest)] if rest else items

    def end(self) -> Iterable[Item]:
        pieces, self._pieces = self._pieces, []
        return self._items(closed("\n".join(pieces)), Line("", "")) if pieces else ()

    def _items(self, message: Any, line: Line) -> Iterator[Item]:
        if self._of == _SCENARIO and isinstance(message, Mapping):
            bandwidth = message.get("bandwidth")
            if isinstance(bandwidth, int) and bandwidth > 0:
                yield Setting({"max-bandwidth": bandwidth * _BANDWIDTH_UNIT})
        for one in message if isinstance(message, list) else ():
            if isinstance(one, Mapping) and isinstance(one.get("ram"), Mapping) and one.get("duration"):
                yield Reading(_answer(one, one["ram"]), arrived_s=line.arrived_s)


def _answer(progress: Mapping[str, Any], ram: Mapping[str, Any]) -> Mapping[str, Any]:
    status = str(progress.get("status", "active"))
    answer: dict[str, Any] = {"status": status, "total-time": progress.get("duration")}
    if status == "active":
        answer["expected-downtime"] = progress.get("downtime_expected") or None
    else:
        answer["downtime"] = progress.get("downtime") or None
    answer["cpu-throttle-percentage"] = progress.get("throttle_pcent") or None
    if ram.get("total_bytes"):
        answer["ram"] = {
            name: ram[called] for name, called in _FIGURES.items() if isinstance(ram.get(called), int | float)
        }
    return {name: value for name, value in answer.items() if value is not None}
