# SPDX-License-Identifier: GPL-2.0-or-later
"""How launching a guest differs between architectures. A new architecture is a row here and a folder of images."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..basics.packages import Package
from ..basics.units import GIB, MIB
from ..guest_memory.telemetry import MOST_VCPUS
from ..linux.image import Recipe


@dataclass(frozen=True)
class LinuxProfile:
    """How a Linux guest is built, the name of its `console`, and further `words` for its command line.

    `direct_options` are machine options that skip the firmware (boot=direct), for a QEMU of at least `direct_since`.
    With more than `most_ram_bytes`, the RAM has a hole, and pages beyond it are not searched.
    """

    recipe: Recipe
    console: str
    words: tuple[str, ...] = ()
    direct_options: Mapping[str, str] = field(default_factory=dict)
    direct_since: tuple[int, int] = (0, 0)
    most_ram_bytes: int | None = None


@dataclass(frozen=True)
class Profile:
    """An architecture: its machine families (the first is the default) and how the dirtier is booted.

    `package` provides its QEMU. `kernel` and `bios` are file names below images/ARCH. With `bios`, boot=direct loads
    that; otherwise QEMU or the machine's own firmware loads `kernel`. `machine_options` and `cpu` are what an
    accelerator needs beyond QEMU's defaults; for ppc64 they silence warnings about what TCG cannot emulate. RAM starts
    at the guest-physical address `ram_start`. `linux` is set if a Linux guest can be built. Without Linux, up to
    `most_vcpus` vCPUs can dirty.
    """

    arch: str
    package: Package
    families: tuple[str, ...]
    kernel: str = "dirtier.elf"
    bios: str | None = None
    machine_options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    cpu: Mapping[str, str] = field(default_factory=dict)
    ram_multiple_bytes: int = MIB
    ram_start: int = 0
    linux: LinuxProfile | None = None
    most_vcpus: int = 1

    def family(self, machine: str) -> str | None:
        """The family that `machine` (a name such as pc-q35-7.2 or pseries) belongs to, or None."""
        return next((f for f in reversed(self.families) if f"-{f}-" in f"-{machine}-"), None)

    def boot_arguments(self, images: Path, boot: str, orders: str) -> tuple[str, ...]:
        """QEMU's arguments that boot the dirtier with `orders` on its command line."""
        folder = images / self.arch
        direct = ("-bios", str(folder / self.bios)) if self.bios and boot == "direct" else ()
        return (*direct, "-kernel", str(folder / self.kernel), "-append", orders)


_ROWS = (
    Profile(
        arch="ppc64",
        package=Package("qemu-system-ppc", "qemu-system-ppc-core", "qemu-ppc"),
        families=("pseries",),
        bios="dirtier.bin",
        machine_options={
            "tcg": {"cap-cfpc": "broken", "cap-sbbc": "broken", "cap-ibs": "broken", "cap-ccf-assist": "off"}
        },
        ram_multiple_bytes=256 * MIB,
        linux=LinuxProfile(
            Recipe("ppc64el", "linux-image-powerpc64le", "dirtier.ppc64le"),
            console="hvc0",
            direct_options={"x-vof": "on"},
            direct_since=(6, 1),
        ),
        most_vcpus=MOST_VCPUS,
    ),
    Profile(
        arch="x86_64",
        package=Package("qemu-system-x86", "qemu-system-x86-core", "qemu-x86"),
        families=("pc", "q35"),
        # On a busy host Linux may see none of the ticks by which it tests its timer, and gives up.
        linux=LinuxProfile(
            Recipe("amd64", "linux-image-cloud-amd64", "dirtier.x86_64"),
            console="ttyS0",
            words=("no_timer_check",),
            most_ram_bytes=2 * GIB,
        ),
        most_vcpus=MOST_VCPUS,
    ),
    Profile(
        arch="aarch64",
        package=Package("qemu-system-arm", "qemu-system-aarch64-core", "qemu-arm"),
        families=("virt",),
        machine_options={"kvm": {"gic-version": "host"}},
        cpu={"tcg": "cortex-a57", "kvm": "host"},
        ram_start=1 << 30,
    ),
    Profile(
        arch="riscv64",
        package=Package("qemu-system-misc", "qemu-system-riscv-core", "qemu-extra"),
        families=("virt",),
        ram_start=2 << 30,
    ),
    Profile(
        arch="s390x",
        package=Package("qemu-system-misc", "qemu-system-s390x-core", "qemu-s390x"),
        families=("s390-ccw-virtio",),
    ),
    Profile(
        arch="arm",
        package=Package("qemu-system-arm", "qemu-system-arm-core", "qemu-arm"),
        families=("virt",),
        ram_start=1 << 30,
    ),
)
PROFILES: Mapping[str, Profile] = {profile.arch: profile for profile in _ROWS}
