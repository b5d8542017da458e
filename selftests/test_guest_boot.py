# SPDX-License-Identifier: GPL-2.0-or-later
"""Each guest image boots on a real QEMU under TCG and does what its orders say."""

from __future__ import annotations

import itertools
import json
import mmap
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

IMAGES = Path(__file__).resolve().parents[1] / "images"
PSERIES = "pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off"
PPC64_ELF, X86_64_ELF = str(IMAGES / "ppc64/dirtier.elf"), str(IMAGES / "x86_64/dirtier.elf")
PATIENCE_S = 30.0
MIB = 1 << 20
PAGE = 4096
MASK = (1 << 64) - 1

TELEMETRY_ADDRESS = 0x800000
TELEMETRY_FIELDS = (
    "magic", "version", "header_bytes", "state", "clock_hz", "heartbeat_ticks", "heartbeat_count",
    "region_start", "region_bytes", "granule_bytes", "rate_pages_per_s", "pattern", "seed",
    "pages_written", "sweep", "lag_ticks", "lag_count", "boot_ticks", "first_page_ticks", "first_sweep_ticks",
)  # fmt: skip
RUNNING, ERROR = 1, 2
IDLE = 2


@dataclass(frozen=True)
class Shape:
    """One way to start an image."""

    architecture: str
    machine: str
    arguments: tuple[str, ...]
    byte_order: str


SHAPES = {
    "ppc64": Shape("ppc64", PSERIES, ("-bios", str(IMAGES / "ppc64/dirtier.bin"), "-kernel", PPC64_ELF), ">"),
    "slof": Shape("ppc64", PSERIES, ("-kernel", PPC64_ELF), ">"),
    "pc": Shape("x86_64", "pc", ("-kernel", X86_64_ELF), "<"),
    "q35": Shape("x86_64", "q35", ("-kernel", X86_64_ELF), "<"),
}
DIRECT = ("ppc64", "pc")


class Guest:
    """A QEMU with its RAM in a file that this process maps too."""

    def __init__(self, directory: Path, shape: str, orders: str, ram_bytes: int, *more: str) -> None:
        self.shape = SHAPES[shape]
        self.serial_path = directory / "serial"
        self.qmp_path = directory / "qmp"
        binary = f"qemu-system-{self.shape.architecture}"
        assert shutil.which(binary), f"no {binary} in PATH, expected it; try your distribution's QEMU package"
        ram = directory / "ram"
        with ram.open("wb+") as file:
            file.truncate(ram_bytes)
            self.ram = mmap.mmap(file.fileno(), ram_bytes)
        self.process = subprocess.Popen([
            binary, "-nodefaults", "-display", "none", "-accel", "tcg", "-m", f"{ram_bytes // MIB}",
            "-object", f"memory-backend-file,id=ram,size={ram_bytes},mem-path={ram},share=on",
            "-machine", f"{self.shape.machine},memory-backend=ram", "-serial", f"file:{self.serial_path}",
            "-qmp", f"unix:{self.qmp_path},server=on,wait=off",
            *self.shape.arguments, "-append", orders, *more,
        ])  # fmt: skip

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """The 64-bit words at an offset in the RAM file, in the guest's byte order."""
        return struct.unpack_from(f"{self.shape.byte_order}{count}Q", self.ram, address)

    def telemetry(self) -> dict[str, int]:
        return dict(zip(TELEMETRY_FIELDS, self.words(TELEMETRY_ADDRESS, len(TELEMETRY_FIELDS)), strict=True))

    def serial(self) -> str:
        return self.serial_path.read_text(errors="replace") if self.serial_path.exists() else ""

    def wait(self, what: Callable[[], object]) -> dict[str, int]:
        """Wait until `what()` is true; return the telemetry then."""
        deadline = time.monotonic() + PATIENCE_S
        while not what():
            assert self.process.poll() is None, f"QEMU ended with {self.process.returncode}: {self.serial()}"
            assert time.monotonic() < deadline, f"{self.telemetry()}\n{self.serial()}"
            time.sleep(0.005)
        return self.telemetry()

    def wait_pages(self, pages: int) -> dict[str, int]:
        return self.wait(lambda: self.telemetry()["pages_written"] >= pages)

    def wait_seconds(self, start_ticks: int, seconds: float) -> dict[str, int]:
        """Wait until the guest's clock is so much later."""
        end_ticks = start_ticks + seconds * self.telemetry()["clock_hz"]
        return self.wait(lambda: self.telemetry()["heartbeat_ticks"] > end_ticks)

    def wait_sweep(self) -> dict[str, int]:
        return self.wait(lambda: self.telemetry()["first_sweep_ticks"])

    def wait_serial(self, text: str) -> dict[str, int]:
        return self.wait(lambda: text in self.serial())

    def freeze(self) -> dict[str, int]:
        """Stop the whole QEMU between two instructions, so that RAM and telemetry stand still."""
        os.kill(self.process.pid, signal.SIGSTOP)
        while Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.001)
        return self.telemetry()

    def qmp(self, execute: str, **arguments: str) -> Any:
        """Run one monitor command on a connection of its own."""
        self.wait(self.qmp_path.exists)
        with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rw") as stream:
            connection.connect(str(self.qmp_path))
            for command in ({"execute": "qmp_capabilities"}, {"execute": execute, "arguments": arguments}):
                stream.write(json.dumps(command))
                stream.flush()
                while "return" not in (reply := json.loads(stream.readline())):
                    assert "error" not in reply, reply
            return reply["return"]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.ram.close()


