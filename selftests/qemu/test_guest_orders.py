# SPDX-License-Identifier: GPL-2.0-or-later
"""Orders that cannot be carried out are refused in one line."""

from __future__ import annotations

import pytest

from ..support.dirtier_guest import DIRECT, ERROR, SHAPES, Guest, Launch

WHOLE = "granule=4096, expected region= with one or more whole granules"
ALIGNED = "granule=4096, expected start= at a multiple of the granule, at or above 0x1000000"
SIZE = "expected a number of bytes such as 268435456, 256M or 1G"
KEYS = "expected pattern=, region=, granule=, rate=, seed=, fill=, flush=, hot=, share=, burst=, vcpus= or start="
GRANULE = "expected a power of two from 4K to 1G"
RATE = "expected 4 KiB pages per second, 0 to 1000000000"
PERCENT = "expected a whole number from 1 to 99, in percent"
VCPUS = "expected at least 1 vCPU and at most the 1 that can dirty here"
BURST = "expected burst=WRITE/REST in ms, such as 200/800, of which WRITE is not 0, each up to 3600000"
ERRORS = {
    "": f"region=0@0x1000000 {WHOLE}",
    "region=0": f"region=0@0x1000000 {WHOLE}",
    "region=5000": f"region=5000@0x1000000 {WHOLE}",
    "region=3M granule=2M": f"region=3145728@0x1000000 {WHOLE.replace('4096', '2097152')}",
    "region=4M start=20000001": f"region=4194304@0x1312d01 {ALIGNED}",
    "region=4M start=0": f"region=4194304@0x0 {ALIGNED}",
    "region=4M start=8M": f"region=4194304@0x800000 {ALIGNED}",
    "region=4M start=1G": "region=4194304@0x40000000 granule=4096, expected at most the 0 bytes of RAM from there on",
    "region=4M speed=7": f"speed=7, {KEYS}",
    "region=4M  =" + 100 * "x": f"={59 * 'x'}, {KEYS}",
    "region": f"region, {SIZE}",
    "region=4X": f"region=4X, {SIZE}",
    "region=18446744073709551616": f"region=18446744073709551616, {SIZE}",
    "region=17179869184G": f"region=17179869184G, {SIZE}",
    "region=4M granule=3K": f"granule=3K, {GRANULE}",
    "region=4M granule=2G": f"granule=2G, {GRANULE}",
    "region=4M pattern=zigzag": "pattern=zigzag, expected pattern=sequential, pattern=random, pattern=idle "
    "or pattern=hot-cold",
    "region=4M rate=-1": f"rate=-1, {RATE}",
    "region=4M rate=2K": f"rate=2K, {RATE}",
    "region=4M fill=maybe": "fill=maybe, expected yes or no",
    "region=4M hot=100": f"hot=100, {PERCENT}",
    "region=4M share=0": f"share=0, {PERCENT}",
    "region=4M pattern=hot-cold granule=1M hot=20": "region=4194304@0x1000000 granule=1048576, "
    "expected region= with enough granules for hot= to be one of them",
    "region=4M burst=200": f"burst=200, {BURST}",
    "region=4M burst=0/5": f"burst=0/5, {BURST}",
    "region=4M burst=5/": f"burst=5/, {BURST}",
    "region=4M burst=5/3600001": f"burst=5/3600001, {BURST}",
    "region=4M vcpus=0": f"vcpus=0, {VCPUS}",
    "region=4M vcpus=2": f"vcpus=2, {VCPUS}",
    "region=4M seed=": "seed=, expected a decimal number below 2^64",
}


def assert_refused(guest: Guest, message: str) -> None:
    line = f"migdowntime: error: {message}\n"
    guest.wait(lambda: guest.said().endswith("\n"))
    assert guest.said() == line
    telemetry = guest.telemetry()
    assert (telemetry["state"], telemetry["pages_written"]) == (ERROR, 0)


@pytest.mark.parametrize("orders", ERRORS)
def test_bad_orders_are_refused_in_one_line(launch: Launch, orders: str) -> None:
    assert_refused(launch("ppc64", orders), ERRORS[orders])


SEVERAL = {
    "region=4M vcpus=5": f"vcpus=5, {VCPUS.replace('the 1', 'the 4')}",
    "region=12K vcpus=4": "region=12288@0x1000000 granule=4096, expected region= with a granule for each of vcpus=",
    "region=4M rate=3 vcpus=4": "rate=3, expected 0 or at least a page per second for each of vcpus=",
    "region=16K pattern=hot-cold hot=99 vcpus=4": "region=16384@0x1000000 granule=4096, "
    "expected region= with enough granules for hot= to be one of them",
}


@pytest.mark.parametrize("shape", ["ppc64", "pc"])
@pytest.mark.parametrize("orders", SEVERAL)
def test_what_several_vcpus_cannot_share_is_refused(launch: Launch, shape: str, orders: str) -> None:
    assert_refused(launch(shape, orders, "-smp", "4"), SEVERAL[orders])


@pytest.mark.parametrize("shape", [shape for shape in DIRECT if shape != "ppc64"])
def test_bad_orders_are_refused_on_every_architecture(launch: Launch, shape: str) -> None:
    assert_refused(launch(shape, "region=4M speed=7"), ERRORS["region=4M speed=7"])
    floor = SHAPES[shape].ram_start + 0x1000000
    low = ERRORS["region=4M start=0"].replace("0x1000000", f"{floor:#x}")
    assert_refused(launch(shape, "region=4M start=0"), low)
