# SPDX-License-Identifier: GPL-2.0-or-later
"""The task log of a migration in Proxmox VE.

Source: qemu-server, PVE/QemuMigrate.pm, of 2012 to 2026. Until April 2021 it logs bytes as QEMU shows them. Since then
it logs sizes with one decimal in binary units, and no remaining RAM; its speed is pages-per-second × page size, so zero
pages count as if they were sent; the guest's dirty rate is logged if it exceeds that speed. The downtime-limit starts
at migrate_downtime, 100 ms by default, and is doubled each time the remaining RAM was seen to grow six times.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..basics.interval import Interval
from ..basics.units import MIB
from ..trace.ram import STALLED_S
from ..trace.reading import Item, Remark, Setting, Stamp
from .figures import NUMBER, SIZE, reading_of, scaled, size_in, size_of
from .form import ANOTHER, Line
from .log import Log
from .log_numbers import Numbers, Statement
from .pace import Pace
from .remaining import dirtying_in_words, limit_in_words
from .stamps import stamp_within

PAGE_BYTES = 4096
_FOUR_KIB = {"ram.page-size": "4 KiB, as on each architecture that Proxmox VE supports"}
_ABOUT_MIGRATION = re.compile(
    r"VM-state|remaining |downtime|speed|starting migration of VM|start migrate command|set (?:migr|cache)"
)
_ENDED = re.compile(r"cachesize|client_migrate_info|migration status|migrate_cancel|online migrate|migrate-set-param")
_BEGINS = re.compile(r"starting migration of VM (\d+) ")
_OLD = re.compile(
    rf"migration(?: status:)? (?P<status>[\w-]+) \(transferred (?P<sent>{SIZE}), remaining (?P<left>{SIZE})\), "
    rf"total (?P<total>{SIZE})\)(?: , expected downtime (?P<expected>{NUMBER}))?"
)
_NEW = re.compile(
    rf"migration (?P<status>[\w-]+), transferred (?P<sent>{SIZE}) of (?P<total>{SIZE}) VM-state, (?P<speed>{SIZE})/s"
    rf"(?: \(\+ (?P<devices>{SIZE}) VFIO-state\))?(?:, VM dirties lots of memory: (?P<dirty>{SIZE})/s)?"
)
_NEW_WHOLE = re.compile(rf"{_NEW.pattern}(?!,| \()")
"""The same, unless its end is on the next line."""
_LIMIT_S = re.compile(rf"migrate_set_downtime: ({NUMBER}(?:\.\d{{1,9}})?)(?!\.)")
_LIMIT_MS = re.compile(
    rf"(?:migration downtime limit|auto-increased downtime to continue migration): ({NUMBER}(?:\.\d{{1,9}})?) ms"
)
_LIMIT_FAILED = re.compile(r"(?:migrate_set_downtime|migrate-set-parameters) error: ")
_SPEED_LIMIT = re.compile(rf"(?:migrate_set_speed|migration speed limit): ({SIZE})")
_ABOUT_TO_SEND = re.compile(
    r"start migrate command to|set (?:migration|cachesize)|migration cachesize|client_migrate_info"
)
_REAL = re.compile(rf"migration speed: .{{0,99}} - downtime ({NUMBER}) ms")
_ENDS = re.compile(
    r"migration (?:status(?: error)?: (?=completed|failed|cancelled)|(?=(?:completed|failed|cancelled), transferred ))"
    r"(?P<status>\w+)(?: - (?P<why>.+))?"
)
_GIVEN_UP = re.compile(r"\bmigrate_cancel$|ERROR: online migrate failure(?: - (?P<why>.+))?")
_ABORTING = re.compile(r"(?: - |^)aborting$")
_COPIED = re.compile(rf"\b(?:mirror|drive)-\w+: transferred {SIZE} of {SIZE} ")
"""Of a disk, which is copied before RAM is sent."""
_BY_USER = ("interrupted by signal", "")
"""The reason that it logs if somebody told it to give up."""


class ProxmoxLog(Log):
    """Reads the task log of one migration, or of several one after another."""

    NAME = "a task log of Proxmox VE"
    NEEDLES = (b"emain", b"owntime", b"migration active, transferred")
    ALSO = (
        b"VM-state",
        b"starting migration of VM ",
        b"speed",
        b"migration status",
        b"migrate_cancel",
        b"online migrate",
        b"start migrate command",
    )
    CUT = re.compile(r"\bmigration (?:status: )?active\b|\bincreased downtime\b")
    WHOLE = (_OLD, _NEW_WHOLE, _LIMIT_MS)
    LOGS_LIMITS = True
    LACKS = "no expected downtime, and since 2021 no remaining RAM"
    INSTEAD = "`echo 'info migrate' | qm monitor VMID` on the source host, repeatedly"

    def __init__(self) -> None:
        super().__init__()
        self._of = ""
        self._migration_count = 0
        self._running = False
        self._limits_ms: list[float] = []
        self._pace = Pace()
        self._still: tuple[Interval, Stamp, Stamp] | None = None
        """What was sent by the last line, and the times of the first and the last line that say so."""
        self._copies = False
        """Whether the disks were copied when the last figures were logged."""

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        text = line.text
        if ": transferred " in text and _COPIED.search(text):
            self._copies = True
            return []
        if "igrat" not in text or not (_ABOUT_MIGRATION.search(text) or _ENDED.search(text)):
            return None
        if line.stamp is None:
            line = replace(line, stamp=stamp_within(text))
        if statement := self.statement(Numbers(text)):
            return self._progress(line, statement)
        if match := _BEGINS.search(text):
            return self._begins(match[1])
        if match := _LIMIT_S.search(text):
            return self._limit(line, float(match[1]) * 1000)
        if match := _LIMIT_MS.search(text):
            return self._limit(line, float(match[1]))
        if _LIMIT_FAILED.search(text):
            return self._limit_failed(line)
        if match := _SPEED_LIMIT.search(text):
            return [self._setting(line, {"max-bandwidth": _middle(match[1])})]
        if _ABOUT_TO_SEND.search(text):
            self._pace.begin(line.stamp)
            return []
        if match := _REAL.search(text):
            return self._ends(line, "completed", {"downtime": float(match[1])})
        if not (self._migration_count or self._running):
            return None
        if match := _ENDS.search(text):
            return self._ends(line, match["status"], {"error-desc": match["why"]} if match["why"] else None)
        if match := _GIVEN_UP.search(text):
            return self._gives_up(line, match["why"] or "") if self._running or self._copies else []
        return None

    def end(self) -> Iterable[Item]:
        last = self.looks[self._of]
        if last is None and self._copies:
            yield Remark("the disks are copied at the end of this text, and RAM is sent only then", self._of)
        if last is None:
            return
        if "remaining" not in last.answer["ram"] and (resting := self._resting_in_words()):
            yield Remark(resting, self._of)
        if dirtying := dirtying_in_words(last):
            yield Remark(dirtying, self._of)
        if not self._limits_ms:
            return
        compared = self.looks.compared(self._limits_ms[-1], "that are set")
        if not compared and (limit := limit_in_words(last, self._limits_ms[-1])):
            yield Remark(limit, self._of)
        yield from compared

    def _note_what_is_sent(self, stamp: Stamp | None, sent: float | Interval) -> None:
        sent = sent if isinstance(sent, Interval) else Interval(sent, sent)
        before, self._still = self._still, None
        if stamp is not None:
            first = before[1] if before is not None and before[0] == sent else stamp
            self._still = sent, first, stamp

    def _resting_in_words(self) -> str:
        """That nothing was sent for long, if the last lines show that; else ''."""
        if self._still is None or self._still[0].width > MIB:
            return ""
        _, first, last = self._still
        still_s = last.t_s - first.t_s - first.tick_s
        if still_s <= STALLED_S:
            return ""
        return f"nothing was seen to be sent for the last {still_s:.0f} s: check the network and max-bandwidth"

    def _begins(self, guest: str) -> Sequence[Item]:
        self._migration_count += 1
        self._running, self._copies, self._limits_ms, self._still = False, False, [], None
        of = f"VM {guest}"
        self._of = f"{of}{ANOTHER}{self._migration_count}" if self.looks[of] is not None else of
        return []

    def statement(self, numbers: Numbers) -> Statement | None:
        if match := _OLD.search(numbers.text):
            return Statement(numbers.words(match.span("status")), _old(numbers, match), self._of, pace=self._pace)
        if match := _NEW.search(numbers.text):
            status = numbers.words(match.span("status"))
            return Statement(status, _new(numbers, match), self._of, estimated=_FOUR_KIB, pace=self._pace)
        return None

    def _progress(self, line: Line, statement: Statement) -> Sequence[Item]:
        self._running, self._copies = True, False
        self._note_what_is_sent(line.stamp, statement.figures["ram.transferred"])
        mbps = self._pace.mbps(line.stamp, statement.figures["ram.transferred"])
        return [self.looks.active(reading_of(statement, line.stamp, mbps))]

    def _ends(self, line: Line, status: str, figures: Mapping[str, Any] | None = None) -> Sequence[Item]:
        limit_ms = self._limits_ms[-1] if self._limits_ms else None
        self._copies = False
        return self.looks.ends(self._of, status, line.stamp, figures, limit_ms)

    def _gives_up(self, line: Line, why: str) -> Sequence[Item]:
        if why in _BY_USER:
            return self._ends(line, "cancelled")
        why = _ABORTING.sub("", why)
        return self._ends(line, "failed", {"error-desc": why} if why else None)

    def _limit(self, line: Line, limit_ms: float) -> Sequence[Item]:
        self._limits_ms.append(limit_ms)
        return [self._setting(line, {"downtime-limit": limit_ms})]

    def _limit_failed(self, line: Line) -> Sequence[Item]:
        failed_ms = self._limits_ms.pop() if self._limits_ms else None
        if self._limits_ms:
            return [self._setting(line, {"downtime-limit": self._limits_ms[-1]})]
        what = "" if failed_ms is None else f" of {failed_ms:.10g} ms"
        return [Remark(f"QEMU refused the downtime-limit{what}: {line.message}", self._of)]

    def _setting(self, line: Line, parameters: Mapping[str, float]) -> Setting:
        if not self._running:
            self._pace.begin(line.stamp)
        return Setting(parameters, line.stamp, changed=self._running, of=self._of)


def _old(numbers: Numbers, match: re.Match[str]) -> Mapping[str, Any]:
    return {
        "ram.transferred": size_in(numbers, match.span("sent")),
        "ram.remaining": size_in(numbers, match.span("left")),
        "ram.total": size_in(numbers, match.span("total")),
        "expected-downtime": numbers[match.span("expected")],
    }


def _new(numbers: Numbers, match: re.Match[str]) -> Mapping[str, Any]:
    dirty, devices = match.span("dirty"), match.span("devices")
    return {
        "ram.transferred": size_in(numbers, match.span("sent")),
        "ram.total": size_in(numbers, match.span("total")),
        "ram.page-size": PAGE_BYTES,
        "ram.pages-per-second": scaled(size_in(numbers, match.span("speed")), 1 / PAGE_BYTES),
        "ram.dirty-pages-rate": scaled(size_in(numbers, dirty), 1 / PAGE_BYTES) if match["dirty"] else None,
        "vfio.transferred": size_in(numbers, devices) if match["devices"] else None,
    }


def _middle(text: str) -> float:
    size = size_of(text)
    return size if isinstance(size, float) else size.middle
