# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel and the initramfs of a Linux guest, built on demand and kept in a cache directory."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..basics.cache import cache_directory, make_private, trusted
from ..errors import HostRequirementError
from ..host.resources import HostResources
from ..host.workdir import work_directory
from .cpio import initramfs
from .packages import Packages

_KERNEL, _INITRAMFS, _RELEASE = "kernel", "initramfs.gz", "release"


@dataclass(frozen=True)
class Recipe:
    """The parts of a guest: Debian's name of the architecture and of its kernel package, and the dirtier's file."""

    debian_architecture: str
    kernel_package: str
    program: str


@dataclass(frozen=True)
class LinuxImage:
    """The files that QEMU boots, and the release of the kernel, such as 6.1.0-50-powerpc64le."""

    kernel: Path
    initramfs: Path
    release: str


async def linux_image(
    recipe: Recipe, sources: Path, resources: HostResources, say: Callable[[str], None]
) -> LinuxImage:
    """Return the cached image; build it if it is missing or the files in `sources` have changed.

    Raises HostRequirementError if Debian's packages cannot be downloaded.
    """
    own = {"init": (sources / "init").read_bytes(), "bin/dirtier": (sources / recipe.program).read_bytes()}
    fingerprint = hashlib.sha256(b"\0".join(own.values())).hexdigest()[:12]
    place = trusted(cache_directory() / f"{recipe.kernel_package}-{fingerprint}")
    try:
        if not place.is_dir():
            make_private(place.parent)
            # In the cache, not in /tmp, so that the finished image can be renamed into place at once.
            with work_directory(resources, place.parent) as scratch:
                await _make(recipe, own, scratch, say)
                _settle(scratch / "image", place)
        return LinuxImage(place / _KERNEL, place / _INITRAMFS, (place / _RELEASE).read_text().strip())
    except OSError as error:
        raise HostRequirementError(
            f"the Linux guest cannot be kept in {place} ({error.strerror}); remove that, or set XDG_CACHE_HOME to a "
            "directory with 300 MB free"
        ) from None


async def _make(recipe: Recipe, own: dict[str, bytes], scratch: Path, say: Callable[[str], None]) -> None:
    say(f"making the Linux guest: looking for Debian's {recipe.kernel_package} of {recipe.debian_architecture}")
    packages = Packages(recipe.debian_architecture, scratch)
    await packages.update()
    package = await packages.dependency(recipe.kernel_package, "linux-image-")
    say(f"making the Linux guest: downloading {package}, some 30 to 70 MB, once")
    kernel = await packages.file(package, "boot/vmlinu")
    busybox = await packages.file("busybox-static", "bin/busybox", "usr/bin/busybox")
    image = scratch / "image"
    image.mkdir(mode=0o755)
    (image / _KERNEL).write_bytes(kernel)
    (image / _INITRAMFS).write_bytes(initramfs({**own, "bin/busybox": busybox}))
    (image / _RELEASE).write_text(package.removeprefix("linux-image-") + "\n")


def _settle(directory: Path, place: Path) -> None:
    try:
        directory.rename(place)
    except OSError:
        if not place.is_dir():  # Otherwise another run has built the same meanwhile.
            raise
