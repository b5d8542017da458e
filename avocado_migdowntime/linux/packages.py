# SPDX-License-Identifier: GPL-2.0-or-later
"""Files out of Debian's packages of any architecture, without a trace on the host's own package management."""

import asyncio
import os
import shutil
import signal
import tarfile
from contextlib import suppress
from pathlib import Path

from ..errors import HostLacks
from ..host.parent import end_with_parent


class Packages:
    """The packages of one Debian architecture, from where the host itself has its packages.

    Lists and downloads go into `directory`; no root is needed. Raises HostLacks where this host has no apt, or where it
    finds no such packages.
    """

    def __init__(self, architecture: str, directory: Path) -> None:
        self._architecture = architecture
        self._directory = directory
        for needed in ("apt-get", "dpkg-deb"):
            if shutil.which(needed) is None:
                raise HostLacks(
                    f"this host has no {needed}, by which a Linux guest's kernel is had from Debian; use guest=dirtier"
                )
        for made in ("state/lists/partial", "cache/archives/partial"):
            (directory / made).mkdir(parents=True)
        (directory / "status").touch()

    async def update(self) -> None:
        """Read what there is. Some lists may fail, as where an architecture has left the security archive."""
        with suppress(HostLacks):
            await self._apt("apt-get", "update")

    async def dependency(self, package: str, beginning: str) -> str:
        """The name of the first package beginning so on which `package` depends."""
        told = await self._apt("apt-cache", "depends", "--important", package)
        names = [line.partition(":")[2].strip() for line in told.splitlines() if ":" in line]
        found = next((name for name in names if name.startswith(beginning)), None)
        if found is None:
            raise HostLacks(f"Debian's {package} of {self._architecture} depends on no {beginning}…; use guest=dirtier")
        return found

    async def file(self, package: str, *beginnings: str) -> bytes:
        """Download a package; gives its first file whose path begins with one of `beginnings`."""
        await self._apt("apt-get", "download", package)
        (archive,) = self._directory.glob(f"{package}_*.deb")
        listing = self._directory / f"{package}.tar"
        with listing.open("wb") as tar:
            await _run(self._directory, "dpkg-deb", "--fsys-tarfile", str(archive), output=tar.fileno())
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
        raise HostLacks(f"Debian's package {package} holds no {' or '.join(beginnings)}; use guest=dirtier")

    async def _apt(self, command: str, *arguments: str) -> str:
        directory = self._directory
        options = (
            f"APT::Architecture={self._architecture}",
            f"APT::Architectures::={self._architecture}",
            f"Dir::State={directory}/state",
            f"Dir::State::status={directory}/status",
            f"Dir::Cache={directory}/cache",
            "APT::Sandbox::User=",
            "Acquire::Languages=none",
        )
        flags = [word for option in options for word in ("-o", option)]
        return await _run(directory, command, "--quiet=2", *flags, *arguments)


async def _run(directory: Path, *command: str, output: int = asyncio.subprocess.PIPE) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=asyncio.subprocess.PIPE,
        # It is to end with the harness, and its helpers with it: they would write where it has been tidied up.
        preexec_fn=end_with_parent,
        process_group=0,
    )
    try:
        told, failure = await process.communicate()
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if process.returncode:
        last = failure.decode(errors="replace").strip().splitlines() or ["it printed nothing"]
        shown = f"{command[0]} {' '.join(command[-2:])}"
        apt = command[0].startswith("apt")
        mend = "see if this host's package sources can be reached" if apt else "see if the disk is full"
        raise HostLacks(f"`{shown}` failed: {last[-1]}; {mend}, or use guest=dirtier")
    return (told or b"").decode(errors="replace")
