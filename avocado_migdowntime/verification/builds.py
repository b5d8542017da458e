# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds of QEMU as a user names them: binaries, or directories with one for each architecture."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

from ..basics import event_loop
from ..basics.printable import in_a_line
from ..errors import HarnessError, UnusableBuildError, UsageError
from ..host.hugepages import lease_hugepages
from ..host.resources import HostResources
from ..host.workdir import work_directory
from ..parameters.table import ANY_ARCHITECTURE, ARCHITECTURES, Parameters
from ..qemu.backing import plan
from ..qemu.probe import QemuInfo, find_binary, probe
from ..qemu.trial_start import start


@dataclass(frozen=True)
class Build:
    """A build as given, like the parameter `qemu`, and its name."""

    name: str
    qemu: str

    def binary(self, arch: str) -> str:
        """The path of its QEMU for `arch`; raises UnusableBuildError if there is none."""
        return find_binary(self.qemu, arch)

    def arch(self) -> str:
        """The architecture of its QEMU; of several the first one that find_binary finds. Raises UnusableBuildError."""
        binary = self.binary(ANY_ARCHITECTURE)
        named_after = Path(binary).name.removeprefix("qemu-system-")
        return named_after if named_after in ARCHITECTURES else probed(binary).arch


def named(places: Sequence[str]) -> list[Build]:
    """The builds, each named by what is unique in its path. Raises UsageError if two are the same, or one is empty."""
    if not all(places):  # As from an unset variable of a shell: the default would be another QEMU.
        raise UsageError("--qemu is empty; give a QEMU binary, a directory with one, or a suite")
    paths = [os.path.abspath(place) if os.path.exists(place) else place for place in places]
    if twice := [path for path in paths if paths.count(path) > 1]:
        raise UsageError(
            f"{twice[0]} is given twice; to compare a build with itself, give a symbolic link to it the second time"
        )
    return [Build(in_a_line(name.replace(";", "_")), path) for name, path in zip(_names(paths), paths, strict=True)]


def _names(paths: Sequence[str]) -> Sequence[str]:
    """The unique part of each path, if there is one."""
    parts = [Path(path).parts for path in paths]
    if len(parts) == 1:
        return [Path(paths[0]).name or paths[0]]
    ahead = _alike(parts)
    behind = _alike([path_parts[::-1] for path_parts in parts])
    names = ["/".join(path_parts[ahead : len(path_parts) - behind]) for path_parts in parts]
    return names if all(names) and len(set(names)) == len(names) else paths


def _alike(parts: Sequence[Sequence[str]]) -> int:
    """The number of leading parts that are the same in all."""
    return sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, zip(*parts, strict=False)))


@cache
def check_start(binary: str, parameters: Parameters) -> None:
    """Raise UnusableBuildError if the QEMU does not start with the machine of such a run."""
    with HostResources() as resources, work_directory(resources) as directory:
        try:
            event_loop.run(start(parameters, probed(binary), resources, directory, directory))
        except HarnessError as error:
            raise UnusableBuildError(
                f"{binary} does not start ({error}); if firmware is missing, name the directory of its build, "
                "`make install` it and name that directory, or install the firmware's package"
            ) from None


@cache
def check_hugepages(parameters: Parameters) -> None:
    """Raise HostRequirementError if the host lacks the hugepages of such a run: no build would reach a verdict."""
    if parameters.backing == "anonymous":
        return
    needed = parameters.sides_here * plan("memfd", parameters.page_size, parameters.ram).hugepages_needed
    size, allowed = parameters.page_size, parameters.reserve_hugepages
    with HostResources() as resources, lease_hugepages(resources, size, needed, allowed=allowed):
        pass


@cache
def probed(binary: str) -> QemuInfo:
    """What the binary answers when probed; raises UnusableBuildError if it does not answer as a QEMU does."""
    with HostResources() as resources, work_directory(resources) as directory:
        return event_loop.run(probe(binary, directory, directory))
