# SPDX-License-Identifier: GPL-2.0-or-later
"""The unpacked QEMUs, by suite name."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..basics.cache import cache_directory, trusted
from ..debian.suite import is_name
from ..errors import HostRequirementError, UsageError
from ..host.resources import HostResources
from ..host.workdir import work_directory

MANIFEST = "build.json"


@dataclass(frozen=True)
class SuiteQemu:
    """The QEMU of a suite: its release, such as 7.2.22, its architectures, and its size on disk."""

    suite: str
    release: str
    architectures: tuple[str, ...]
    size_bytes: int

    @property
    def path(self) -> Path:
        """Its directory."""
        return place(self.suite)

    def binary(self, arch: str) -> Path:
        """The program to start."""
        return self.path / "bin" / f"qemu-system-{arch}"


def place(suite: str) -> Path:
    """The directory for the QEMU of a suite.

    Raises UsageError if that can be no suite's name, HostRequirementError if other users could have put something
    there.
    """
    if not is_name(suite):
        raise UsageError(f"{suite!r} is not the name of a Debian suite; give one such as bookworm")
    return trusted(cache_directory() / "qemu" / suite)


def find(suite: str) -> SuiteQemu | None:
    """The QEMU of a suite, if it is unpacked."""
    manifest = place(suite) / MANIFEST
    try:
        description = json.loads(manifest.read_text())
        return SuiteQemu(suite, description["release"], tuple(description["architectures"]), description["size_bytes"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HostRequirementError(
            f"{manifest} cannot be read ({error}); fix it with: avocado migdowntime qemu remove {suite}"
        ) from None


def suite_qemus() -> list[SuiteQemu]:
    """All unpacked QEMUs, by name."""
    names = sorted(path.parent.name for path in (cache_directory() / "qemu").glob(f"*/{MANIFEST}"))
    return [build for name in names if (build := find(name))]


def write_manifest(build: SuiteQemu, directory: Path) -> None:
    """Write the description of a build that is being made in `directory`."""
    description = {name: value for name, value in asdict(build).items() if name != "suite"}
    (directory / MANIFEST).write_text(json.dumps(description) + "\n")


def remove(suite: str, resources: HostResources) -> None:
    """Delete the QEMU of a suite; raises UsageError if there is none, HostRequirementError if that fails."""
    path = place(suite)
    if not path.is_dir():
        there = ", ".join(build.suite for build in suite_qemus()) or "none"
        raise UsageError(f"there is no unpacked QEMU of suite {suite}; unpacked are: {there}")
    try:
        with work_directory(resources, cache_directory()) as scratch:
            path.rename(scratch / "removed")
    except OSError as error:
        raise HostRequirementError(f"{path} cannot be removed ({error.strerror}); check its owner") from None


def binary_of(suite: str, archs: Sequence[str]) -> Path | None:
    """The unpacked QEMU's program for the first of `archs` that it has; None if the suite is not unpacked.

    Raises UsageError if it was unpacked for other architectures only.
    """
    build = find(suite) if is_name(suite) else None
    if build is None:
        return None
    for arch in archs:
        if arch in build.architectures:
            return build.binary(arch)
    raise UsageError(
        f"the QEMU of {suite} was unpacked for {listed(build.architectures)}; "
        f"get it for {archs[0]} with: avocado migdowntime qemu add {suite} --arch {archs[0]}"
    )


def listed(architectures: Iterable[str]) -> str:
    """Architectures as text."""
    return ", ".join(architectures)
