# SPDX-License-Identifier: GPL-2.0-or-later
"""A recorded migration: what QEMU answered to query-migrate, when, and the events in between.

Everything that judges takes a Trace; nothing here knows where it came from.
"""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from ..basics.units import format_size
from ..errors import UsageError

BYTES_PER_MS_PER_MBPS = 125
"""QEMU's mbps are decimal megabits per second: one is 125 bytes per millisecond (migration/migration.c)."""

_LEAST_GRANULE = 4096
_GREATEST = 2.0**64
"""Beyond any counter of QEMU: an infinite or a nonsensically long number is refused."""
HARNESS = "harness"
LIMIT, FINISH = "LIMIT", "FINISH"
"""Events of the harness: a limit is tried; the migration is let complete."""
BANDWIDTH = "BANDWIDTH"
"""Another max-bandwidth holds for the rest of the pass, to see whether the report follows."""
SOUNDING, STOP_NOW = "SOUNDING", "STOP_NOW"
"""The next pass is to be of another length; the guest is stopped in mid-pass."""
LIMIT_CHANGED = "LIMIT_CHANGED"
"""Somebody else has set another downtime-limit; it may have held from `since` on."""
LAGGING, HEARTBEAT, INTEGRITY = "LAGGING", "HEARTBEAT", "INTEGRITY"
"""What the harness noticed: a guest that cannot keep to its rate; its heartbeat; the check of its pages."""
_INTERFERES = (LIMIT, LIMIT_CHANGED, FINISH, BANDWIDTH, SOUNDING, STOP_NOW)
ENDED = frozenset({"completed", "failed", "cancelled"})
"""Statuses in which a migration stays."""


