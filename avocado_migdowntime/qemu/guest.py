# SPDX-License-Identifier: GPL-2.0-or-later
"""The dirtier guest: its orders, and QEMU's arguments to launch it."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..basics.units import MIB, format_size
from ..errors import HarnessError, HostRequirementError, UsageError
from ..linux.image import LinuxImage
from .backing import Backing
from .probe import QemuInfo
from .process import QemuProcess
from .profiles import LinuxProfile, Profile

READY, DIRTYING, SWEPT, PAGES, LAGGING, ERROR = (
    f"migdowntime: {word}" for word in ("ready", "dirtying", "swept", "pages", "lagging", "error")
)
"""How the guest's lines on the serial port start (images/README.md)."""
_TRACKED_S = 10
_LOOK_S = 0.05
_DIRTY_RING_ENTRIES = 4096
"""Entries for each vCPU, as in QEMU's own tests (tests/qtest/migration)."""


@dataclass(frozen=True)
class Orders:
    """What the guest is told to dirty. Sizes are in bytes; `rate_pages_per_s` counts 4 KiB pages (0: as fast as it
    can).

    The region starts at guest-physical `start_bytes`, if given. The percentages belong to the pattern hot-cold;
    `burst_ms` has the lengths of the writing phase and the resting phase. With `flush` the guest flushes its TLB at
    each page (images/README.md: Writes that QEMU does not see). A Linux guest can have its region of `hugepages`. Each
    of the `vcpus` dirties its share of the region, at its share of the rate.
    """

    pattern: str
    region_bytes: int
    rate_pages_per_s: int
    granule_bytes: int
    hot_percent: int = 20
    share_percent: int = 80
    burst_ms: tuple[int, int] | None = None
    flush: bool = False
    hugepages: bool = False
    start_bytes: int | None = None
    vcpus: int = 1

    def telemetry_fields(self) -> Mapping[str, int | str]:
        """The orders that the guest's telemetry page repeats, by the names of its fields."""
        names = ("pattern", "region_bytes", "rate_pages_per_s", "granule_bytes", "hot_percent", "share_percent")
        return {name: getattr(self, name) for name in (*names, "vcpus")}

    def __str__(self) -> str:
        """The orders in the format of the guest's kernel command line."""
        words = [
            f"pattern={self.pattern}",
            f"region={format_size(self.region_bytes)}",
            f"rate={self.rate_pages_per_s}",
            f"granule={format_size(self.granule_bytes)}",
        ]
        if self.pattern == "hot-cold":
            words += [f"hot={self.hot_percent}", f"share={self.share_percent}"]
        if self.burst_ms:
            words.append("burst={}/{}".format(*self.burst_ms))
        if self.flush:
            words.append("flush=yes")
        if self.hugepages:
            words.append("hugepages=yes")
        if self.start_bytes is not None:
            words.append(f"start={self.start_bytes}")
        if self.vcpus > 1:
            words.append(f"vcpus={self.vcpus}")
        return " ".join(words)


