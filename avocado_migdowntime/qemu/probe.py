# SPDX-License-Identifier: GPL-2.0-or-later
"""What a QEMU binary is and can do: asked over QMP, never guessed from its name."""

import asyncio
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..builds.suite_qemu import binary_of
from ..debian.suite import SUITES, is_name
from ..errors import HarnessError, HostRequirementError, UnusableBuildError, UsageError
from ..host.netns import NoNetwork
from ..parameters.table import ANY_ARCHITECTURE, ARCHITECTURES
from .launching import HERE, Launcher
from .process import START_S, QemuProcess
from .profiles import PROFILES
from .schema import argument_kinds

_SANDBOX = "on,obsolete=deny,elevateprivileges=deny,resourcecontrol=deny"
"""QEMU: softmmu/qemu-seccomp.c, since 8.2 system/qemu-seccomp.c; every option that exists since 2.11."""

_QUERIES = (
    "query-version",
    "query-target",
    "query-machines",
    "query-kvm",
    "query-migrate-parameters",
    "query-migrate-capabilities",
    "query-qmp-schema",
)


@dataclass(frozen=True)
class QemuInfo:
    """A QEMU binary: its release, target, and what it was built with.

    `has_kvm` says that KVM was compiled in; only a trial shows whether it starts a guest (see accel.py). `machines`
    holds names and aliases. `backed_machines` can have their RAM from a memory backend. `aliases` maps an alias such as
    pc to the name that it stands for in this release. `migrate_parameter_kinds` maps each parameter that can be set to
    its choices, or to the JSON type of its value. `has_sandbox` says that the binary knows -sandbox; the host's kernel
    may still lack it.
    """

    binary: str
    release: tuple[int, int, int]
    package: str
    arch: str
    machines: frozenset[str]
    backed_machines: frozenset[str]
    aliases: Mapping[str, str]
    has_kvm: bool
    migrate_parameters: Mapping[str, Any]
    migrate_capabilities: frozenset[str]
    migrate_parameter_kinds: Mapping[str, str | tuple[str, ...]]
    has_sandbox: bool

    def confinement(self, launcher: Launcher, *, spawning: bool = False) -> tuple[str, ...]:
        """Arguments by which QEMU gives up system calls that no run needs; empty if it or the host's kernel cannot."""
        if not (self.has_sandbox and launcher.has_filters):
            return ()
        return ("-sandbox", _SANDBOX if spawning else f"{_SANDBOX},spawn=deny")

    @property
    def release_text(self) -> str:
        """The release in the usual notation: 7.2.22."""
        return ".".join(map(str, self.release))


def find_binary(qemu: str | None, arch: str) -> str:
    """The path of the QEMU to use: `qemu`, or `qemu-system-ARCH` from the PATH.

    `qemu` can also be a suite whose QEMU was unpacked (see builds/), or a directory in which QEMU was built or
    installed. If `arch` is auto, the first of ARCHITECTURES that is found is used. Raises UnusableBuildError if there
    is no executable file, HostRequirementError if none is installed, or if the QEMU of a Debian suite has not been
    fetched.
    """
    archs = ARCHITECTURES if arch == ANY_ARCHITECTURE else (arch,)
    wanted = "qemu-system-*" if arch == ANY_ARCHITECTURE else f"qemu-system-{arch}"
    if qemu is None:
        if binary := _first(f"qemu-system-{arch}" for arch in archs):
            return binary
        package = PROFILES[archs[0]].package
        raise HostRequirementError(f"no {wanted} is on the PATH; install one with: {package.install}")
    if not qemu:
        raise UsageError(f"no QEMU is named; give the path of a {wanted}, or of a directory that has one")
    if unpacked := binary_of(qemu, archs):
        return str(unpacked)
    if Path(qemu).is_dir():
        # Absolute, because a bare name would be looked up on the PATH.
        places = [Path(qemu).absolute() / below for below in ("", "bin", "build")]
        binary = _first(str(place / f"qemu-system-{arch}") for arch in archs for place in places)
        if binary is None:
            raise UnusableBuildError(
                f"the directory {qemu} has no {wanted}, and none in bin or build below it; name another"
            )
        return os.path.abspath(binary)
    binary = shutil.which(qemu) or shutil.which(os.path.abspath(qemu))
    if binary is not None and Path(binary).is_file():
        return os.path.abspath(binary)
    if binary is None and qemu in SUITES:
        guests = "" if arch == ANY_ARCHITECTURE else f" --arch {arch}"
        raise HostRequirementError(
            f"the QEMU of Debian's {qemu} is not here; get it with: avocado migdowntime qemu add {qemu}{guests}"
        )
    what = "is no regular file" if binary else "is not executable" if Path(qemu).exists() else "does not exist"
    suite = f", or get that of a Debian suite with: avocado migdowntime qemu add {qemu}" if is_name(qemu) else ""
    raise UnusableBuildError(f"{qemu} {what}; give the path of a {wanted}, or of a directory that has one{suite}")


