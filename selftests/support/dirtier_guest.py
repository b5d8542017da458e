# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest image on a real QEMU under TCG, with its RAM readable; and what images/README.md says about its pages."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .stopped import wait_until_stopped
from .waiting import HANGS_S

IMAGES = Path(__file__).resolve().parents[2] / "images"
PSERIES = "pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off"
MIB = 1 << 20
PAGE = 4096
MASK = (1 << 64) - 1

TELEMETRY_OFFSET = 8 * MIB
REGION_OFFSET = 16 * MIB
TELEMETRY_FIELDS = (
    "magic", "version", "header_bytes", "state", "clock_hz", "heartbeat_ticks", "heartbeat_count",
    "region_start", "region_bytes", "granule_bytes", "rate_pages_per_s", "pattern", "seed",
    "pages_written", "sweep", "lag_ticks", "lag_count", "boot_ticks", "first_page_ticks", "first_sweep_ticks",
    "paced_ticks", "paced_pages", "hot_percent", "share_percent", "burst_write_ms", "burst_rest_ms", "flush", "vcpus",
)  # fmt: skip
RUNNING, ERROR = 1, 2
IDLE = 2

Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Shape:
    """One way to start an image; `ram_start` is where the machine's RAM begins."""

    architecture: str
    machine: str
    byte_order: str
    ram_start: int = 0
    arguments: tuple[str, ...] = ()


SHAPES = {
    "ppc64": Shape("ppc64", PSERIES, ">", arguments=("-bios", str(IMAGES / "ppc64/dirtier.bin"))),
    "slof": Shape("ppc64", PSERIES, ">"),
    "pc": Shape("x86_64", "pc", "<"),
    "q35": Shape("x86_64", "q35", "<"),
    "aarch64": Shape("aarch64", "virt", "<", 1 << 30, ("-cpu", "cortex-a57")),
    "riscv64": Shape("riscv64", "virt", "<", 2 << 30),
    "s390x": Shape("s390x", "s390-ccw-virtio", ">"),
    "arm": Shape("arm", "virt", "<", 1 << 30),
}
DIRECT = ("ppc64", "pc", "aarch64", "riscv64", "s390x", "arm")
"""Each architecture once, in the quickest way."""


class Guest:
    """A QEMU with its RAM in a file that this process also maps."""

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
            "-kernel", str(IMAGES / self.shape.architecture / "dirtier.elf"), *self.shape.arguments,
            "-append", orders, *more,
        ])  # fmt: skip

    def words(self, offset: int, count: int) -> tuple[int, ...]:
        """The 64-bit words at an offset in the RAM file, in the guest's byte order."""
        return struct.unpack_from(f"{self.shape.byte_order}{count}Q", self.ram, offset)

    def telemetry(self) -> dict[str, int]:
        return dict(zip(TELEMETRY_FIELDS, self.words(TELEMETRY_OFFSET, len(TELEMETRY_FIELDS)), strict=True))

    def serial(self) -> str:
        return self.serial_path.read_text(errors="replace") if self.serial_path.exists() else ""

    def said(self) -> str:
        """The guest's serial output, after that of its firmware."""
        _, start, rest = self.serial().replace("\r\n", "\n").partition("migdowntime: ")
        return start + rest

    def wait(self, what: Callable[[], object]) -> dict[str, int]:
        """Wait until `what()` is true; return the telemetry then."""
        deadline = time.monotonic() + HANGS_S
        while not what():
            assert self.process.poll() is None, f"QEMU ended with {self.process.returncode}: {self.serial()}"
            assert time.monotonic() < deadline, f"{self.telemetry()}\n{self.serial()}"
            time.sleep(0.005)
        return self.telemetry()

    def wait_pages(self, pages: int) -> dict[str, int]:
        return self.wait(lambda: self.telemetry()["pages_written"] >= pages)

    def wait_seconds(self, start_ticks: int, seconds: float) -> dict[str, int]:
        """Wait until that many seconds have passed on the guest's clock."""
        end_ticks = start_ticks + seconds * self.telemetry()["clock_hz"]
        return self.wait(lambda: self.telemetry()["heartbeat_ticks"] > end_ticks)

    def wait_sweep(self) -> dict[str, int]:
        return self.wait(lambda: self.telemetry()["first_sweep_ticks"])

    def wait_paced(self) -> dict[str, int]:
        """Wait until the region is filled and the guest keeps its rate."""
        return self.wait(lambda: self.telemetry()["paced_ticks"])

    def wait_serial(self, text: str) -> dict[str, int]:
        return self.wait(lambda: text in self.serial())

    def freeze(self) -> dict[str, int]:
        """Stop the whole QEMU between two instructions, so that RAM and telemetry do not change."""
        os.kill(self.process.pid, signal.SIGSTOP)
        wait_until_stopped(self.process.pid)
        return self.telemetry()

    def qmp(self, execute: str, **arguments: Any) -> Any:
        """Run one monitor command on a separate connection."""
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


def side_by_side(directory: Path, orders: str, watch: Callable[[Guest], Seen]) -> dict[str, Future[Seen]]:
    """Watch a guest of each architecture with these orders, all at once; return the results by shape."""
    seen = {}
    with ExitStack() as stack, ThreadPoolExecutor(len(DIRECT)) as watchers:
        for shape in DIRECT:
            (directory / shape).mkdir()
            guest = Guest(directory / shape, shape, orders, 256 * MIB)
            stack.callback(guest.end)
            # Not all at once: a guest that gets no CPU time while it boots misjudges its clock rate.
            guest.wait_serial("migdowntime: ready")
            seen[shape] = watchers.submit(watch, guest)
    return seen


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


def hot_cold_walk(granules: int, seed: int, epoch: int, hot_percent: int, share_percent: int) -> list[int]:
    """The order of one hot-cold sweep after the first, as images/README.md describes it."""
    key, hot = mix(mix(seed) + epoch & MASK), granules * hot_percent // 100
    lots = [mix(key + position & MASK) for position in range(granules)]
    return [mix(x) % hot if x % 100 < share_percent else hot + mix(x) % (granules - hot) for x in lots]


def assert_page(guest: Guest, offset: int, index: int, epoch: int, seed: int) -> None:
    words = guest.words(offset, PAGE // 8)
    assert words[:3] == (index, epoch, seed)
    assert words[3] == sum(words[:3] + words[4:]) & MASK
    assert len(set(words[4:])) == len(words) - 4


def epochs(guest: Guest, telemetry: dict[str, int]) -> list[int]:
    """The epoch in each page of the region; 0 if it was never written."""
    start, pages = telemetry["region_start"] - guest.shape.ram_start, telemetry["region_bytes"] // PAGE
    return [guest.words(start + index * PAGE, 2)[1] for index in range(pages)]
