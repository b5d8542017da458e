# SPDX-License-Identifier: GPL-2.0-or-later
"""Unpacks the QEMU of a suite into the cache."""

import asyncio
import os
import re
import shutil
import stat
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from ..basics.cache import cache_directory, make_private
from ..debian.apt import Apt, cause
from ..debian.suite import Download, download, opened
from ..errors import HostRequirementError
from ..host.resources import HostResources
from ..host.workdir import work_directory
from .launcher import launcher, layout
from .suite_qemu import SuiteQemu, find, place, write_manifest

_WHAT, _OTHERWISE = "a suite's QEMU", "give the path of your own QEMU"
_DISK_FACTOR = 6
"""Bytes on disk for each downloaded byte: the packages themselves, and four times as much unpacked."""

_KEEP = ("lib*", "usr/lib*", "usr/bin/qemu-system-*", "usr/share/*")
_DROP = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/icons")
_TELL_EVERY_S = 1.0
_TRY_S = 20


async def add(
    suite: str, architectures: Sequence[str], resources: HostResources, say: Callable[[str], None]
) -> SuiteQemu:
    """Return the QEMU of `suite` for these architectures; download and unpack it if it is missing.

    Architectures that were unpacked before stay. However this ends, it leaves nothing incomplete. Raises UsageError for
    an unknown suite, HostRequirementError if it cannot be downloaded or stored.
    """
    target = place(suite)
    while True:
        before = find(suite)
        wanted = list(dict.fromkeys([*(before.architectures if before else ()), *architectures]))
        if before and set(wanted) == set(before.architectures):
            return before
        try:
            make_private(target.parent)
            # In the cache, not in /tmp, so that it can be renamed into place at once.
            with work_directory(resources, cache_directory()) as scratch:
                build = await _make(suite, wanted, scratch, say)
                if find(suite) != before:
                    continue  # Another process was first; keep its result.
                if target.exists():
                    target.rename(scratch / "before")
                (scratch / "build").rename(target)
        except OSError as error:
            raise HostRequirementError(
                f"a QEMU cannot be kept in {target} ({error.strerror}); check for free space, or set XDG_CACHE_HOME to "
                "another directory"
            ) from None
        return build


async def _make(suite: str, architectures: Sequence[str], scratch: Path, say: Callable[[str], None]) -> SuiteQemu:
    say(f"{suite}: looking for QEMU in this host's package sources")
    apt = await opened(suite, scratch, _WHAT, _OTHERWISE)
    # Ask for the names that packages provide: suites differ in which package has which architecture.
    install = ("install", "--yes", *(f"qemu-system-{arch.replace('_', '-')}" for arch in architectures))
    needed = download(await apt.apt("apt-get", "--print-uris", *install))
    _see_to_room(suite, needed, scratch)
    async with _telling(suite, needed, apt.archives, say):
        await apt.apt("apt-get", "--download-only", *install)
    say(f"{suite}: unpacking")
    build_directory = scratch / "build"
    root = build_directory / "root"
    build_directory.mkdir(mode=0o755)
    root.mkdir(mode=0o755)
    await _unpack(apt, root)
    return await _finish(suite, architectures, build_directory)


def _see_to_room(suite: str, needed: Download, directory: Path) -> None:
    wanted, free = _DISK_FACTOR * needed.size_bytes, shutil.disk_usage(directory).free
    if free < wanted:
        raise HostRequirementError(
            f"the QEMU of {suite} takes {wanted / 1e6:.0f} MB in {directory.parent} while it is unpacked, and "
            f"{free / 1e6:.0f} MB are free; make room, or set XDG_CACHE_HOME to another directory"
        )


@asynccontextmanager
async def _telling(suite: str, needed: Download, archives: Path, say: Callable[[str], None]) -> AsyncIterator[None]:
    """Say what is downloaded, and report the progress meanwhile."""
    whole = f"{needed.size_bytes / 1e6:.0f} MB"
    say(f"{suite}: downloading {needed.packages} packages, {whole}")

    async def tell() -> None:
        while True:
            await asyncio.sleep(_TELL_EVERY_S)
            say(f"{suite}: {_size(archives) / 1e6:.0f} of {whole}")

    teller = asyncio.create_task(tell())
    try:
        yield
    finally:
        teller.cancel()
        await asyncio.gather(teller, return_exceptions=True)


async def _unpack(apt: Apt, root: Path) -> None:
    for archive in sorted(apt.archives.glob("*.deb")):
        await apt.dpkg_deb("--extract", str(archive), str(root))
        archive.unlink()
    kept_paths = {path for pattern in _KEEP for path in root.glob(pattern)} - {root / path for path in _DROP}
    parents = {parent for path in kept_paths for parent in path.parents}
    for directory in [root, root / "usr", root / "usr/bin", root / "usr/share"]:
        for path in directory.iterdir():
            if path not in kept_paths and path not in parents:
                _delete(path)
    for path in _files(root):
        if (mode := path.stat().st_mode) & (stat.S_ISUID | stat.S_ISGID):
            path.chmod(stat.S_IMODE(mode) & 0o777)


async def _finish(suite: str, architectures: Sequence[str], build_directory: Path) -> SuiteQemu:
    where = layout(build_directory / "root")
    (build_directory / "bin").mkdir(mode=0o755)
    releases = []
    for arch in architectures:
        program = f"qemu-system-{arch}"
        script = build_directory / "bin" / program
        script.write_text(launcher(program, where))
        script.chmod(0o755)
        releases.append(await asyncio.to_thread(_release, suite, script))
    build = SuiteQemu(suite, releases[0], tuple(architectures), _size(build_directory))
    write_manifest(build, build_directory)
    return build


def _release(suite: str, script: Path) -> str:
    """The release that this QEMU reports; this also checks that it runs here."""
    try:
        result = subprocess.run(
            [str(script), "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TRY_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    else:
        if version := re.search(r"version (\d+\.\d+\.\d+)", result.stdout):
            return version[1]
        why = cause(result.stderr)
    raise HostRequirementError(
        f"the {script.name} of {suite} was unpacked, but does not run here ({why}); {_OTHERWISE}"
    )


def _files(directory: Path) -> list[Path]:
    paths = [Path(top, name) for top, _, names in os.walk(directory) for name in names]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def _size(directory: Path) -> int:
    total = 0
    for path in _files(directory):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # apt moves a package once it has arrived.
            continue
    return total


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
