# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest keeps to its rate, and goes on after a pause.

What takes long is watched in guests of all architectures side by side; a test judges one of them.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import pytest

from ..support.dirtier_guest import DIRECT, Guest, Launch, side_by_side

pytestmark = pytest.mark.alone

Telemetry = dict[str, int]
Watched = dict[str, Future[Any]]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Watched]:
    return lambda orders, watch: side_by_side(tmp_path_factory.mktemp("guests"), orders, watch)


@dataclass(frozen=True)
class Held:
    """What a guest had done at two moments, when they were, and what it had done in a pause and some time after it.

    Then the rate that QEMU saw, in pages per second, and how often the guest lagged meanwhile.
    """

    first: Telemetry
    first_s: float
    last: Telemetry
    last_s: float
    in_pause: Telemetry
    after_pause: Telemetry
    dirty_pages_rate: int
    lagged: int

    def off(self) -> float:
        """How far its rate, or its clock by that of the host, is from what it should be: the greater share."""
        ticks = self.last["heartbeat_ticks"] - self.first["heartbeat_ticks"]
        lagged = self.last["lag_ticks"] - self.first["lag_ticks"]  # a busy host makes the guest lag, not slow
        pages_per_s = (self.last["pages_written"] - self.first["pages_written"]) / (ticks - lagged) * self.clock_hz
        elapsed_s = self.last_s - self.first_s
        return max(abs(pages_per_s / RATE - 1), abs(ticks / self.clock_hz / elapsed_s - 1))

    def off_after_the_pause(self) -> float:
        """The same of what it skipped of a pause of 1 s, all but 100 ms, and of the pages that it then wrote."""
        ticks = self.after_pause["heartbeat_ticks"] - self.in_pause["heartbeat_ticks"]
        lagged = self.after_pause["lag_ticks"] - self.in_pause["lag_ticks"]
        pages = self.after_pause["pages_written"] - self.in_pause["pages_written"]
        return max(1 - lagged / self.clock_hz / 0.9, abs(pages / RATE * self.clock_hz / (ticks - lagged) - 1))

    @property
    def clock_hz(self) -> int:
        return self.last["clock_hz"]


RATE = 2000
ORDERS = f"region=64M rate={RATE}"
GUESTS = 5
"""A busy host makes a guest mistake the rate of its clock as it boots, or be behind at an end: of some one is not."""


def watch_held(guest: Guest) -> Held:
    guest.wait_paced()
    first, first_s = guest.telemetry(), time.monotonic()
    time.sleep(2)
    last, last_s = guest.telemetry(), time.monotonic()
    guest.freeze()
    time.sleep(1)
    in_pause = guest.telemetry()
    os.kill(guest.process.pid, signal.SIGCONT)
    after_pause = guest.wait_seconds(in_pause["heartbeat_ticks"], 1.2)
    return Held(first, first_s, last, last_s, in_pause, after_pause, *watch_dirty_pages_rate(guest))


def watch_dirty_pages_rate(guest: Guest) -> tuple[int, int]:
    """What QEMU sees dirtied from the first dirty sync to the second, over a second later, and how often it lagged."""
    guest.qmp("migrate-set-parameters", **{"max-bandwidth": 40_000_000, "downtime-limit": 1})
    lagged = guest.telemetry()["lag_count"]
    guest.qmp("migrate", uri="exec:cat > /dev/null")
    guest.wait(lambda: dirty_pages_rate(guest))
    lagged = guest.telemetry()["lag_count"] - lagged
    return dirty_pages_rate(guest), lagged


@pytest.fixture(scope="module")
def held(watched: Callable[..., Watched]) -> Watched:
    return watched(ORDERS, watch_held)


@pytest.mark.parametrize("shape", DIRECT)
def test_rate_is_held(held: Watched, launch: Launch, shape: str) -> None:
    off = [held[shape].result().off()]
    while off[-1] > 0.05 and len(off) < GUESTS:
        off.append(watch_held(launch(shape, ORDERS)).off())
    assert off[-1] <= 0.05, off


@pytest.mark.parametrize("shape", DIRECT)
def test_a_pause_is_skipped_but_for_100_ms(held: Watched, launch: Launch, shape: str) -> None:
    off = [held[shape].result().off_after_the_pause()]
    while off[-1] > 0.1 and len(off) < GUESTS:
        off.append(watch_held(launch(shape, ORDERS)).off_after_the_pause())
    assert off[-1] <= 0.1, off


