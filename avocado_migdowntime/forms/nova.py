# SPDX-License-Identifier: GPL-2.0-or-later
"""The log of OpenStack's nova-compute on the source host.

Source: nova, nova/virt/libvirt/driver.py:_live_migration_monitor and migration.py, of 2015 to 2026. Bytes are libvirt's
own figures. Seconds are whole ones, truncated, since Nova began to monitor, which is before QEMU begins to send. The
downtime-limit is raised in steps; the highest is live_migration_downtime, 500 ms by default.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from ..trace.reading import Item, Remark, Setting, Stamp
from .figures import NUMBER, cut_off, reading_of
from .form import Line
from .log import Log
from .log_numbers import Numbers, Statement, decided
from .pace import ZONE_S, Pace
from .stamps import stamp_within

DEFAULT_GREATEST_MS = 500.0
_ABOUT_MIGRATION = re.compile(
    r"Migration (?:running|operation)|Data remaining|downtime to |Live [mM]igration|to post-copy|elapsed \d+ steps \["
)
_OF = re.compile(r"\[instance: ([0-9a-zA-Z-]+)\]")
_BYTES = rf"\(bytes processed=({NUMBER}), remaining=({NUMBER}), total=({NUMBER})\)"
_PROGRESS = re.compile(
    rf"Migration running for ({NUMBER}) secs, memory \d+% remaining;? {_BYTES}(?:; disk \d+% remaining {_BYTES})?"
)
_REMAINING = re.compile(rf"Data remaining ({NUMBER}) bytes, low watermark \d+ bytes")
_LIMIT = re.compile(rf"Increasing downtime to ({NUMBER}) ms after ({NUMBER}) sec elapsed time")
_LIMIT_NOW = re.compile(rf"Current ({NUMBER}|None) elapsed \d+ steps \[.*\(\d+, ({NUMBER})\)\]")
"""What Nova set last, and the highest of its steps: logged at each look, if it logs debug messages."""
_LIMIT_FAILED = re.compile(rf"Unable to increase max downtime to ({NUMBER}) ?ms")
_TIMEOUT = re.compile(r"Live migration (?:not completed after|stuck for) (\d+) sec")
_FAILURE = re.compile(r"Live Migration failure: (.+?)(?:: libvirt\.libvirtError: .*)?$")
_FORCED = (
    "it completed all the same: Nova may have paused the guest for it, or begun postcopy "
    "(live_migration_timeout_action)"
)
_STATUSES = {
    "Migration operation has completed": "completed",
    "Migration operation has aborted": "failed",
    "Migration operation was cancelled": "cancelled",
    "Live Migration failure: ": "failed",
}


class NovaLog(Log):
    """Reads a log in which any number of guests are migrated, at the same time or one after another."""

    NAME = "a log of nova-compute"
    NEEDLES = (b"emain", b"owntime", b"Migration operation ")
    ALSO = (b"Live Migration", b"Live migration", b"copy migration mode", b"libvirt.migration [")
    CUT = re.compile("Migration (?:running|operation)|Increasing downtime|Live [mM]igration|to post-copy")
    WHOLE = (_PROGRESS, _LIMIT, _TIMEOUT, re.compile(f"{'|'.join(_STATUSES)}|to post-copy migration mode"))
    LOGS_LIMITS = True
    LACKS = "no expected downtime, no dirty rate and no pages"
    INSTEAD = "`virsh domjobinfo INSTANCE` on the source host, repeatedly"

    def __init__(self) -> None:
        super().__init__()
        self._limits_ms: dict[str, list[float]] = {}
        self._failed_ms: dict[str, float] = {}
        self._greatest_ms: dict[str, float] = {}
        """The highest step of each migration that the log shows."""
        self._paces: dict[str, Pace] = {}
        self._given_up_ms: dict[str, float] = {}
        """The elapsed times of migrations that Nova said it gave up."""
        self._last_guest = ""
        self._by_log: bool | None = None

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        text = line.text
        if not _ABOUT_MIGRATION.search(text):
            return None
        if line.stamp is None:
            line = replace(line, stamp=stamp_within(text))
        numbers = Numbers(text)
        of = _of(numbers)
        if not (of or self.recognised or "Migration running for" in text):
            return None
        if self._by_log is None:
            self._by_log = line.stamp is not None
        last_guest, self._last_guest = self._last_guest, ""
        if progress := self.statement(numbers):
            return self._progress(line, progress)
        if match := _REMAINING.search(text):
            return self._remaining(float(match[1]), of) if of == last_guest else []
        if match := _LIMIT.search(text):
            return [self._limit(of, float(match[1]), self._stamp(line, float(match[2])))]
        if match := _LIMIT_NOW.search(text):
            return self._limit_now(of, match[1], float(match[2]), line.stamp)
        if match := _LIMIT_FAILED.search(text):
            return self._limit_failed(line, of, float(match[1]))
        if match := _TIMEOUT.search(text):
            reason = (
                "Nova gave up this migration" if "not completed" in text else "Nova saw no more progress and gave up"
            )
            self._given_up_ms[of] = self._elapsed_ms(of)
            return [Remark(f"{reason} after {match[1]} s, unless live_migration_timeout_action is force_complete", of)]
        if "Switching to post-copy migration mode" in text:
            return self.looks.postcopy(of, line.stamp)
        status = next((status for words, status in _STATUSES.items() if words in text), None)
        if status is None:
            self._last_guest = last_guest
            return None
        why = _FAILURE.search(text)
        is_forced = self._given_up_ms.pop(of, inf) <= self._elapsed_ms(of) and status == "completed"
        forced = [Remark(_FORCED, of)] if is_forced else []
        return [*forced, *self.looks.ends(of, status, line.stamp, {"error-desc": why[1]} if why else None)]

    def statement(self, numbers: Numbers) -> Statement | None:
        match = _PROGRESS.search(numbers.text)
        if match is None:
            return None
        elapsed_s, transferred, remaining, total, disk_transferred, disk_remaining, disk_total = (
            numbers[match.span(one)] for one in range(1, 8)
        )
        figures: dict[str, Any] = {
            "total-time": cut_off(elapsed_s, 1000),
            "ram.transferred": transferred,
            "ram.remaining": remaining,
            "ram.total": total,
        }
        if disk_total is not None and decided(disk_total != 0):
            figures |= {
                "disk.transferred": disk_transferred,
                "disk.remaining": disk_remaining,
                "disk.total": disk_total,
            }
        of = _of(numbers)
        return Statement("active", figures, of, pace=self._paces.setdefault(of, Pace(ZONE_S if self._by_log else inf)))

    def _elapsed_ms(self, of: str) -> float:
        last = self.looks[of]
        return float(last.answer["total-time"]) if last is not None else 0.0

    def _progress(self, line: Line, statement: Statement) -> Sequence[Item]:
        stamp = self._stamp(line, statement.figures["total-time"].low / 1000)
        mbps = self._paces[statement.of].mbps(stamp, statement.figures["ram.transferred"])
        self._last_guest = statement.of
        return [self.looks.active(reading_of(statement, stamp, mbps))]

    def _stamp(self, line: Line, elapsed_s: float) -> Stamp | None:
        """The log's time if its lines have one, else the time since Nova began to monitor; one kind for all lines."""
        return line.stamp if self._by_log else Stamp(elapsed_s, 1.0)

    def _remaining(self, remaining_bytes: float, of: str) -> Sequence[Item]:
        """Add what is left of RAM and disks, which is logged right after the line about RAM."""
        last = self.looks[of]
        if last is None:
            return []
        disk_bytes = remaining_bytes - last.answer["ram"]["remaining"]
        if disk_bytes <= 0 or "disk" in last.answer:
            return []
        return [replace(last, answer={**last.answer, "disk": {"remaining": disk_bytes}})]

    def _limit(self, of: str, limit_ms: float, stamp: Stamp | None) -> Setting:
        self._limits_ms.setdefault(of, []).append(limit_ms)
        self._greatest_ms[of] = max(self._greatest_ms.get(of, 0), limit_ms)
        return Setting({"downtime-limit": limit_ms}, stamp, changed=True, of=of)

    def _limit_now(self, of: str, limit: str, greatest_ms: float, stamp: Stamp | None) -> Sequence[Item]:
        """The items of a line that repeats the last limit: the line in which that was set may be missing."""
        self._greatest_ms[of] = greatest_ms
        if limit == "None" or float(limit) in (*self._limits_ms.get(of, [])[-1:], self._failed_ms.get(of)):
            return []
        return [self._limit(of, float(limit), stamp)]

    def _limit_failed(self, line: Line, of: str, limit_ms: float) -> Sequence[Item]:
        self._failed_ms[of] = limit_ms
        limits_ms = [limit for limit in self._limits_ms.get(of, []) if limit != limit_ms]
        if not limits_ms:
            return [Remark(f"the downtime-limit of {limit_ms:.10g} ms could not be set", of)]
        return [Setting({"downtime-limit": limits_ms[-1]}, line.stamp, changed=True, of=of)]

    def end(self) -> Iterable[Item]:
        remarks: list[Item] = []
        for last in self.looks:
            others = {one.of for one in self.looks if one.of != last.of}
            greatest_ms, whose = DEFAULT_GREATEST_MS, "that Nova ends with by default (live_migration_downtime)"
            if (shown_ms := self._greatest_ms.get(last.of, 0)) > greatest_ms:
                greatest_ms, whose = shown_ms, "that Nova raises the downtime-limit to"
            remarks += self.looks.compared(greatest_ms, whose, others)
        return remarks


def _of(numbers: Numbers) -> str:
    match = _OF.search(numbers.text)
    return f"instance {numbers.words(match.span(1))}" if match else ""
