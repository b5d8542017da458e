# SPDX-License-Identifier: GPL-2.0-or-later
"""What the doctor looks at, as it was seen; made-up hosts are made of the same."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from ..basics.packages import Package
from ..basics.run_directory import LeftFiles
from ..host.pool import Counters
from ..qemu.profiles import PROFILES


@dataclass(frozen=True)
class Qemu:
    """The QEMU of an architecture, as far as it answered; `fault` says why it is of no use.

    `is_named` is whether the settings name it; `machines` are those of the families that tests use.
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
        """The same, with what it answered; of its machines those of the families that tests use."""
        families = tuple(family for family in PROFILES[self.arch].families if family in machines)
        return replace(self, release=release, machines=families, has_kvm=has_kvm, capabilities=capabilities)


@dataclass(frozen=True)
class Kvm:
    """Whether a guest of the host's own architecture really started under KVM; if not, `fault` says why."""

    arch: str
    fault: str
    device_exists: bool
    may_open: bool


@dataclass(frozen=True)
class NodePages:
    """Hugepages of one size on a NUMA node."""

    node: int
    total: int
    free: int


@dataclass(frozen=True)
class Pages:
    """Hugepages of one size: `needed` by the default run, of which `missing` are to be made, by `grow_command`.

    `may_grow` is whether the run makes them itself.
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
    """What link=shaped carried on trial, in bytes per second, of what it was to; or why it could not be made.

    `loadable` are kernel modules that the first run will load: it was not tried then. `forbidden` is whether the fault
    is that this user may not, `in_user_namespace` whether the link was made in one.
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
    """CPUs that this process may use, the governors of all, and the load average of the last minute."""

    usable: int
    governors: frozenset[str]
    load: float


@dataclass(frozen=True)
class Lock:
    """The lock that lets one test at a time run on a host; `holders` are process ids with their commands.

    Of another user's there is only `who` it is.
    """

    is_held: bool
    holders: tuple[tuple[int, str], ...] = ()
    who: str = ""


@dataclass(frozen=True)
class OtherHost:
    """Another host, on which a side of the default run is; `fault` says why it could not be looked at.

    Of KVM there is something where it was tried, of pages where it has hugepages of the size that is asked for.
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
    """What a TCP connection from the source's host to the destination's carried, or why none did."""

    fault: str = ""
    bytes_per_s: float = 0


@dataclass(frozen=True)
class Version:
    """A distribution that this package requires, such as `numpy==2.*`; `installed` is empty without it."""

    name: str
    requirement: str
    installed: str
    fits: bool
    pip: str = ""
    """What pip is to install, where that is not the requirement."""


@dataclass(frozen=True)
class Host:
    """All that was seen, and what of it the default run takes: a test with nothing but the settings that there are."""

    arch: str
    page_size_bytes: int
    small_pages_bytes: int
    """Guest RAM of both sides that is of the host's own pages."""
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
    """How many of the default run's QEMUs are on this host."""
    others: tuple[OtherHost, ...] = ()
    network: Network | None = None
    """Between the hosts, where the two are not one and both could be looked at."""