@dataclass(frozen=True, slots=True)
class Ram:
    """The `ram` part of a query-migrate answer.

    `sent_pages` counts every page that left `remaining_bytes`: normal and duplicate (zero) pages, and those sent
    by xbzrle or by the compression threads; `zero_pages`, among them, cost hardly any bandwidth.
    """

    remaining_bytes: int
    page_bytes: int
    sent_pages: int
    zero_pages: int
    dirty_sync_count: int
    dirty_pages_per_s: int
    mbps: float

    @property
    def conserved_bytes(self) -> int:
        """Remaining and sent together: constant within a pass."""
        return self.remaining_bytes + self.page_bytes * self.sent_pages

    @property
    def wire_bytes_per_ms(self) -> float:
        """The bandwidth of the last window, bytes per millisecond."""
        return self.mbps * BYTES_PER_MS_PER_MBPS

    @property
    def dirty_bytes_per_ms(self) -> float:
        """QEMU's dirty-pages-rate as bytes per millisecond."""
        return self.dirty_pages_per_s * self.page_bytes / 1000


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer to query-migrate, asked `t_s` seconds after the recording's zero."""

    t_s: float
    latency_ms: float
    status: str
    expected_downtime_ms: float | None = None
    ram: Ram | None = None
    on: str | None = None
    downtime_ms: float | None = None
    """What QEMU says, once the migration has completed, it really was."""

    @property
    def answered_s(self) -> float:
        """When the answer came, by which QEMU had made it: its figures are from between `t_s` and then."""
        return self.t_s + self.latency_ms / 1000

    @classmethod
    def from_query(cls, t_s: float, latency_ms: float, answer: Mapping[str, Any], on: str | None = None) -> "Sample":
        """The sample that QEMU's `answer` to query-migrate makes.

        Raises UsageError naming the field where one is missing or of the wrong type.
        """
        status = answer.get("status", "none")
        if not isinstance(status, str):
            raise UsageError(f"'status' is {status!r} where a text was expected")
        ram = answer.get("ram")
        return cls(
            t_s=t_s,
            latency_ms=latency_ms,
            status=status,
            expected_downtime_ms=_optional(answer, "expected-downtime"),
            ram=None if ram is None else _ram(ram, answer),
            on=on,
            downtime_ms=_optional(answer, "downtime"),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """An asynchronous QMP message; `side` is `source` or `destination`, or `harness` for what we did or found.

    `stamp_s` is the time at which QEMU says it happened, in seconds of the host's real-time clock.
    """

    t_s: float
    side: str
    name: str
    data: Mapping[str, Any]
    stamp_s: float | None = None

    @property
    def since_s(self) -> float:
        """From when on it may have been so, where it was noted later than it happened."""
        return number(self.data, "since") if "since" in self.data else self.t_s


@dataclass(frozen=True)
class Trace:
    """Samples and events of one migration in the order of their time.

    `header` is what was known when it began: `qemu` (query-version), `arch`, `accelerator`, `migrate-parameters`
    (query-migrate-parameters), `capabilities` (those switched on) …; `notes` are remarks of whoever read it.
    A `snapshot` is a single answer without a history.
    """

    samples: tuple[Sample, ...]
    events: tuple[Event, ...] = ()
    header: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    snapshot: bool = False

    @property
    def downtime_limit_ms(self) -> float | None:
        """The configured downtime-limit in milliseconds, where it is known."""
        return _optional(self.migrate_parameters, "downtime-limit")

    @property
    def switchover_bytes_per_ms(self) -> float | None:
        """avail-switchover-bandwidth where it is set: QEMU 8.2 and later divide by it instead of by mbps."""
        bandwidth = _optional(self.migrate_parameters, "avail-switchover-bandwidth")
        return bandwidth / 1000 if bandwidth else None

    @property
    def migrate_parameters(self) -> Mapping[str, Any]:
        """query-migrate-parameters as it was recorded, or nothing."""
        parameters = self.header.get("migrate-parameters", {})
        return parameters if isinstance(parameters, Mapping) else {}

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Migration capabilities that were switched on, where the recording says so."""
        return tuple(self.header.get("capabilities", ()))

    @property
    def subject(self) -> str:
        """What was migrated, as far as the recording says: QEMU's release, the guest, and what backs its RAM."""
        release = self.header.get("qemu", {}).get("qemu", {})
        words = [
            f"QEMU {'.'.join(str(release.get(part, '?')) for part in ('major', 'minor', 'micro'))}" if release else "",
            *(str(self.header[name]) for name in ("arch", "machine", "accelerator") if name in self.header),
        ]
        if str(self.header.get("guest", "")).startswith("Linux"):
            words.append(f"with {self.header['guest']}")
        if "backing" in self.header:
            of = f" of {format_size(int(self.host_page_bytes))}" if self.host_page_bytes else ""
            words.append(f"on {self.header['backing']} pages{of}")
        if (granule := _optional(self.header, "granule") or 0) > _LEAST_GRANULE:
            words.append(f"in granules of {format_size(int(granule))} that the guest itself writes whole")
        return " ".join(filter(None, words))

    @property
    def host_page_bytes(self) -> float:
        """The page size of what backs the guest's RAM, where it is recorded (`backing_page_size`), else 0."""
        return _optional(self.header, "backing_page_size") or 0

    def last_migration(self) -> "Trace":
        """The trace itself, or where it holds several migrations, that from the last one's begin, with a note."""
        begin = 0
        for index, (before, now) in enumerate(pairwise(self.samples), 1):
            if before.status in ENDED and now.status not in ENDED:
                begin = index
        if begin == 0:
            return self
        note = "several migrations are recorded: the last one is judged"
        samples = self.samples[begin:]
        events = tuple(event for event in self.events if event.t_s >= samples[0].t_s)
        return replace(self, samples=samples, events=events, notes=(*self.notes, note))

    def undisturbed(self) -> "Trace":
        """The trace until something was first changed; the trace itself if that was past the switchover."""
        change = next((e for e in self.events if e.side == HARNESS and e.name in _INTERFERES), None)
        if change is None or self.switchover_s < change.since_s:
            return self
        before = tuple(sample for sample in self.samples if sample.t_s < change.since_s)
        return replace(self, samples=before or self.samples[:1])

    def under_another_bandwidth(self) -> "Trace | None":
        """What was sampled from when the harness changed the bandwidth until it next interfered, if it ever did."""
        held = [e.since_s for e in self.events if e.side == HARNESS and e.name in _INTERFERES]
        change = self.first_event(HARNESS, BANDWIDTH)
        if change is None:
            return None
        end_s = min([self.switchover_s, *(t_s for t_s in held if t_s > change.t_s)])
        samples = tuple(s for s in self.samples if change.t_s < s.t_s and s.answered_s < end_s)
        return replace(self, samples=samples) if samples else None

    @property
    def switchover_s(self) -> float:
        """When the source stopped the guest to complete the migration; infinite where that is not told."""
        stop = self.switchover_stop
        return stop.t_s if stop else float("inf")

    @property
    def switchover_stop(self) -> Event | None:
        """The source's last STOP, where the migration completed after it."""
        last = next((e for e in reversed(self.events) if e.side == "source" and e.name in ("STOP", "RESUME")), None)
        return last if last and last.name == "STOP" and self.samples[-1].status == "completed" else None

    @property
    def limit_at_switchover_ms(self) -> float | None:
        """The downtime-limit that held when the guest was stopped: the configured one, or the last that was tried."""
        tried = [e for e in self.events if e.side == HARNESS and e.name in (LIMIT, LIMIT_CHANGED, FINISH)]
        held = [e for e in tried if e.since_s < self.switchover_s]
        return number(held[-1].data, "downtime-limit") if held else self.downtime_limit_ms

    def first_event(self, side: str, name: str, /, **data: str) -> Event | None:
        """The first event of this side and name whose data hold all that is given."""
        wanted = data.items()
        return next((e for e in self.events if (e.side, e.name) == (side, name) and wanted <= e.data.items()), None)

    def bytes_per_ms(self, ram: Ram) -> float:
        """The bandwidth that QEMU divides by at this sample."""
        return self.switchover_bytes_per_ms or ram.wire_bytes_per_ms


def number(fields: Mapping[str, Any], name: str) -> float:
    """The finite number, not below 0, that `fields` hold under `name`; raises UsageError otherwise."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _GREATEST:
        seen = f"is {reprlib.repr(value)}" if name in fields else "is missing"
        raise UsageError(f"{name!r} {seen} where a number from 0 up was expected")
    return value


def _encoded_pages(answer: Mapping[str, Any]) -> float:
    """Pages sent by xbzrle or by the compression threads.

    Since QEMU 5.1, which brought `encoding-rate`, xbzrle counts each page that its cache held, also those that it
    then sent as normal ones, its `overflow` (migration/ram.c: save_xbzrle_page).
    """
    pages = 0.0
    for name in ("xbzrle-cache", "compression"):
        part = answer.get(name)
        if isinstance(part, Mapping):
            pages += number(part, "pages") - (number(part, "overflow") if "encoding-rate" in part else 0)
        elif part is not None:
            raise UsageError(f"{name!r} is {reprlib.repr(part)} where an object was expected")
    return pages


def _optional(fields: Mapping[str, Any], name: str) -> float | None:
    return number(fields, name) if name in fields else None


def _ram(ram: Any, answer: Mapping[str, Any]) -> Ram:
    if not isinstance(ram, Mapping):
        raise UsageError(f"'ram' is {reprlib.repr(ram)} where an object was expected")
    if not (page_bytes := number(ram, "page-size")):
        raise UsageError("'page-size' is 0 where that of the target was expected")
    sent = number(ram, "normal") + number(ram, "duplicate") + _encoded_pages(answer)
    return Ram(
        remaining_bytes=int(number(ram, "remaining")),
        page_bytes=int(page_bytes),
        sent_pages=int(sent),
        zero_pages=int(number(ram, "duplicate")),
        dirty_sync_count=int(number(ram, "dirty-sync-count")),
        dirty_pages_per_s=int(number(ram, "dirty-pages-rate")),
        mbps=number(ram, "mbps"),
    )
