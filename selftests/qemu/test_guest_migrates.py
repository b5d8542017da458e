# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest goes on after a live migration, on each architecture."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..support.dirtier_guest import DIRECT, Launch


@pytest.mark.parametrize("shape", DIRECT)
def test_goes_on_after_a_live_migration(launch: Launch, tmp_path: Path, shape: str) -> None:
    # Without the flush QEMU before 9.0 loses writes to what it goes on with: the guest's stack.
    orders, uri = "region=16M rate=2000 flush=yes", f"unix:{tmp_path / 'wire'}"
    destination = launch(shape, orders, "-incoming", uri)
    source = launch(shape, orders)
    source.wait_pages(16 * 256 + 200)
    destination.wait(lambda: (tmp_path / "wire").exists())
    source.qmp("migrate", uri=uri)
    source.wait(lambda: source.qmp("query-migrate")["status"] in ("completed", "failed"))
    assert source.qmp("query-migrate")["status"] == "completed"
    left = source.telemetry()
    later = destination.wait_pages(left["pages_written"] + 1000)
    assert later["heartbeat_ticks"] > left["heartbeat_ticks"]
    assert later["first_page_ticks"] == left["first_page_ticks"]
