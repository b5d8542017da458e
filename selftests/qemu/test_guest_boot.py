# SPDX-License-Identifier: GPL-2.0-or-later
"""Each guest image boots and dirties the pages that its orders say."""

from __future__ import annotations

import zlib

import pytest

from ..support.dirtier_guest import (
    DIRECT,
    IDLE,
    MASK,
    MIB,
    PAGE,
    REGION_OFFSET,
    RUNNING,
    SHAPES,
    TELEMETRY_FIELDS,
    TELEMETRY_OFFSET,
    Launch,
    assert_page,
    epochs,
    hot_cold_walk,
    random_walk,
)

CLOCK_HZ = {
    "ppc64": 512_000_000,
    "aarch64": 62_500_000,
    "riscv64": 10_000_000,
    "s390x": 4_096_000_000,
    "arm": 62_500_000,
}
"""Where it is the architecture's or QEMU's choice, not the host's."""


@pytest.mark.parametrize("shape", SHAPES)
def test_boots_and_reports_its_orders(launch: Launch, shape: str) -> None:
    start = SHAPES[shape].ram_start + 64 * MIB
    guest = launch(shape, f"pattern=idle region=8M granule=64K seed=77 start={start}")
    guest.wait_serial("migdowntime: swept\n")
    telemetry = guest.telemetry()
    # On a busy host it takes long enough to say how far it is.
    lines = [line for line in guest.said().splitlines() if not line.startswith("migdowntime: pages=")]
    ready, dirtying, swept = lines[:3]
    assert ready == (
        f"migdowntime: ready arch={SHAPES[shape].architecture} pattern=idle "
        f"region=8388608@{start:#x} granule=65536 rate=0 "
        f"telemetry={SHAPES[shape].ram_start + TELEMETRY_OFFSET:#x}"
    )
    assert (dirtying, swept) == ("migdowntime: dirtying", "migdowntime: swept")
    assert telemetry["magic"] == int.from_bytes(b"MIGDOWNT", "big")
    expected = {
        "version": 4, "header_bytes": 8 * (len(TELEMETRY_FIELDS) + 15 * 9), "vcpus": 1, "state": RUNNING, "seed": 77,
        "region_start": start, "region_bytes": 8 * MIB, "granule_bytes": 65536, "pattern": IDLE,
        "rate_pages_per_s": 0, "pages_written": 2048, "sweep": 1, "paced_pages": 2048,
        "hot_percent": 20, "share_percent": 80, "burst_write_ms": 0, "burst_rest_ms": 0,
    }  # fmt: skip
    assert {name: telemetry[name] for name in expected} == expected
    assert telemetry["boot_ticks"] < telemetry["first_page_ticks"] < telemetry["first_sweep_ticks"]
    if architecture_hz := CLOCK_HZ.get(SHAPES[shape].architecture):
        assert telemetry["clock_hz"] == architecture_hz


@pytest.mark.parametrize("shape", SHAPES)
def test_pages_carry_index_epoch_seed_and_checksum(launch: Launch, shape: str) -> None:
    guest = launch(shape, "pattern=idle region=4M seed=18446744073709551615")
    start = guest.wait_sweep()["region_start"] - guest.shape.ram_start
    assert start == REGION_OFFSET
    for index in range(1024):
        assert_page(guest, start + index * PAGE, index, epoch=1, seed=MASK)
    assert not any(guest.ram[start + 4 * MIB : start + 5 * MIB])
    first_words = {guest.words(start + index * PAGE + 32, 1) for index in range(1024)}
    assert len(first_words) == 1024


@pytest.mark.parametrize("shape", DIRECT)
def test_zlib_shrinks_no_page_by_more_than_2_percent(launch: Launch, shape: str) -> None:
    guest = launch(shape, "pattern=idle region=4M")
    guest.wait_sweep()
    region = guest.ram[REGION_OFFSET : REGION_OFFSET + 4 * MIB]
    for level in (1, 9):
        sizes = [len(zlib.compress(region[at : at + PAGE], level)) for at in range(0, len(region), PAGE)]
        assert min(sizes) > 0.98 * PAGE
        assert len(zlib.compress(region, level)) > 0.98 * len(region)


@pytest.mark.parametrize("shape", DIRECT)
def test_idle_writes_nothing_after_its_sweep_but_the_heartbeat(launch: Launch, shape: str) -> None:
    guest = launch(shape, "pattern=idle region=4M")
    before = guest.wait_sweep()
    checksum = zlib.crc32(guest.ram[REGION_OFFSET : REGION_OFFSET + 8 * MIB])
    after = guest.wait(lambda: guest.telemetry()["heartbeat_count"] >= before["heartbeat_count"] + 50)
    assert zlib.crc32(guest.ram[REGION_OFFSET : REGION_OFFSET + 8 * MIB]) == checksum
    assert (after["pages_written"], after["sweep"], after["state"]) == (1024, 1, RUNNING)


