# SPDX-License-Identifier: GPL-2.0-or-later
"""The script that starts an unpacked QEMU with the loader, libraries and firmware that it was built for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import HostRequirementError

_LOADERS = ("ld-linux*.so.*", "ld64.so.*", "ld.so.*")
"""Names of the dynamic loader; the second is for ppc64el and s390x, the third for others without the first."""

_FIRMWARE = ("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu")
"""Where Debian's QEMU searches for firmware, in order."""


@dataclass(frozen=True)
class Layout:
    """Where an unpacked QEMU has what it needs, as paths relative to its root."""

    loader: str
    libraries: Sequence[str]
    firmware: Sequence[str]
    modules: str


def layout(root: Path) -> Layout:
    """Find these below `root`; raises HostRequirementError if it has no C library of its own."""
    for libc in sorted(root.glob("**/libc.so.6")):
        triplet = libc.parent.name
        loader = next((path for name in _LOADERS for path in sorted(libc.parent.glob(name))), None)
        if loader is not None:
            libraries = [top for top in (f"lib/{triplet}", f"usr/lib/{triplet}") if (root / top).is_dir()]
            firmware = [place for place in _FIRMWARE if (root / place).is_dir()]
            return Layout(str(loader.relative_to(root)), libraries, firmware, f"usr/lib/{triplet}/qemu")
    raise HostRequirementError("these packages contain no C library with its loader; give the path of your own QEMU")


def launcher(program: str, where: Layout) -> str:
    """A shell script for BUILD/bin, with BUILD/root next to that directory; `program` is, for example,
    qemu-system-ppc64.

    The script becomes the QEMU process by exec. QEMU finds modules by QEMU_MODULE_DIR (util/module.c, since 4.1) and
    firmware by -L. The host's own modules and firmware come after these; they were made for another build, and are
    refused or never reached.
    """
    libraries = ":".join(f"$root/{place}" for place in where.libraries)
    firmware = " ".join(f'-L "$root/{place}"' for place in where.firmware)
    return (
        "#!/bin/sh\n"
        'self=$(readlink -f "$0")\n'
        "root=${self%/bin/*}/root\n"
        f'export QEMU_MODULE_DIR="$root/{where.modules}"\n'
        f'exec "$root/{where.loader}" --inhibit-cache --library-path "{libraries}" \\\n'
        f'    "$root/usr/bin/{program}" {firmware} "$@"\n'
    )