Launch = Callable[..., Guest]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start guests; all are ended with the test."""
    guests: list[Guest] = []

    def start(shape: str, orders: str, *more: str, ram_bytes: int = 256 * MIB) -> Guest:
        directory = tmp_path / str(len(guests))
        directory.mkdir()
        guests.append(Guest(directory, shape, orders, ram_bytes, *more))
        return guests[-1]

    yield start
    for guest in guests:
        guest.end()


def mix(value: int) -> int:
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & MASK
    return value ^ value >> 31


def random_walk(granules: int, seed: int, epoch: int) -> list[int]:
    """The order of one random sweep, as images/README.md describes it."""
    bits = (granules - 1).bit_length()
    mask = (1 << bits) - 1
    order = []
    for position in range(1 << bits):
        key, value = mix(mix(seed) + epoch & MASK), position
        for _ in range(3):
            value = (value + key) * 0xBF58476D1CE4E5B9 & mask
            value ^= value >> (bits // 2 + 1)
            key = (key >> 21 | key << 43) & MASK
        if value < granules:
            order.append(value)
    return order


def assert_page(guest: Guest, address: int, index: int, epoch: int, seed: int) -> None:
    words = guest.words(address, PAGE // 8)
    assert words[:3] == (index, epoch, seed)
    assert words[3] == sum(words[:3] + words[4:]) & MASK
    assert len(set(words[4:])) == len(words) - 4


def epochs(guest: Guest, telemetry: dict[str, int]) -> list[int]:
    """The epoch that each page of the region carries; 0 where nothing has been written."""
    start, pages = telemetry["region_start"], telemetry["region_bytes"] // PAGE
    return [guest.words(start + index * PAGE, 2)[1] for index in range(pages)]


@pytest.mark.parametrize("shape", SHAPES)
def test_boots_and_reports_its_orders(launch: Launch, shape: str) -> None:
    guest = launch(shape, "pattern=idle region=8M granule=64K rate=100000 seed=77 start=64M")
    guest.wait_serial("migdowntime: swept\n")
    telemetry = guest.telemetry()
    text = guest.serial().replace("\r\n", "\n")
    ready, dirtying, swept = text[text.index("migdowntime: ") :].splitlines()[:3]
    assert ready == (
        f"migdowntime: ready arch={SHAPES[shape].architecture} pattern=idle region=8388608@0x4000000 "
        "granule=65536 rate=100000 telemetry=0x800000"
    )
    assert (dirtying, swept) == ("migdowntime: dirtying", "migdowntime: swept")
    assert telemetry["magic"] == int.from_bytes(b"MIGDOWNT", "big")
    expected = {
        "version": 1, "header_bytes": 8 * len(TELEMETRY_FIELDS), "state": RUNNING, "seed": 77,
        "region_start": 64 * MIB, "region_bytes": 8 * MIB, "granule_bytes": 65536, "pattern": IDLE,
        "rate_pages_per_s": 100000, "pages_written": 2048, "sweep": 1,
    }  # fmt: skip
    assert {name: telemetry[name] for name in expected} == expected
    assert telemetry["boot_ticks"] < telemetry["first_page_ticks"] < telemetry["first_sweep_ticks"]
    if SHAPES[shape].architecture == "ppc64":
        assert telemetry["clock_hz"] == 512_000_000


@pytest.mark.parametrize("shape", SHAPES)
def test_pages_carry_index_epoch_seed_and_checksum(launch: Launch, shape: str) -> None:
    guest = launch(shape, "pattern=idle region=4M seed=18446744073709551615")
    telemetry = guest.wait_sweep()
    start = telemetry["region_start"]
    assert start == 16 * MIB
    for index in range(1024):
        assert_page(guest, start + index * PAGE, index, epoch=1, seed=MASK)
    assert not any(guest.ram[start + 4 * MIB : start + 5 * MIB])
    first_words = {guest.words(start + index * PAGE + 32, 1) for index in range(1024)}
    assert len(first_words) == 1024


@pytest.mark.parametrize("shape", DIRECT)
def test_zlib_shrinks_no_page_by_more_than_2_percent(launch: Launch, shape: str) -> None:
    guest = launch(shape, "pattern=idle region=4M")
    start = guest.wait_sweep()["region_start"]
    region = guest.ram[start : start + 4 * MIB]
    for level in (1, 9):
        sizes = [len(zlib.compress(region[at : at + PAGE], level)) for at in range(0, len(region), PAGE)]
        assert min(sizes) > 0.98 * PAGE
        assert len(zlib.compress(region, level)) > 0.98 * len(region)


@pytest.mark.parametrize("shape", DIRECT)
def test_idle_writes_nothing_after_its_sweep_but_the_heartbeat(launch: Launch, shape: str) -> None:
    guest = launch(shape, "pattern=idle region=4M")
    before = guest.wait_sweep()
    checksum = zlib.crc32(guest.ram[16 * MIB : 24 * MIB])
    after = guest.wait_seconds(before["heartbeat_ticks"], 0.5)
    assert zlib.crc32(guest.ram[16 * MIB : 24 * MIB]) == checksum
    assert (after["pages_written"], after["sweep"], after["state"]) == (1024, 1, RUNNING)
    assert after["heartbeat_count"] - before["heartbeat_count"] >= 50


@pytest.mark.parametrize("shape", DIRECT)
def test_sequential_sweeps_raise_the_epoch_in_order(launch: Launch, shape: str) -> None:
    guest = launch(shape, "region=4M rate=4000")
    guest.wait_pages(1024 + 300)
    telemetry = guest.freeze()
    done = telemetry["pages_written"] - 1024 * (telemetry["sweep"] - 1)
    seen = epochs(guest, telemetry)
    assert seen[:done] == [telemetry["sweep"]] * done
    assert seen[done + 1 :] == [telemetry["sweep"] - 1] * (1024 - done - 1)


@pytest.mark.parametrize(("shape", "seed"), [("ppc64", 1), ("ppc64", 2), ("pc", 1), ("pc", 2**63)])
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
@pytest.mark.parametrize("pattern", ["sequential", "random"])
def test_granules_are_written_whole(launch: Launch, shape: str, pattern: str) -> None:
    guest = launch(shape, f"pattern={pattern} region=64M granule=2M rate=4096")
    guest.wait_pages(3 * 512)
    telemetry = guest.freeze()
    seen = epochs(guest, telemetry)
    written = [sum(seen[at : at + 512]) for at in range(0, len(seen), 512)]
    assert telemetry["region_start"] == 16 * MIB
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


WHOLE = "granule=4096, expected region= with one or more whole granules"
ALIGNED = "granule=4096, expected start= at a multiple of the granule, at or above 0x1000000"
SIZE = "expected a number of bytes such as 268435456, 256M or 1G"
KEYS = "expected pattern=, region=, granule=, rate=, seed= or start="
GRANULE = "expected a power of two from 4K to 1G"
RATE = "expected 4 KiB pages per second, 0 to 1000000000"
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
    "region=4M pattern=zigzag": "pattern=zigzag, expected pattern=sequential, pattern=random or pattern=idle",
    "region=4M rate=-1": f"rate=-1, {RATE}",
    "region=4M rate=2K": f"rate=2K, {RATE}",
    "region=4M seed=": "seed=, expected a decimal number below 2^64",
}


def assert_refused(guest: Guest, message: str) -> None:
    line = f"migdowntime: error: {message}\n"
    guest.wait_serial("\n")
    assert guest.serial().replace("\r\n", "\n") == line
    telemetry = guest.telemetry()
    assert (telemetry["state"], telemetry["pages_written"]) == (ERROR, 0)


@pytest.mark.parametrize("orders", ERRORS)
def test_bad_orders_are_refused_in_one_line(launch: Launch, orders: str) -> None:
    assert_refused(launch("ppc64", orders), ERRORS[orders])


@pytest.mark.parametrize("orders", ["", "region=4M speed=7", "region=4M start=1G"])
def test_bad_orders_are_refused_on_x86_64_too(launch: Launch, orders: str) -> None:
    assert_refused(launch("pc", orders), ERRORS[orders])


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


def test_random_walks_differ_between_seeds_and_sweeps() -> None:
    walks = [random_walk(1024, seed, epoch) for seed, epoch in itertools.product((1, 2), (1, 2))]
    assert all(a != b for a, b in itertools.combinations(walks, 2))
