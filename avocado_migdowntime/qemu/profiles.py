# SPDX-License-Identifier: GPL-2.0-or-later
"""What differs between architectures when a guest is launched. A new one is a row here and a folder of images."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..units import MIB


@dataclass(frozen=True)
class Profile:
    """An architecture: its machine families (the first is the default) and how the dirtier is started.

    `kernel` and `bios` are file names below images/ARCH; with `bios` set it is the direct boot, and without it the
    machine's own firmware loads `kernel`. `machine_options` quieten what TCG cannot emulate.
    """

    arch: str
    families: tuple[str, ...]
    kernel: str
    bios: str | None = None
    machine_options: Mapping[str, str] = field(default_factory=dict)
    ram_multiple_bytes: int = MIB

    def family(self, machine: str) -> str | None:
        """The family that `machine` (a name such as pc-q35-7.2 or pseries) belongs to, or None."""
        return next((f for f in reversed(self.families) if machine == f or f in machine.split("-")), None)

    def boot_arguments(self, images: Path, boot: str, orders: str) -> tuple[str, ...]:
        """QEMU's arguments that start the dirtier with `orders` on its command line."""
        folder = images / self.arch
        direct = ("-bios", str(folder / self.bios)) if self.bios and boot == "direct" else ()
        return (*direct, "-kernel", str(folder / self.kernel), "-append", orders)


PROFILES: Mapping[str, Profile] = {
    "ppc64": Profile(
        arch="ppc64",
        families=("pseries",),
        kernel="dirtier.elf",
        bios="dirtier.bin",
        machine_options={"cap-cfpc": "broken", "cap-sbbc": "broken", "cap-ibs": "broken", "cap-ccf-assist": "off"},
        ram_multiple_bytes=256 * MIB,
    ),
    "x86_64": Profile(arch="x86_64", families=("pc", "q35"), kernel="dirtier.elf"),
}
