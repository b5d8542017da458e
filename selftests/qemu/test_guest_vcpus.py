# SPDX-License-Identifier: GPL-2.0-or-later
"""Each of several vCPUs dirties its share of the region at its share of the rate, and goes on after a migration."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from ..support.dirtier_guest import TELEMETRY_FIELDS, TELEMETRY_OFFSET, Guest, Launch, epochs

VCPUS, GRANULES, RATE = 3, 1000, 2501
BEGINS = (0, 333, 666, 1000)
RATES = (833, 834, 834)
ORDERS = f"region={GRANULES * 4}K rate={RATE} vcpus={VCPUS} flush=yes"
MORE = ("-smp", "4")
"""One of them has nothing to do."""
ATTEMPTS = 5
"""A busy host keeps a vCPU from running just before the guest is looked at: of some looks one is not so."""
OF_ONE = TELEMETRY_FIELDS[13:22]


def told(guest: Guest) -> list[dict[str, int]]:
    """How far each vCPU is, in the words that the first one has for it."""
    offsets = [104, *(8 * (len(TELEMETRY_FIELDS) + len(OF_ONE) * other) for other in range(VCPUS - 1))]
    return [dict(zip(OF_ONE, guest.words(TELEMETRY_OFFSET + offset, len(OF_ONE)), strict=True)) for offset in offsets]


def off(guest: Guest, first: list[dict[str, int]], first_ticks: int) -> float:
    """How far the vCPU that is furthest off is from its rate, since then."""
    elapsed, clock_hz = guest.telemetry()["heartbeat_ticks"] - first_ticks, guest.telemetry()["clock_hz"]
    return max(
        abs((now["pages_written"] - then["pages_written"]) / rate * clock_hz / (elapsed - lagged) - 1)
        for then, now, rate in zip(first, told(guest), RATES, strict=True)
        if (lagged := now["lag_ticks"] - then["lag_ticks"]) < elapsed
    )


def assert_shares_are_written_in_order(guest: Guest) -> None:
    seen = epochs(guest, guest.telemetry())
    for vcpu, one in enumerate(told(guest)):
        share = seen[BEGINS[vcpu] : BEGINS[vcpu + 1]]
        sweep, done = divmod(one["pages_written"], len(share))
        assert (one["sweep"], share[:done]) == (sweep + 1, [sweep + 1] * done)
        assert share[done + 1 :] == [sweep] * (len(share) - done - 1)


@pytest.mark.alone
@pytest.mark.parametrize("shape", ["ppc64", "pc"])
def test_each_vcpu_dirties_its_share_and_goes_on_after_a_migration(launch: Launch, tmp_path: Path, shape: str) -> None:
    uri = f"unix:{tmp_path / 'wire'}"
    source, destination = launch(shape, ORDERS, *MORE), launch(shape, ORDERS, *MORE, "-incoming", uri)
    seen = []
    for guest in [source] * ATTEMPTS:
        guest.wait(lambda: all(one["paced_ticks"] for one in told(source)))
        first, first_ticks = told(guest), guest.telemetry()["heartbeat_ticks"]
        guest.wait_seconds(first_ticks, 2)
        guest.freeze()
        seen.append(off(guest, first, first_ticks))
        assert_shares_are_written_in_order(guest)
        os.kill(guest.process.pid, signal.SIGCONT)
        if seen[-1] < 0.05:
            break
    assert seen[-1] < 0.05, seen
    destination.wait(lambda: (tmp_path / "wire").exists())
    source.qmp("migrate", uri=uri)
    source.wait(lambda: source.qmp("query-migrate")["status"] in ("completed", "failed"))
    assert source.qmp("query-migrate")["status"] == "completed"
    left = told(source)
    destination.wait(
        lambda: all(
            now["pages_written"] > then["pages_written"] + rate
            for then, now, rate in zip(left, told(destination), RATES, strict=True)
        )
    )
    destination.freeze()
    assert_shares_are_written_in_order(destination)


@pytest.mark.parametrize("shape", ["slof", "q35"])
def test_the_other_machines_start_their_vcpus_too(launch: Launch, shape: str) -> None:
    guest = launch(shape, ORDERS, *MORE)
    guest.wait_serial("migdowntime: swept")
    guest.wait(lambda: all(one["sweep"] > 1 for one in told(guest)))
    guest.freeze()
    assert_shares_are_written_in_order(guest)
