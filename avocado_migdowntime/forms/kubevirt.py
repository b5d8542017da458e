# SPDX-License-Identifier: GPL-2.0-or-later
"""The log of KubeVirt's virt-launcher in the source pod.

Source: kubevirt, pkg/virt-launcher/virtwrap/live-migration-source.go, of 2022 to 2026. It logs libvirt's job statistics
every 4 s, and at each sync if stall detection is on. Until August 2023 the figures are in bytes; since then in whole
MiB and Mbps, truncated. MiB are right; Mbps are wrong until February 2024 (KubeVirt 1.0 and 1.1): bytes were divided by
8 instead of multiplied, so the logged figure is 64 times too small. No limit is logged; QEMU's 300 ms is in force
unless KubeVirt sets another.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..basics.interval import Interval
from ..basics.qemu_constants import DEFAULT_DOWNTIME_LIMIT_MS
from ..basics.units import MIB
from ..trace.reading import Happening, Item, Remark, Setting
from .figures import BITS, MEGABIT, NUMBER, cut_off, reading_of, scaled
from .form import Line
from .log import Log
from .log_numbers import Numbers, Statement, between, decided, from_0
from .remaining import POSTCOPY
from .stamps import stamp_within

TOO_LITTLE = 64
_ABOUT_64 = Interval(16, 256)
_RIGHT = 8
"""If Mbps are right, the mean rate of sending may be this many times the shown rate."""
_LEAST_MS = 1000
"""QEMU sends in bursts: over a shorter time, what was sent does not show the bandwidth."""
_PAGE_BYTES = 4096
_PAGE_SIZES = tuple(1 << power for power in range(10, 17))
_ABOUT_MIGRATION = re.compile(r"igration |borting migration|max.downtime|post.copy mode|start post|has been aborted")
_JOB = re.compile(r"\bMigration info for <?(?P<of>[\w-]*)>?: (?P<figures>TimeElapsed:.*)")
_FIGURE = re.compile(rf"\b(\w+):({NUMBER})(?!\d)([\w/]*)")
_LIMIT = re.compile(
    r"max_downtime \d+ms -> (?P<tuned>\d{1,9})ms|setting max downtime to (?P<set>\d{1,9})ms"
    r"|max downtime set to (?P<done>\d{1,9})ms|Set max downtime to (?P<seconds>\d{1,9})s "
)
_ABORTED = re.compile(r"[Aa]borting migration|Live migration (?:stuck|is not completed|abort)|has been aborted")
_STATUSES = {
    "Live migration succeeded": "completed",
    "Migration has been completed": "completed",
    "Live migration failed": "failed",
    "Migration job failed": "failed",
    "Migration was canceled": "cancelled",
}
_SIZES = {
    "ram.transferred": "MemoryProcessed",
    "ram.remaining": "MemoryRemaining",
    "ram.total": "MemoryTotal",
    "ram.normal-bytes": "NormalData",
}
_COUNTS = {
    "ram.dirty-sync-count": "Iteration",
    "ram.postcopy-requests": "PostcopyRequests",
    "ram.duplicate": "ConstantPages",
    "ram.normal": "NormalPages",
}
_LAST = {"DiskMbps", "DiskBps"}
_UNITS = {"B": 1, "MiB": MIB}
_Figure = tuple[Any, str]
_NOTHING: _Figure = 0.0, ""
"""A figure that is not shown, and its unit."""
_RATES = {"B/s": BITS / MEGABIT, "Mbps": 1.0}


class KubevirtLog(Log):
    """Reads the log of one pod, or of several; each migration has its own identifier."""

    NAME = "a log of KubeVirt's virt-launcher"
    NEEDLES = (b"emain", b"owntime")
    ALSO = (
        b"Live migration ",
        b"copy mode",
        b"copy migration",
        b"post migration",
        b"borting migration",
        b"Migration ",
        b"igration to complete",
    )
    CUT = re.compile("Migration info for")
    WHOLE = (re.compile(r"TimeElapsed:\d+ms(?: \w+:\d[\w/]*){0,99} (?:Disk(?:Mbps|Bps):\d|\.{3}|\u2026)"),)
    OF_MIGRATIONS = True
    LACKS = "whole MiB and Mbps only, every 4 s"
    INSTEAD = "`kubectl exec POD -c compute -- virsh -r domjobinfo 1`, repeatedly"

    def __init__(self) -> None:
        super().__init__()
        self._of = ""
        self._shows_64th: dict[str, bool] = {}
        self._first_looks: dict[str, _Look] = {}
        self._limited: set[str] = set()

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        text = line.text
        if not _ABOUT_MIGRATION.search(text):
            return None
        if line.stamp is None:
            line = replace(line, stamp=stamp_within(text))
        if match := _JOB.search(text):
            self._of = match["of"]
            return self._job(line, _entries(Numbers(text), match))
        if not self._of:
            return None
        if match := _LIMIT.search(text):
            limit_ms = float(match["seconds"]) * 1000 if match["seconds"] else float(next(filter(None, match.groups())))
            self._limited.add(self._of)
            return [Setting({"downtime-limit": limit_ms}, line.stamp, changed=True, of=self._of)]
        if "Pausing the guest to allow migration to complete" in text:
            return [Happening({"event": "STOP"}, line.stamp, of=self._of)]
        if _ABORTED.search(text):
            return self.looks.ends(self._of, "cancelled", line.stamp)
        if "tarting post copy mode" in text or "starting post-copy mode" in text:
            return self.looks.postcopy(self._of, line.stamp)
        if "failed to start post" in text:
            return self.looks.postcopy(self._of, line.stamp, failed=True)
        status = next((status for words, status in _STATUSES.items() if words in text), None)
        return None if status is None else self.looks.ends(self._of, status, line.stamp)

    def end(self) -> Iterable[Item]:
        return self.looks.compared(
            DEFAULT_DOWNTIME_LIMIT_MS, "of QEMU's default, because the log shows no other", self._limited
        )

    def statement(self, numbers: Numbers) -> Statement | None:
        match = _JOB.search(numbers.text)
        return None if match is None else self._statement(numbers.words(match.span("of")), _entries(numbers, match))

    def _job(self, line: Line, entries: Mapping[str, _Figure]) -> Sequence[Item]:
        items = [*self._learnt(entries)]
        statement = self._statement(self._of, entries)
        if statement.status == "completed":
            return self.looks.ends(self._of, "completed", line.stamp, statement.figures)
        return [*items, self.looks.active(reading_of(statement, line.stamp))]

    def _statement(self, of: str, entries: Mapping[str, _Figure]) -> Statement:
        figures: dict[str, Any] = {"total-time": _number(entries, "TimeElapsed")}
        figures |= {name: _size(entries, called) for name, called in _SIZES.items()}
        figures |= {name: _number(entries, called) for name, called in _COUNTS.items()}
        figures |= _disk(entries)
        if "Downtime" in entries:
            return Statement("completed", {**figures, "downtime": entries["Downtime"][0]}, of)
        page_bytes, derived, estimated = _page_bytes(figures["ram.normal-bytes"], figures["ram.normal"])
        factor = self._factor(of, entries)
        if factor is not None:
            figures["ram.mbps"] = _rate(entries, "MemoryBandwidth", factor)
            dirty = _rate(entries, "DirtyRate", factor * MEGABIT / BITS / page_bytes)
            figures["ram.dirty-pages-rate"] = dirty
        figures |= {"ram.page-size": page_bytes, "expected-downtime": _number(entries, "ExpectedDowntime")}
        requests = figures["ram.postcopy-requests"]
        status = POSTCOPY if requests is not None and decided(requests != 0) else "active"
        return Statement(status, figures, of, derived, estimated)

    def _factor(self, of: str, entries: Mapping[str, _Figure]) -> float | None:
        """The factor by which Mbps must be multiplied; None while it is not known."""
        if entries.get("MemoryBandwidth", _NOTHING)[1] != "Mbps":
            return 1
        if of not in self._shows_64th:
            return None
        return TOO_LITTLE if self._shows_64th[of] else 1

    def _learnt(self, entries: Mapping[str, _Figure]) -> Iterator[Item]:
        """Determine that factor from the first figures.

        What was sent until the first line may have been sent at another bandwidth than the line shows. So what was sent
        from one line to the next shows whether Mbps are too small.
        """
        rate, unit = entries.get("MemoryBandwidth", _NOTHING)
        elapsed_ms, transferred = _number(entries, "TimeElapsed"), _size(entries, "MemoryProcessed")
        if unit != "Mbps" or self._of in self._shows_64th or not rate or not elapsed_ms or not transferred:
            return
        look = _Look(elapsed_ms, _interval(transferred), rate)
        before = self._first_looks.setdefault(self._of, look)
        since = look.times_since(before)
        if min(look.times_since(_BEGIN).high, since.high) <= _RIGHT:
            self._shows_64th[self._of] = False
        elif look.elapsed_ms >= before.elapsed_ms + _LEAST_MS and _ABOUT_64.low <= since.low <= _ABOUT_64.high:
            self._shows_64th[self._of] = True
            yield Remark("this KubeVirt logs Mbps that are 64 times too little; they are multiplied", self._of)


class _Look(NamedTuple):
    """What a line shows about the bandwidth: the elapsed ms, the bytes sent until then, and Mbps."""

    elapsed_ms: float
    sent_bytes: Interval
    mbps: float

    def times_since(self, before: "_Look") -> Interval:
        """The rate of sending since `before` ÷ the shown Mbps, the greater of the two."""
        passed_ms = self.elapsed_ms - before.elapsed_ms
        if passed_ms <= 0:
            return Interval(0, math.inf)
        least, most = self.sent_bytes.low - before.sent_bytes.high, self.sent_bytes.high - before.sent_bytes.low
        mbps_per_byte = BITS / MEGABIT / (passed_ms / 1000)
        return Interval(max(0.0, least), max(0.0, most)).scaled(mbps_per_byte / (max(self.mbps, before.mbps) + 0.5))


_BEGIN = _Look(0.0, Interval(0, 0), 0.0)


def _interval(size: float | Interval) -> Interval:
    return size if isinstance(size, Interval) else Interval(size, size)


def _entries(numbers: Numbers, match: re.Match[str]) -> Mapping[str, _Figure]:
    """The figures of a line with their units. If the line is cut off, the last one is left out, because it may be cut
    as well.
    """
    matches = _FIGURE.finditer(numbers.text, *match.span("figures"))
    entries = {one[1]: (numbers[one.span(2)], one[3]) for one in matches}
    if entries and not entries.keys() & _LAST:
        del entries[next(reversed(entries))]
    return entries


def _number(entries: Mapping[str, _Figure], name: str) -> Any:
    return entries[name][0] if name in entries else None


def _size(entries: Mapping[str, _Figure], name: str) -> Any:
    number, unit = entries.get(name, _NOTHING)
    if unit not in _UNITS:
        return None
    return number if unit == "B" else cut_off(number, _UNITS[unit])


def _rate(entries: Mapping[str, _Figure], name: str, factor: float) -> float | Interval | None:
    number, unit = entries.get(name, _NOTHING)
    if unit not in _RATES:
        return None
    return scaled(number * _RATES[unit] if unit == "B/s" else cut_off(number), factor)


def _disk(entries: Mapping[str, _Figure]) -> Mapping[str, Any]:
    """What is left of disks, if more data is to be sent than there is memory."""
    names = ("DataTotal", "MemoryTotal", "DataRemaining", "MemoryRemaining")
    if any(name not in entries for name in names):
        return {}
    (total, unit), (ram_total, _), (remaining, _), (ram_remaining, _) = (entries[name] for name in names)
    if decided(total <= ram_total + 1):
        return {}
    factor = _UNITS.get(unit, 1)
    return {"disk.remaining": from_0(remaining - ram_remaining) * factor, "disk.total": (total - ram_total) * factor}


def _page_bytes(data: Any, pages: Any) -> tuple[int, Mapping[str, str], Mapping[str, str]]:
    """The page size; and either how it follows from the bytes in normal pages, or why it is assumed."""
    if data is not None and pages is not None and decided(pages != 0):
        bytes_each = data.scaled(1 / pages) if isinstance(data, Interval) else between(data / pages, data / pages)
        fits = [(bytes_each.low <= size) & (size <= bytes_each.high) for size in _PAGE_SIZES]
        fitting = [size for size, does in zip(_PAGE_SIZES, fits, strict=True) if decided(does)]
        if len(fitting) == 1:
            return fitting[0], {"ram.page-size": "it is the power of two nearest to NormalData ÷ NormalPages"}, {}
    return _PAGE_BYTES, {}, {"ram.page-size": "4 KiB, as on each architecture that KubeVirt supports"}
