# SPDX-License-Identifier: GPL-2.0-or-later
"""The data that the doctor's checks judge; tests build made-up hosts from the same classes."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from ..basics.packages import Package
from ..basics.run_directory import LeftFiles
from ..host.pool import Counters
from ..qemu.profiles import PROFILES


@dataclass(frozen=True)
class Qemu:
    """The QEMU of an architecture, with what it answered so far; `fault` says why it is unusable.

    `is_named` says whether the settings name it. `machines` are its machine types, limited to the families that tests
    use.
    """

    arch: str
    package: Package
    is_named: bool = False
    binary: str = ""
    release: tuple[int, int, int] = (0, 0, 0)
    machines: tuple[str, ...] = ()
    has_kvm: bool = False
    capabilities: frozenset[str] = frozenset()
    fault: str = ""

    def answered(
        self, release: tuple[int, int, int], machines: Collection[str], has_kvm: bool, capabilities: frozenset[str]
    ) -> "Qemu":
        """The same, with what it answered; of its machines only those of the families that tests use."""
        families = tuple(family for family in PROFILES[self.arch].families if family in machines)
        return replace(self, release=release, machines=families, has_kvm=has_kvm, capabilities=capabilities)


@dataclass(frozen=True)
class Kvm:
    """Whether a guest of the host's own architecture started under KVM; if not, `fault` says why.

    `fix` says what to do if the state of /dev/kvm does not show it.
    """

    arch: str
    fault: str
    device_exists: bool
    may_open: bool
    fix: str = ""


@dataclass(frozen=True)
class NodePages:
    """Hugepages of one size on a NUMA node."""

    node: int
    total: int
    free: int


@dataclass(frozen=True)
class Pages:
    """Hugepages of one size: `needed` by the default run, of which `missing` must be added, by `grow_command`.

    `may_grow` says whether the run adds them itself.
    """

    page_size_bytes: int
    counters: Counters
    nodes: tuple[NodePages, ...]
    needed: int
    missing: int
    may_grow: bool
    grow_command: str


@dataclass(frozen=True)
class Shaped:
    """What link=shaped carried in a trial, in bytes per second, and what it should carry; or why it could not be made.

    `loadable` are kernel modules that the first run will load; then there was no trial. `forbidden` says that the fault
    is a missing permission, `in_user_namespace` that the link was made in a user namespace.
    """

    missing_programs: tuple[str, ...] = ()
    loadable: tuple[str, ...] = ()
    fault: str = ""
    forbidden: bool = False
    bytes_per_s: float = 0
    wanted_bytes_per_s: float = 0
    in_user_namespace: bool = False


@dataclass(frozen=True)
class Cpu:
    """The number of CPUs that this process may use, the governors of all, and the load average of the last minute."""

    usable: int
    governors: frozenset[str]
    load: float


@dataclass(frozen=True)
class Lock:
    """The lock that allows one test at a time on a host; `holders` are process ids with their commands.

    For another user's process there is only `who`.
    """

    is_held: bool
    holders: tuple[tuple[int, str], ...] = ()
    who: str = ""


@dataclass(frozen=True)
class OtherHost:
    """Another host for a side of the default run; `fault` says why it could not be examined.

    `kvm` is set if KVM was tried, `pages` if the host has hugepages of the requested size.
    """

    name: str
    fault: str = ""
    python: str = ""
    qemu: Qemu | None = None
    kvm: Kvm | None = None
    page_size_bytes: int = 0
    pages: Pages | None = None
    small_pages_bytes: int = 0
    available_bytes: int = 0
    cpu: Cpu | None = None
    lock: Lock | None = None
    root: bool = False


@dataclass(frozen=True)
class Network:
    """What a TCP connection from the source's host to the destination's carried, or why it failed."""

    fault: str = ""
    bytes_per_s: float = 0


@dataclass(frozen=True)
class Version:
    """A distribution that this package requires, such as `numpy==2.*`; `installed` is empty if it is missing."""

    name: str
    requirement: str
    installed: str
    fits: bool
    pip: str = ""
    """What pip should install, if that is not the requirement."""


@dataclass(frozen=True)
class Host:
    """Everything that was seen, and what the default run needs of it: a test with only the current settings."""

    arch: str
    page_size_bytes: int
    small_pages_bytes: int
    """Guest RAM of both sides on the host's base pages."""
    kvm_wanted: bool
    shaped_wanted: bool
    qemus: tuple[Qemu, ...]
    kvm: Kvm
    pages: tuple[Pages, ...]
    available_bytes: int
    shaped: Shaped
    cpu: Cpu
    lock: Lock
    left_files: tuple[LeftFiles, ...]
    versions: tuple[Version, ...]
    root: bool
    sides: int = 2
    """The number of the default run's QEMUs on this host."""
    others: tuple[OtherHost, ...] = ()
    network: Network | None = None
    """The network between the two hosts, if these differ and both could be examined."""
