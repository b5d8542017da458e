# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest keeps to its rate, and goes on after a pause and a migration."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from .dirtier_guest import DIRECT, Launch


@pytest.mark.parametrize("shape", DIRECT)
def test_rate_is_held(launch: Launch, shape: str) -> None:
    guest = launch(shape, "region=64M rate=2000")
    guest.wait_pages(100)
    first, first_s = guest.telemetry(), time.monotonic()
    time.sleep(2)
    last, last_s = guest.telemetry(), time.monotonic()
    pages = last["pages_written"] - first["pages_written"]
    ticks = last["heartbeat_ticks"] - first["heartbeat_ticks"]
    lagged = last["lag_ticks"] - first["lag_ticks"]  # a busy host makes the guest lag, not slow
    assert pages / ((ticks - lagged) / last["clock_hz"]) == pytest.approx(2000, rel=0.05)
    assert ticks / last["clock_hz"] == pytest.approx(last_s - first_s, rel=0.05)


@pytest.mark.parametrize("shape", DIRECT)
def test_what_it_cannot_keep_up_with_counts_as_lag(launch: Launch, shape: str) -> None:
    guest = launch(shape, "region=8M rate=1000000000")
    first = guest.wait_pages(1)
    last = guest.wait_seconds(first["first_page_ticks"], 1)
    elapsed = last["heartbeat_ticks"] - last["first_page_ticks"]
    assert last["lag_ticks"] == pytest.approx(elapsed - last["clock_hz"] // 10, rel=0.1)
    assert last["lag_count"] > 1000


@pytest.mark.parametrize("shape", DIRECT)
def test_a_pause_is_skipped_but_for_100_ms(launch: Launch, shape: str) -> None:
    guest = launch(shape, "region=64M rate=2000")
    guest.wait_pages(200)
    guest.freeze()
    time.sleep(1)
    before = guest.telemetry()
    os.kill(guest.process.pid, signal.SIGCONT)
    after = guest.wait_seconds(before["heartbeat_ticks"], 1.2)
    ticks = after["heartbeat_ticks"] - before["heartbeat_ticks"]
    lagged = after["lag_ticks"] - before["lag_ticks"]
    assert lagged > 0.8 * after["clock_hz"]
    assert after["pages_written"] - before["pages_written"] == pytest.approx(
        2000 * (ticks - lagged) / after["clock_hz"], rel=0.1
    )


@pytest.mark.parametrize("shape", DIRECT)
def test_goes_on_after_a_live_migration(launch: Launch, tmp_path: Path, shape: str) -> None:
    orders, uri = "region=16M rate=2000", f"unix:{tmp_path / 'wire'}"
    destination = launch(shape, orders, "-incoming", uri)
    source = launch(shape, orders)
    source.wait_pages(200)
    destination.wait(lambda: (tmp_path / "wire").exists())
    source.qmp("migrate", uri=uri)
    source.wait(lambda: source.qmp("query-migrate")["status"] in ("completed", "failed"))
    assert source.qmp("query-migrate")["status"] == "completed"
    left = source.telemetry()
    later = destination.wait_pages(left["pages_written"] + 1000)
    assert later["heartbeat_ticks"] > left["heartbeat_ticks"]
    assert later["first_page_ticks"] == left["first_page_ticks"]
