# SPDX-License-Identifier: GPL-2.0-or-later
"""A simulated precopy of a guest on hugepages, page by page; it knows what was left at each dirty sync.

It follows QEMU (migration/ram.c: ram_save_iterate, ram_save_host_page; migration/migration.c: migration_thread,
migration_rate_limit). Pages are sent in order of their position, pass after pass. The rate limit makes QEMU rest within
a hugepage. A round ends with nothing left, after the first host page and each 64 more if it has lasted 50 ms, or when
the budget is used up. Between two rounds QEMU checks whether what is left fits.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from avocado_migdowntime.trace.events import AIMED, HARNESS, Event
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.ram import Ram
from avocado_migdowntime.trace.sample import Sample

PAGE = 4096
HUGE_PAGES = 64
"""Pages of the target in a host page of the guest's RAM."""
PAGES_A_MIB = 256
_SYNC_S = 0.0015
_Figures = tuple[int, int, int, int, int, int, float, int]


@dataclass
class OnHugepages:
    """RAM of that many MiB, of which the guest rewrites a part from `begin_mib` on between two syncs.

    `firmware` pages of the `beside` ones, which are on small pages after the RAM, are written before the first sync.
    """

    seed: int
    ram_mib: int = 8
    begin_mib: int = 1
    dirtied_mib: int = 2
    beside: int = 130
    firmware: int = 34
    top: bool = True
    """Firmware has also written to the last hugepage."""
    window_pages: int = 120
    limit_ms: float = 300
    first_limit_ms: float | None = None
    """The limit of the first pass, if that has another."""
    passes: int = 4
    hold_s: float = 0.0
    """From time to time the host halts QEMU for up to this long."""
    left: dict[int, int] = field(default_factory=dict)
    """The truth: bytes left when the pass of that number ended."""
    found: dict[int, int] = field(default_factory=dict)
    """The truth: bytes left after the sync that ended it."""

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self._t_s = self._window_s = 0.0
        self._sent = self._zeros = self._counted = self._window_bytes = 0
        self._number = 1
        self._mbps = 0.0
        ram_pages = self.ram_mib * PAGES_A_MIB
        self._blocks = [HUGE_PAGES] * (ram_pages // HUGE_PAGES) + [1] * self.beside
        self._starts = [0]
        for size in self._blocks:
            self._starts.append(self._starts[-1] + size)
        region = range(self.begin_mib * PAGES_A_MIB, (self.begin_mib + self.dirtied_mib) * PAGES_A_MIB)
        self._region = [*range(3), *region]
        self._nonzero = {*range(HUGE_PAGES), *region, *range(ram_pages, self._starts[-1])}
        self._firmware = [*range(HUGE_PAGES), *range(ram_pages, ram_pages + self.firmware)]
        if self.top:
            self._firmware += range(ram_pages - 30, ram_pages)
        self._dirty = bytearray(b"\1" * self._starts[-1])
        self._remaining = self._starts[-1]
        self._at = 0
        self.moments: list[tuple[float, _Figures]] = []
        """Each change of QEMU's figures, which are those of a `Ram`."""
        self.held: list[tuple[float, float]] = []
        """The times between which no query is answered."""

    def run(self) -> None:
        """Run the whole migration."""
        self._show()
        exceeded = False
        while self._number <= self.passes:
            if not exceeded:
                if self._remaining * PAGE < self._limit_now_ms * self._mbps * 125 or not self._remaining:
                    self._sync()
                self._round()
            exceeded = self._rate_limit()

    @property
    def _limit_now_ms(self) -> float:
        return self.limit_ms if self._number > 1 or self.first_limit_ms is None else self.first_limit_ms

    def _round(self) -> None:
        begun_s, count = self._t_s, 0
        while self._window_bytes < self.window_pages * (PAGE + 8):
            if not self._send_host_page():
                break
            if count % 64 == 0 and self._t_s - begun_s > 0.05:
                break
            count += 1
        self._counted += 8
        self._window_bytes += 8
        self._show()

    def _send_host_page(self) -> bool:
        place = self._next()
        if place is None:
            return False
        block = bisect_right(self._starts, place) - 1
        end = self._starts[block + 1]
        while place < end:
            if self._dirty[place]:
                self._send(place)
                if self._blocks[block] > 1:
                    self._rate_limit()
            place += 1
        self._at = place % self._starts[-1]
        return True

    def _next(self) -> int | None:
        for begin, end in ((self._at, None), (0, self._at)):
            place = self._dirty.find(1, begin, end)
            if place >= 0:
                return place
        return None

    def _send(self, place: int) -> None:
        self._dirty[place] = 0
        self._remaining -= 1
        self._show()
        self._counted += 8
        self._t_s += 1e-6
        self._show()
        body = PAGE if place in self._nonzero else 1
        self._counted += body
        self._window_bytes += 8 + body
        self._sent += 1
        self._zeros += body == 1
        self._t_s += 3e-6 if body > 1 else 1e-6
        if self.hold_s and self._dice.random() < 0.002:
            self._t_s += self._dice.uniform(0, self.hold_s)
        self._show()

    def _rate_limit(self) -> bool:
        """Update the bandwidth if it is time, and rest if the budget is used up; return whether it was."""
        lasted_ms = int(self._t_s * 1000) - int(self._window_s * 1000)
        if lasted_ms >= 100:
            self._mbps = self._window_bytes * 8 / (lasted_ms / 1000) / 1000 / 1000
            self._window_s, self._window_bytes = self._t_s, 0
            self._show()
        if self._window_bytes < self.window_pages * (PAGE + 8):
            return False
        self._t_s = max(self._t_s, self._window_s + 0.1) + self._dice.uniform(0.0001, 0.004)
        return True

    def _sync(self) -> None:
        self.left[self._number] = self._remaining * PAGE
        begun_s = self._t_s
        self._t_s += _SYNC_S
        self.held.append((begun_s, self._t_s))
        for place in self._firmware + self._region if self._number == 1 else self._region:
            self._remaining += not self._dirty[place]
            self._dirty[place] = 1
        self.found[self._number] = self._remaining * PAGE
        self._number += 1
        self._show()

    def _show(self) -> None:
        ram = self._remaining * PAGE, PAGE, self._sent, self._zeros, self._number, 0, self._mbps, self._counted
        if self.moments and self.moments[-1][0] == self._t_s:
            self.moments.pop()
        self.moments.append((self._t_s, ram))


def sampled(run: OnHugepages, period_s: float, pause_s: float, late_s: Callable[[], float]) -> Trace:
    """A harness's trace of it, with a pause of `pause_s` between its queries near a sync, else `period_s`."""
    times = [moment_s for moment_s, _ in run.moments]
    samples: list[Sample] = []
    asked_s = 0.0
    while asked_s < times[-1]:
        read_s = asked_s + late_s()
        for begun_s, ended_s in run.held:
            if begun_s <= read_s < ended_s:
                read_s = ended_s + late_s()
        answered_s = read_s + 0.0002
        ram = Ram(*run.moments[max(0, bisect_right(times, read_s) - 1)][1])
        samples.append(Sample(asked_s, (answered_s - asked_s) * 1000, "active", None, ram))
        near = any(begun_s - 0.02 <= answered_s <= begun_s + 0.01 for begun_s, _ in run.held)
        asked_s = answered_s + (pause_s if near else period_s)
    header = {
        "guest": "dirtier",
        "backing_page_size": HUGE_PAGES * PAGE,
        "ram_mib": run.ram_mib,
        "dirtied_mib": run.dirtied_mib,
        "migrate-parameters": {"downtime-limit": run.limit_ms},
    }
    return Trace(tuple(samples), tuple(_limits_set(run, samples)), header)


def _limits_set(run: OnHugepages, samples: list[Sample]) -> Iterator[Event]:
    if run.first_limit_ms is None:
        return
    second = next((one.answered_s for one in samples if one.ram and one.ram.dirty_sync_count > 1), None)
    for limit_ms, at_s in ((run.first_limit_ms, samples[0].answered_s), (run.limit_ms, second)):
        if at_s is not None:
            yield Event(at_s + 0.0001, HARNESS, AIMED, {"downtime-limit": limit_ms, "since": at_s})