def _first(names: Iterable[str]) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


async def probe(
    binary: str,
    directory: Path,
    sockets: Path,
    launcher: Launcher = HERE,
    suffix: str = "",
    within_s: float = START_S,
) -> QemuInfo:
    """Start `binary` without a machine and query it; raises UnusableBuildError if it does not answer as a QEMU does.

    It has `within_s` to start, and as long to answer. The name of the process ends with `suffix`.
    """
    name, bare = f"probe-{Path(binary).name}{suffix}", ("-machine", "none", "-nodefaults", "-display", "none")
    process = QemuProcess(name, binary, bare, directory, sockets, NoNetwork(), launcher, within_s)
    try:
        async with process as qemu:
            version, target, machines, kvm, parameters, capabilities, schema, has_sandbox = await _answers(
                qemu, within_s
            )
        kinds = argument_kinds(schema, "migrate-set-parameters")
    except OSError as error:
        is_there = isinstance(error, FileNotFoundError) and Path(binary).exists()
        why = "its interpreter or loader does not exist" if is_there else error.strerror
        raise UnusableBuildError(f"{binary} cannot be started: {why}; give the path of a qemu-system-*") from None
    except HarnessError as error:
        why = str(error).replace(f"the {name} QEMU", "it").replace(f"{name} QEMU", "it")
        raise UnusableBuildError(
            f"{binary} did not answer as a QEMU does ({why}); give the path of a qemu-system-*"
        ) from None
    number = version["qemu"]
    return QemuInfo(
        binary=binary,
        release=(number["major"], number["minor"], number["micro"]),
        package=version["package"],
        arch=target["arch"],
        machines=_names(machines),
        backed_machines=_names(machine for machine in machines if "default-ram-id" in machine),
        aliases={machine["alias"]: machine["name"] for machine in machines if "alias" in machine},
        has_kvm=kvm["present"],
        migrate_parameters=parameters,
        migrate_capabilities=frozenset(c["capability"] for c in capabilities),
        migrate_parameter_kinds=kinds,
        has_sandbox=has_sandbox,
    )


async def _answers(qemu: QemuProcess, within_s: float) -> Sequence[Any]:
    """Its answers in turn; raises HarnessError, also if they take longer than `within_s`."""
    try:
        async with asyncio.timeout(within_s):
            return await asyncio.gather(*map(qemu.execute, _QUERIES), _has_sandbox(qemu))
    except TimeoutError:
        # A QEMU that answers only some of them counts as one that answers.
        some = f"the {qemu.name} QEMU has not answered all that it was asked for {within_s:g} s"
        raise HarnessError(qemu.silence(0.0) or some) from None


async def _has_sandbox(qemu: QemuProcess) -> bool:
    try:
        options = await qemu.execute("query-command-line-options", {"option": "sandbox"})
    except HarnessError:  # QEMU refuses a query about an option that it was built without.
        return False
    return bool(options)


def _names(machines: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(machine[key] for machine in machines for key in ("name", "alias") if key in machine)
