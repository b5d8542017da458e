# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a guest under KVM continues to dirty while QEMU tracks its dirty pages through the dirty ring."""

import asyncio
from types import SimpleNamespace

import pytest

from avocado_migdowntime.qemu import guest


@pytest.mark.parametrize(
    ("later", "continues"),
    [
        ([], False),
        (["migdowntime: pages=64 sweep=4"], False),  # It may have begun before QEMU tracked anything.
        (["migdowntime: pages=64 sweep=4", "migdowntime: lagging"], False),
        (["migdowntime: pages=64 sweep=4", "migdowntime: pages=128 sweep=8"], True),
    ],
)
def test_a_guest_continues_that_prints_its_pages_twice_more(monkeypatch, later, continues):
    monkeypatch.setattr(guest, "_TRACKED_S", 0.1)
    monkeypatch.setattr(guest, "_LOOK_S", 0.001)
    serial, asked = ["migdowntime: dirtying", "migdowntime: pages=16 sweep=1"], []

    async def execute(command, arguments):
        asked.append((command, arguments["mode"]))
        asyncio.get_running_loop().call_later(0.01, serial.extend, later)

    qemu = SimpleNamespace(execute=execute, serial=serial)
    assert asyncio.run(guest.dirties_while_tracked(qemu)) is continues
    assert asked == [("calc-dirty-rate", "dirty-ring")]
