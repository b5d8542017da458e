# SPDX-License-Identifier: GPL-2.0-or-later
"""A simulated precopy migration, millisecond by millisecond, that answers query-migrate.

It follows QEMU's order of events (migration/migration.c, migration/ram.c): every 100 ms a burst of sending uses up the
rate limit; a pass ends when what is left between bursts fits the limit, or when nothing is left within a burst; the
estimate is updated at the end of a window. By its counters a round ends with each burst and each pass. It knows the
truth that the oracle must find.
"""

import math
import random
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import msgspec

from avocado_migdowntime.faults.fault import Fault
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.trace.figures import Labels
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.plain import ABSENT, PlainAnswer, Unusual, table_of
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.trace.samples import Samples

PAGE = 4096
WINDOW_MS = 100
BURST_MS = 8
LATENCY_MS = 0.5


@dataclass
class Simulation:
    """One precopy; `pass_pages` are the pages that each sync finds dirty, the last number repeated.

    `estimate(at_sync_bytes, live_bytes, dirty_bytes_per_ms, bytes_per_ms)` is the formula of this QEMU, in ms.
    """

    pass_pages: list[int]
    bytes_per_ms: float = 12_000.0
    limit_ms: float = 1.0
    used_limit_ms: float | None = None
    estimate: Callable[[float, float, float, float], float] = lambda sync, live, rate, bw: sync / bw
    zero_pages: int = 20_000
    duration_ms: int = 12_000
    fails: bool = False
    noise: float = 0.0
    """The share by which the bandwidth may vary from one window to the next."""
    workload: Callable[[float, float], float] | None = None
    """The pages that a sync finds, from the ms since the previous one and the pages still unsent; else `pass_pages`."""
    later_limits_ms: Mapping[int, float] = field(default_factory=dict)
    """Other downtime-limits, by the ms from which they hold; a QEMU with a `used_limit_ms` ignores them."""
    later_bytes_per_ms: Mapping[int, float] = field(default_factory=dict)
    """Other bandwidths, by the ms from which they hold."""
    device_bytes: int | None = None
    """What devices have to send besides RAM, if this QEMU shows what is pending, as from 11.1 on."""
    syncs_at_switchover: int = 1
    """QEMU syncs once more when the guest is stopped."""
    true_sync_bytes: dict[int, int] = field(default_factory=dict)

    def run(self, wanted: Container[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The answers to query-migrate at the `wanted` milliseconds, at each dirty sync and at the end."""
        self._threshold = self._limit(0) * self.bytes_per_ms
        dice = random.Random(self.noise)
        pages = list(self.pass_pages)
        self._remaining = self.zero_pages + pages[0]
        self._normal = self._duplicate = self._rounds = 0
        self._sync, self._sync_ms, self._begin_ms = 1, 0, 0
        self._rate = 0
        self._mbps, self._expected = 0.0, self.limit_ms
        self._at_sync = self._remaining * PAGE
        zeros = self.zero_pages
        credit = 0.0
        for start in range(0, self.duration_ms, WINDOW_MS):
            credit += self._bandwidth(start) * WINDOW_MS * dice.uniform(1 - self.noise, 1 + self.noise)
            budget = int(credit // PAGE)
            sent = 0
            for ms in range(start, start + WINDOW_MS):
                if ms == start:
                    self._pending = self._remaining * PAGE
                if ms == start > 0 and self._remaining * PAGE < self._threshold:
                    if self._next(ms, pages):
                        yield ms, self._completed()
                        return
                    yield ms, self._answer()
                due = min(max(0, budget * min(ms - start + 1, BURST_MS) // BURST_MS - sent), self._remaining)
                if due and zeros:
                    burst = min(zeros, 3000)
                    zeros -= burst
                    self._duplicate += burst
                    self._remaining -= burst
                else:
                    self._normal += due
                    self._remaining -= due
                    sent += due
                    self._rounds += bool(due) and (sent == budget or not self._remaining)
                if not self._remaining:
                    if self._next(ms, pages):
                        yield ms, self._completed()
                        return
                    yield ms, self._answer()
                elif ms in wanted:
                    yield ms, self._answer()
                if sent == budget and ms - start + 1 >= BURST_MS:  # Nothing changes until the next window.
                    for later in filter(wanted.__contains__, range(ms + 1, start + WINDOW_MS)):
                        yield later, self._answer()
                    break
            credit -= sent * PAGE
            self._update(sent * PAGE, start + WINDOW_MS)
        if self.fails:
            yield self.duration_ms, {"status": "failed"}

    def _next(self, now_ms: int, pages: list[int]) -> bool:
        """A dirty sync; return whether the rest fits and the migration completes."""
        if len(pages) > 1:
            pages.pop(0)
        found = round(self.workload(now_ms - self._begin_ms, self._remaining)) if self.workload else pages[0]
        self._begin_ms = now_ms
        fresh = max(0, found - self._remaining)
        if now_ms - self._sync_ms > 1000:
            self._rate = fresh * 1000 // (now_ms - self._sync_ms)
            self._sync_ms = now_ms
        self._remaining += fresh
        self._sync += 1
        self._at_sync = self._pending = self._remaining * PAGE
        self.true_sync_bytes[self._sync] = self._at_sync
        return self._at_sync <= self._threshold

    def _limit(self, now_ms: int) -> float:
        if self.used_limit_ms is not None:
            return self.used_limit_ms
        return _in_force(self.later_limits_ms, now_ms, self.limit_ms)

    def _bandwidth(self, now_ms: int) -> float:
        return _in_force(self.later_bytes_per_ms, now_ms, self.bytes_per_ms)

    def _update(self, sent_bytes: int, now_ms: int) -> None:
        self._threshold = self._limit(now_ms) * sent_bytes / WINDOW_MS
        self._mbps = sent_bytes * 8 / WINDOW_MS / 1000
        if self._rate and sent_bytes > 10_000:
            bandwidth = sent_bytes / WINDOW_MS
            self._expected = int(
                self.estimate(
                    self._at_sync + (self.device_bytes or 0),
                    self._remaining * PAGE,
                    self._rate * PAGE / 1000,
                    bandwidth,
                )
            )

    def _answer(self) -> dict[str, Any]:
        pending = {} if self.device_bytes is None else {"remaining": self._pending + self.device_bytes}
        return {
            **pending,
            "status": "active",
            "expected-downtime": self._expected,
            "ram": self._ram(self._remaining * PAGE, self._mbps, self._rate),
        }

    def _completed(self) -> dict[str, Any]:
        self._normal += self._remaining
        self._sync += self.syncs_at_switchover
        return {"status": "completed", "downtime": 7, "ram": self._ram(0, self.bytes_per_ms / 125, 0)}

    def _ram(self, remaining: int, mbps: float, rate: int) -> dict[str, Any]:
        return {
            "total": (self.zero_pages + max(self.pass_pages)) * PAGE,
            "remaining": remaining,
            "page-size": PAGE,
            "normal": self._normal,
            "duplicate": self._duplicate,
            "dirty-sync-count": self._sync,
            "mbps": mbps,
            "dirty-pages-rate": rate,
            "transferred": PAGE * self._normal,
            "precopy-bytes": (PAGE + 8) * self._normal + 9 * self._duplicate + 8 * self._rounds,
        }


def _in_force(later: Mapping[int, float], now_ms: int, before: float) -> float:
    begun = [at_ms for at_ms in later if at_ms <= now_ms]
    return later[max(begun)] if begun else before


def random_writes(pages: int, pages_per_ms: float) -> Callable[[float, float], float]:
    """A workload that writes to `pages` at random: the share of clean pages falls exponentially."""
    return lambda ms, unsent: pages - (pages - min(unsent, pages)) * math.exp(-ms * pages_per_ms / pages)


def sweep(pages: int, pages_per_ms: float) -> Callable[[float, float], float]:
    """A workload that writes to each of `pages` once and then starts again, in an order other than that of sending."""
    return lambda ms, unsent: pages - (pages - min(unsent, pages)) * max(0.0, 1 - ms * pages_per_ms / pages)


def record(
    simulation: Simulation,
    period_ms: int = 20,
    seed: int = 0,
    torn: float = 0.0,
    missed: frozenset[int] = frozenset(),
    on_syncs: bool = True,
    fault: Fault | None = None,
    switchover_ms: int | None = None,
    host_page_bytes: int | None = None,
) -> Trace:
    """Sample a simulated migration as a harness would, at a steady rate and (`on_syncs`) on each sync.

    A share `torn` of the samples mixes the figures of two moments; the passes in `missed` are not sampled at all. A
    `fault` modifies the answers. With `switchover_ms` the source announces that it stops the guest to complete, and
    answers nothing until everything is sent, that much later. The guest's RAM is on pages of `host_page_bytes`, if
    given.
    """
    dice = random.Random(seed)
    header: dict[str, Any] = {
        "qemu": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""},
        "migrate-parameters": {"downtime-limit": simulation.limit_ms},
    }
    if host_page_bytes is not None:
        header["backing_page_size"] = host_page_bytes
    wanted = set()
    at = dice.randrange(1, period_ms)
    while at < simulation.duration_ms:
        wanted.add(at)
        at += max(1, period_ms + dice.randrange(-1, 2))
    times_s, answers = [], []
    events = [Event(0.0, "source", "MIGRATION", {"status": "setup"})]
    before: dict[str, Any] = {}
    for at, answer in simulation.run(wanted):
        if not on_syncs and at not in wanted and answer["status"] == "active":
            continue
        if answer["status"] == "completed" and switchover_ms is not None:
            events.append(Event(at / 1000, "source", "STOP", {}))
            at += switchover_ms
        mixed = _torn(before, answer, dice) if before and dice.random() < torn else answer
        if answer["status"] != "active" or answer["ram"]["dirty-sync-count"] not in missed:
            answers.append(fault.from_qemu({"execute": "query-migrate"}, mixed) if fault else mixed)
            times_s.append(at / 1000)
        before = answer
    return Trace(_samples(times_s, answers), tuple(events), header)


def _samples(times_s: list[float], answers: list[dict[str, Any]]) -> Samples:
    """The samples of these answers, as `Sample.from_query` makes them; many at once if none is unusual."""
    labels, count = Labels(), len(answers)
    try:
        plain = msgspec.convert(answers, list[PlainAnswer])
        numbers = [labels[answer.status] for answer in plain], [ABSENT] * count
        return Samples(table_of(plain, times_s, [LATENCY_MS] * count, numbers), tuple(labels))
    except (msgspec.ValidationError, Unusual):
        return Samples.of(map(Sample.from_query, times_s, repeat(LATENCY_MS), answers))


def _torn(before: dict[str, Any], after: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """The monitor reads without a lock: some figures are of an earlier moment, or a page is between two counters."""
    if "expected-downtime" not in after or "expected-downtime" not in before:
        return after
    kind = dice.randrange(3)
    if kind == 0:
        return {**after, "expected-downtime": before["expected-downtime"]}
    if kind == 1:
        return {**after, "ram": {**after["ram"], "remaining": max(0, after["ram"]["remaining"] - PAGE)}}
    return {**after, "ram": {**after["ram"], "remaining": before["ram"]["remaining"]}}
