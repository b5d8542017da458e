# SPDX-License-Identifier: GPL-2.0-or-later
"""Extracts files from Debian packages of any architecture."""

import tarfile
from contextlib import suppress
from pathlib import Path

from ..debian.apt import Apt
from ..errors import HostRequirementError

_OTHERWISE = "use guest=dirtier"


class Packages:
    """The packages of one Debian architecture, from the sources of the host's own packages.

    Lists and downloads go into `directory`; root is not needed. Raises HostRequirementError if this host has no apt, or
    if it finds no such packages.
    """

    def __init__(self, architecture: str, directory: Path) -> None:
        self._architecture = architecture
        self._directory = directory
        own = (f"APT::Architecture={architecture}", f"APT::Architectures::={architecture}")
        self._apt = Apt(directory, "a Linux guest's kernel", _OTHERWISE, own)

    async def update(self) -> None:
        """Update the lists. Some may fail, for example if an architecture has left the security archive."""
        with suppress(HostRequirementError):
            await self._apt.apt("apt-get", "update")

    async def dependency(self, package: str, beginning: str) -> str:
        """The first dependency of `package` whose name starts with `beginning`."""
        output = await self._apt.apt("apt-cache", "depends", "--important", package)
        dependencies = [line.partition(":")[2].strip() for line in output.splitlines() if ":" in line]
        first = next((name for name in dependencies if name.startswith(beginning)), None)
        if first is None:
            raise HostRequirementError(
                f"Debian's {package} of {self._architecture} depends on no {beginning}…; {_OTHERWISE}"
            )
        return first

    async def file(self, package: str, *beginnings: str) -> bytes:
        """Download a package; return its first file whose path starts with one of `beginnings`."""
        await self._apt.apt("apt-get", "download", package)
        (archive,) = self._directory.glob(f"{package}_*.deb")
        listing = self._directory / f"{package}.tar"
        with listing.open("wb") as tar:
            await self._apt.dpkg_deb("--fsys-tarfile", str(archive), output=tar.fileno())
        try:
            with tarfile.open(listing) as files:
                for member in files:
                    if member.isfile() and member.name.removeprefix("./").startswith(beginnings):
                        content = files.extractfile(member)
                        assert content is not None
                        return content.read()
        finally:
            listing.unlink()
            archive.unlink()
        raise HostRequirementError(f"Debian's package {package} holds no {' or '.join(beginnings)}; {_OTHERWISE}")