@pytest.mark.parametrize("shape", DIRECT)
def test_qemu_sees_the_rate_that_was_ordered(held: Watched, launch: Launch, shape: str) -> None:
    seen = [held[shape].result()]
    while abs(seen[-1].dirty_pages_rate / RATE - 1) > 0.05 and len(seen) < GUESTS:
        seen.append(watch_held(launch(shape, ORDERS)))
    # A busy host makes each of them lag: then it can only be slower.
    rates = [(one.dirty_pages_rate, one.lagged) for one in seen]
    assert rates[-1][0] == pytest.approx(RATE, rel=0.05) or all(lagged and rate < RATE for rate, lagged in rates), rates


@pytest.fixture(scope="module")
def overtaxed(watched: Callable[..., Watched]) -> Watched:
    def watch(guest: Guest) -> tuple[Telemetry, str]:
        first = guest.wait_paced()
        last = guest.wait_seconds(first["paced_ticks"], 1)
        guest.wait_serial("migdowntime: lagging rate=1000000000 pages=")
        guest.wait_seconds(first["paced_ticks"], 3)
        return last, guest.serial()

    return watched("region=8M rate=1000000000", watch)


@pytest.mark.parametrize("shape", DIRECT)
def test_what_it_cannot_keep_up_with_counts_as_lag(overtaxed: Watched, shape: str) -> None:
    last, said = overtaxed[shape].result()
    elapsed = last["heartbeat_ticks"] - last["paced_ticks"]
    assert last["lag_ticks"] == pytest.approx(elapsed - last["clock_hz"] // 10, rel=0.1)
    assert last["lag_count"] > 1000
    assert said.count("lagging") == 1


@pytest.fixture(scope="module")
def filled(watched: Callable[..., Watched]) -> Watched:
    def watch(guest: Guest) -> Telemetry:
        guest.wait_serial("migdowntime: swept")
        return guest.wait_pages(64 * 256 + 20)

    return watched("region=64M rate=100", watch)


@pytest.mark.parametrize("shape", DIRECT)
def test_the_region_is_filled_at_full_speed_before_the_pace_begins(filled: Watched, shape: str) -> None:
    telemetry = filled[shape].result()
    assert telemetry["paced_pages"] == 64 * 256
    assert telemetry["first_sweep_ticks"] <= telemetry["paced_ticks"]
    fill = telemetry["paced_ticks"] - telemetry["first_page_ticks"]
    ticks = telemetry["heartbeat_ticks"] - telemetry["paced_ticks"] - telemetry["lag_ticks"]
    paced = (telemetry["pages_written"] - telemetry["paced_pages"]) / ticks
    assert paced * telemetry["clock_hz"] == pytest.approx(100, rel=0.1)
    assert 64 * 256 / fill > 20 * paced


def test_without_the_fill_the_pace_holds_from_the_first_page(launch: Launch) -> None:
    telemetry = launch("ppc64", "region=64M rate=1000 fill=no").wait_pages(500)
    assert (telemetry["paced_pages"], telemetry["sweep"], telemetry["first_sweep_ticks"]) == (0, 1, 0)


@pytest.fixture(scope="module")
def bursts(watched: Callable[..., Watched]) -> Watched:
    def watch(guest: Guest) -> list[Telemetry]:
        first = guest.wait_paced()
        seen = [guest.telemetry()]
        while seen[-1]["heartbeat_ticks"] < first["paced_ticks"] + 2 * first["clock_hz"]:
            time.sleep(0.002)
            seen.append(guest.telemetry())
        return seen[:-1]  # A busy host looks late: the last may be of the next burst.

    return watched("region=4M rate=2000 burst=100/300", watch)


@pytest.mark.parametrize("shape", DIRECT)
def test_bursts_write_at_the_rate_and_rest(bursts: Watched, shape: str) -> None:
    seen = bursts[shape].result()
    last = seen[-1]
    pages = last["pages_written"] - last["paced_pages"]
    lagged_s = last["lag_ticks"] / last["clock_hz"]
    assert pages == pytest.approx(2000 * 0.1 * 5, abs=2000 * lagged_s + 25)
    if not lagged_s:
        assert {t["pages_written"] for t in seen if 0.15 < phase_s(t, period_s=0.4) < 0.35} <= {
            last["paced_pages"] + 200 * burst for burst in range(1, 6)
        }


def dirty_pages_rate(guest: Guest) -> int:
    return guest.qmp("query-migrate").get("ram", {}).get("dirty-pages-rate", 0)


def phase_s(telemetry: dict[str, int], period_s: float) -> float:
    return (telemetry["heartbeat_ticks"] - telemetry["paced_ticks"]) / telemetry["clock_hz"] % period_s