@pytest.mark.parametrize("shape", DIRECT)
def test_sequential_sweeps_raise_the_epoch_in_order(launch: Launch, shape: str) -> None:
    guest = launch(shape, "region=4M rate=4000")
    guest.wait_pages(1024 + 300)
    telemetry = guest.freeze()
    done = telemetry["pages_written"] - 1024 * (telemetry["sweep"] - 1)
    seen = epochs(guest, telemetry)
    assert seen[:done] == [telemetry["sweep"]] * done
    assert seen[done + 1 :] == [telemetry["sweep"] - 1] * (1024 - done - 1)


@pytest.mark.parametrize(("shape", "seed"), [("ppc64", 1), ("ppc64", 2), ("pc", 2**63), ("aarch64", 1)])
def test_random_walk_is_the_documented_permutation_of_its_seed(launch: Launch, shape: str, seed: int) -> None:
    pages = 1500  # no power of two: some values of the permutation have to be skipped
    guest = launch(shape, f"pattern=random region={pages * 4}K rate=4000 seed={seed}")
    guest.wait_pages(pages + 300)
    telemetry = guest.freeze()
    sweep = telemetry["sweep"]
    done = telemetry["pages_written"] - pages * (sweep - 1)
    walk = random_walk(pages, seed, sweep)
    assert sorted(walk) == list(range(pages))
    fresh = {index for index, epoch in enumerate(epochs(guest, telemetry)) if epoch == sweep}
    assert fresh in (set(walk[:done]), set(walk[: done + 1]))  # one page may be written but not yet counted


@pytest.mark.parametrize("shape", DIRECT)
def test_hot_and_cold_pages_are_drawn_as_documented(launch: Launch, shape: str) -> None:
    guest = launch(shape, "pattern=hot-cold region=4M hot=10 share=90 rate=4000 seed=7")
    guest.wait_pages(2 * 1024 + 500)
    telemetry = guest.freeze()
    done = telemetry["pages_written"] - 1024 * (telemetry["sweep"] - 1)
    expected = [1] * 1024
    for epoch in range(2, telemetry["sweep"] + 1):
        walk = hot_cold_walk(1024, 7, epoch, hot_percent=10, share_percent=90)
        assert sum(granule < 102 for granule in walk) == pytest.approx(0.9 * 1024, rel=0.05)
        for granule in walk if epoch < telemetry["sweep"] else walk[:done]:
            expected[granule] = epoch
    differing = [i for i, epoch in enumerate(epochs(guest, telemetry)) if epoch != expected[i]]
    assert differing in ([], walk[done : done + 1])  # one page may be written but not yet counted


@pytest.mark.parametrize("shape", DIRECT)
def test_idle_with_a_rate_ticks_in_the_background(launch: Launch, shape: str) -> None:
    guest = launch(shape, "pattern=idle region=4M rate=500")
    paced = guest.wait_paced()
    assert paced["paced_pages"] == 1024
    guest.wait_pages(1024 + 100)
    telemetry = guest.freeze()
    done = telemetry["pages_written"] - 1024
    seen = epochs(guest, telemetry)
    assert (seen[:done], set(seen[done + 1 :])) == ([2] * done, {1})


@pytest.mark.parametrize("shape", DIRECT)
@pytest.mark.parametrize("pattern", ["sequential", "random"])
def test_granules_are_written_whole(launch: Launch, shape: str, pattern: str) -> None:
    guest = launch(shape, f"pattern={pattern} region=64M granule=2M rate=4096 fill=no")
    guest.wait_pages(3 * 512)
    telemetry = guest.freeze()
    seen = epochs(guest, telemetry)
    written = [sum(seen[at : at + 512]) for at in range(0, len(seen), 512)]
    assert telemetry["region_start"] == guest.shape.ram_start + REGION_OFFSET
    assert sum(1 for pages in written if pages == 512) == telemetry["pages_written"] // 512
    assert sum(1 for pages in written if 0 < pages < 512) <= 1


def test_region_starts_at_the_granule_if_that_is_larger(launch: Launch) -> None:
    guest = launch("ppc64", "region=64M granule=64M rate=1")
    assert guest.wait_pages(1)["region_start"] == 64 * MIB


@pytest.mark.parametrize(("shape", "below_4g"), [("pc", 3 << 30), ("q35", 2 << 30)])
def test_x86_64_reaches_ram_above_4_gib(launch: Launch, shape: str, below_4g: int) -> None:
    guest = launch(shape, "pattern=idle region=4M start=4G", ram_bytes=5 << 30)
    assert guest.wait_sweep()["region_start"] == 4 << 30
    for index in (0, 1023):
        assert_page(guest, below_4g + index * PAGE, index, epoch=1, seed=1)


def test_ppc64_reaches_ram_above_4_gib(launch: Launch) -> None:
    guest = launch("ppc64", "pattern=idle region=4M start=4348M", ram_bytes=17 * 256 * MIB)
    assert guest.wait_sweep()["region_start"] == 4348 * MIB
    assert_page(guest, 4352 * MIB - PAGE, 1023, epoch=1, seed=1)