@dataclass(frozen=True)
class Linux:
    """The Linux that runs the dirtier; `hugepage_bytes` is the size of the guest's own hugepages, if it uses them."""

    image: LinuxImage
    hugepage_bytes: int | None

    def boot_arguments(self, profile: LinuxProfile, orders: Orders) -> tuple[str, ...]:
        """QEMU's arguments that boot this Linux."""
        words = [f"console={profile.console}", *profile.words]
        words += ["quiet", "mitigations=off", "transparent_hugepage=never", "panic=-1"]
        if self.hugepage_bytes:
            count = -(-orders.region_bytes // self.hugepage_bytes)
            words += [f"default_hugepagesz={format_size(self.hugepage_bytes)}", f"hugepages={count}"]
        # The kernel passes what follows the two dashes to its first program. -no-reboot: a kernel panic ends QEMU.
        line = f"{' '.join(words)} -- {orders}"
        files = ("-kernel", str(self.image.kernel), "-initrd", str(self.image.initramfs))
        return (*files, "-append", line, "-no-reboot")


@dataclass(frozen=True)
class Guest:
    """A guest on a machine type, with an accelerator. Without `linux` the dirtier runs on its own.

    With `dirty_ring`, KVM reports dirtied pages through a ring for each vCPU.
    """

    profile: Profile
    machine: str
    accel: str
    boot: str
    ram_bytes: int
    backing: Backing
    orders: Orders
    linux: Linux | None = None
    dirty_ring: bool = False

    def __post_init__(self) -> None:
        multiple = self.profile.ram_multiple_bytes * len(self.backing.memory_backends)
        if self.ram_bytes % multiple:
            raise UsageError(
                f"{format_size(self.ram_bytes)} of RAM is not a multiple of {format_size(multiple)}, "
                f"which a {self.profile.arch} guest needs{self._of_nodes}; choose another `ram`"
            )
        most = self.profile.linux.most_ram_bytes if self.linux and self.profile.linux else None
        if most and self.ram_bytes > most:
            raise UsageError(
                f"{format_size(self.ram_bytes)} of RAM is more than the {format_size(most)} that a Linux guest of "
                f"{self.profile.arch} can have here; choose a smaller `ram`"
            )

    @property
    def _of_nodes(self) -> str:
        count = len(self.backing.memory_backends)
        return f" with {count} NUMA nodes" if count > 1 else ""

    @property
    def name(self) -> str:
        """What runs: the dirtier alone, or the Linux of a release."""
        return f"Linux {self.linux.image.release}" if self.linux else "dirtier"

    def under(self, accel: str, flush: bool) -> "Guest":
        """The same guest under this accelerator; under TCG, and if wanted, it is ordered to `flush` its TLB."""
        return replace(self, accel=accel, orders=replace(self.orders, flush=flush and accel == "tcg"))

    def arguments(self, images: Path) -> tuple[str, ...]:
        """QEMU's arguments for this guest, without those of the monitor and the serial port."""
        accelerators_own = self.profile.machine_options.get(self.accel, {})
        options = {**self.backing.machine_options, **accelerators_own}
        if self.linux and self.profile.linux:
            boot = self.linux.boot_arguments(self.profile.linux, self.orders)
            if self.boot == "direct":
                options |= self.profile.linux.direct_options
        else:
            boot = self.profile.boot_arguments(images, self.boot, str(self.orders))
        cpu = ("-cpu", self.profile.cpu[self.accel]) if self.accel in self.profile.cpu else ()
        vcpus = ("-smp", str(self.orders.vcpus)) if self.orders.vcpus > 1 else ()
        machine = ",".join([self.machine, *(f"{key}={value}" for key, value in options.items())])
        return (
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-accel",
            f"kvm,dirty-ring-size={_DIRTY_RING_ENTRIES}" if self.accel == "kvm" and self.dirty_ring else self.accel,
            "-machine",
            machine,
            *cpu,
            *vcpus,
            "-m",
            f"{self.ram_bytes // MIB}M",
            *self.backing.object_arguments,
            *self.backing.numa_arguments,
            *boot,
        )


def choose_machine(profile: Profile, qemu_info: QemuInfo, machine_parameter: str | None) -> str:
    """The machine type to use: `machine_parameter`, or the profile's first.

    Raises UsageError for a machine of no known family. Raises HostRequirementError if the binary lacks the machine, or
    if the machine cannot use a memory backend.
    """
    machine = machine_parameter or profile.families[0]
    if profile.family(machine) is None:
        raise UsageError(
            f"machine {machine!r} is not known for {profile.arch}; it can be {', '.join(profile.families)} "
            "or a versioned name of these"
        )
    if machine not in qemu_info.machines:
        raise HostRequirementError(
            f"{qemu_info.binary} (QEMU {qemu_info.release_text}) has no machine {machine}; "
            f"see its -machine help, or give another binary with `qemu`"
        )
    if machine not in qemu_info.backed_machines:
        raise HostRequirementError(
            f"the machine {machine} of {qemu_info.binary} (QEMU {qemu_info.release_text}) cannot use a memory "
            "backend for its RAM, which the run needs; give a newer QEMU with `qemu`"
        )
    return machine


def machine_of_both(machine: str, qemu_info: QemuInfo, its_info: QemuInfo) -> str:
    """A name that means the same machine type in both QEMUs. An alias such as pc may mean different ones.

    Raises HostRequirementError if the two have no such machine in common.
    """
    names = [info.aliases.get(machine, machine) for info in (qemu_info, its_info)]
    if names[0] == names[1] and machine in its_info.backed_machines:
        return machine
    if common := [name for name in names if name in qemu_info.backed_machines & its_info.backed_machines]:
        return common[0]
    raise HostRequirementError(
        f"QEMU {qemu_info.release_text} and QEMU {its_info.release_text} have no machine {machine} in common "
        f"({names[0]} and {names[1]}); name one that both have with `machine`, or give another `qemu_destination`"
    )


async def dirtying(qemu: QemuProcess) -> None:
    """Wait until the guest has dirtied its whole region once; raises UsageError in the guest's words if it refuses."""
    line = await qemu.line(SWEPT, ERROR)
    if line.startswith(ERROR):
        raise UsageError(f"the guest refused its orders: {line.removeprefix(ERROR).lstrip(': ')}")


def lagging(qemu: QemuProcess) -> str | None:
    """The guest's own words if it has reported that it cannot keep to its rate."""
    line = next((line for line in qemu.serial if line.startswith(LAGGING)), None)
    return line.removeprefix(LAGGING).strip() if line else None


async def telemetry_address(qemu: QemuProcess) -> int:
    """The guest-physical address of the telemetry page, as the guest reports it; waits until it does.

    Raises HarnessError if the guest's line does not have the address.
    """
    line = await qemu.line(READY)
    named = re.search(r"\btelemetry=(?:0x)?([0-9a-f]{1,16})\b", line)
    if named is None:
        raise HarnessError(f"the guest printed {line[:200]!r}, but not the address of its telemetry page")
    return int(named[1], 16)


async def started(qemu: QemuProcess) -> None:
    """Wait until the guest runs: it has dirtied its first page. Raises HarnessError if it refused its orders."""
    line = await qemu.line(DIRTYING, ERROR)
    if line.startswith(ERROR):
        raise HarnessError(line)


async def dirties_while_tracked(qemu: QemuProcess) -> bool:
    """Whether a guest that has started continues to dirty while QEMU tracks its dirty pages through the dirty ring.

    Under a KVM without support by the processor it may stop then, also in a migration.
    """
    await qemu.execute("calc-dirty-rate", {"calc-time": _TRACKED_S, "mode": "dirty-ring"})
    before = _pages_lines(qemu)
    try:
        async with asyncio.timeout(_TRACKED_S):
            # The guest prints one a second. The first may have begun before.
            while _pages_lines(qemu) < before + 2:
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        return False
    return True


def _pages_lines(qemu: QemuProcess) -> int:
    return sum(line.startswith(PAGES) for line in qemu.serial)
