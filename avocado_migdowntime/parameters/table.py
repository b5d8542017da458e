# SPDX-License-Identifier: GPL-2.0-or-later
"""Every parameter of a test: one table for options, variants, settings and documentation."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..basics.alike import meant
from ..basics.printable import quoted
from ..basics.qemu_constants import GREATEST_DOWNTIME_LIMIT_MS
from ..basics.units import parse_size
from ..errors import UsageError
from ..oracle.formulas import FORMULAS
from . import values
from .bandwidth import FOR_A_SLOW_GUEST, for_short_passes
from .migrate_parameters import parse_settings

PAGE_SIZES = ("4K", "64K", "2M", "16M", "1G")
GUEST_PAGE_SIZES = ("2M", "16M", "1G")
GUESTS = ("dirtier", "linux")
BACKINGS = ("anonymous", "hugetlbfs", "memfd")
LINKS = ("unix", "tcp", "shaped", "fd", "exec", "file", "vsock")
POSTCOPY = ("no", "yes", "recovery")
TLS = ("none", "psk", "x509")

PATTERNS: Mapping[str, str] = {
    "sequential": "writes granule after granule, again and again",
    "random": "each sweep writes each granule once, in random order",
    "idle": "writes each granule once, then only a heartbeat; with `rate` also granule after granule, at that rate",
    "hot-cold": "writes each granule once; then `share` percent of the writes go to `hot` percent of the granules",
}
"""The orders of writes and their meanings (images/README.md); `burst` can be combined with each."""
ANY_ARCHITECTURE = "auto"
ARCHITECTURES = ("ppc64", "x86_64", "aarch64", "riscv64", "s390x", "arm")
ACCELERATORS = ("tcg", "kvm")
ANY_ACCELERATOR = "auto"


def _parameter(default: str, parse: Callable[[str], Any], meaning: str) -> Any:
    return field(default=parse(default), metadata={"default": default, "parse": parse, "meaning": meaning})


@dataclass(frozen=True)
class Parameters:
    """The parameters of a test. Sizes are in bytes, bandwidths in bytes per second; an unset one is None."""

    arch: str = _parameter(
        ANY_ARCHITECTURE,
        values.choice(ANY_ARCHITECTURE, *ARCHITECTURES),
        "architecture of the guest; auto: that of `qemu`, or of an installed QEMU; of several, ppc64 comes first",
    )
    qemu: str | None = _parameter(
        "",
        values.text,
        "QEMU binary, a directory with one, or a suite (see `qemu add`) (default: `qemu-system-ARCH` on the PATH)",
    )
    qemu_destination: str | None = _parameter("", values.text, "the same for the destination (default: the same QEMU)")
    source_host: str | None = _parameter(
        "",
        values.host,
        "[USER@]HOST[:PORT]: start the source there over SSH; `qemu` is looked up there (default: this host)",
    )
    destination_host: str | None = _parameter(
        "",
        values.host,
        "the same for the destination; the migration uses the network between the two (default: this host)",
    )
    machine: str | None = _parameter(
        "", values.text, "machine type such as pseries, q35 or virt (default: the architecture's first)"
    )
    accel: str = _parameter(
        ANY_ACCELERATOR,
        values.choice(ANY_ACCELERATOR, *ACCELERATORS),
        "accelerator; auto: KVM if the guest really runs under it, else TCG",
    )
    boot: str = _parameter(
        "direct",
        values.choice("direct", "firmware"),
        "ppc64: direct boots without SLOF (as -bios image; Linux by x-vof), firmware through SLOF",
    )
    guest: str = _parameter(
        "dirtier",
        values.choice(*GUESTS),
        "dirtier: a small program without an operating system; linux: the same program in Debian Linux",
    )
    guest_page_size: int | None = _parameter(
        "",
        lambda v: parse_size(values.choice(*GUEST_PAGE_SIZES)(v)) if v else None,
        f"linux: the guest's own hugepages for its region: {', '.join(GUEST_PAGE_SIZES)}; unset: its base pages",
    )
    ram: int = _parameter("256M", values.positive_size, "guest RAM; pseries needs a multiple of 256M")
    numa_nodes: int = _parameter(
        "1",
        values.number(1, 8, whole=True),
        "number of NUMA nodes; each has an equal part of guest RAM and its own backing; the region lies across two",
    )
    backing: str = _parameter("memfd", values.choice(*BACKINGS), "kind of memory for guest RAM")
    page_size: int = _parameter(
        "2M", lambda v: parse_size(values.choice(*PAGE_SIZES)(v)), f"page size of the backing: {', '.join(PAGE_SIZES)}"
    )
    reserve_hugepages: bool = _parameter("yes", values.flag, "as root, reserve missing hugepages for the run")
    pattern: str = _parameter("sequential", values.choice(*PATTERNS), "order in which the guest dirties its region")
    region: int = _parameter("20M", values.positive_size, "how much of its RAM the guest dirties")
    rate: int = _parameter(
        "0",
        values.number(0, 10**9, whole=True),
        "4 KiB pages that the guest dirties a second, once the region is filled; 0: as fast as it can",
    )
    hot: int = _parameter("20", values.number(1, 99, whole=True), "hot-cold: percent of the pages that are hot")
    share: int = _parameter("80", values.number(1, 99, whole=True), "hot-cold: percent of the writes that go to them")
    burst: tuple[int, int] | None = _parameter(
        "",
        values.burst,
        "WRITE/REST in ms, such as 200/800: write for WRITE at `rate`, then pause for REST; unset: never pause",
    )
    granule: int = _parameter(
        "4K", values.positive_size, "unit of writing: the guest writes to every 4 KiB page of a granule"
    )
    vcpus: int = _parameter(
        "1",
        values.number(1, 16, whole=True),
        "vCPUs; each dirties an equal part of the region (ppc64 and x86_64, not with guest=linux)",
    )
    tlb_flush: bool = _parameter(
        "yes", values.flag, "under TCG, flush the TLB at each page, because QEMU before 9.0 otherwise loses writes"
    )
    link: str = _parameter(
        "unix",
        values.choice(*LINKS),
        "transport of the migration; shaped: a network limited to `link_rate`; file: the destination reads the file "
        "when it is complete",
    )
    link_rate: int = _parameter("50000000", values.link_rate, "shaped: bandwidth of the link, bytes per second")
    max_bandwidth: int | None = _parameter(
        "",
        values.size_if_any,
        "QEMU's max-bandwidth, bytes per second (default: chosen so that passes last half a second, at most 50000000; "
        "12000000 if the guest does not dirty as fast as it can)",
    )
    downtime_limit: int = _parameter(
        "1", values.number(0, GREATEST_DOWNTIME_LIMIT_MS, whole=True), "QEMU's downtime-limit, ms"
    )
    capabilities: tuple[str, ...] = _parameter(
        "", values.capabilities, "further migration capabilities, separated by commas (`list capabilities`)"
    )
    migrate_parameters: tuple[tuple[str, str], ...] = _parameter(
        "",
        lambda v: parse_settings(v) if v else (),
        "further migrate parameters of both QEMUs, NAME=VALUE, separated by commas (`list migrate-parameters`)",
    )
    tls: str = _parameter(
        "none", values.choice(*TLS), "encryption of the migration: psk, a shared key, or x509, certificates"
    )
    postcopy: str = _parameter(
        "no",
        values.choice(*POSTCOPY),
        "expected-downtime: end the migration by postcopy after enough passes (needs the capability postcopy-ram); "
        "recovery: also break its channel, and recover",
    )
    qemu_arguments: tuple[str, ...] = _parameter(
        "", values.words, "further arguments of both QEMUs, quoted as for a shell, such as devices that add state"
    )
    shared_disk: int | None = _parameter(
        "", values.size_if_any, "size of a virtio disk, a file that both QEMUs open; needs both on one host"
    )
    passes: int = _parameter("2", values.number(1, 1000, whole=True), "number of passes to judge")
    integrity: bool = _parameter(
        "yes",
        values.flag,
        "compare each page that the guest dirtied with what it wrote, before the guest continues at the destination",
    )
    limit_from: str = _parameter(
        "oracle",
        values.choice("oracle", "reported"),
        "convergence: base the limit on the expected downtime (oracle), or on QEMU's report (reported)",
    )
    limit_factor: float = _parameter(
        "1.2", values.number(0.1, 10, whole=False), "convergence: multiply that downtime by this"
    )
    stop_at: float = _parameter(
        "0.5",
        values.number(0.01, 0.99, whole=False),
        "stop-now: stop the guest when this share of a pass has been sent",
    )
    sample_rate: float = _parameter("100", values.number(1, 1000, whole=False), "`query-migrate` samples a second")
    time_limit: float = _parameter(
        "120", values.number(1, 86400, whole=False), "seconds after which the run is given up"
    )
    formula: str = _parameter("last-sync", values.choice(*FORMULAS), "formula that QEMU should use")
    tolerance: float = _parameter(
        "0.01", values.number(0.0001, 1, whole=False), "largest relative error that counts as accurate"
    )
    inconclusive: str = _parameter("warn", values.choice("warn", "fail"), "test status of an inconclusive verdict")
    lacking: str = _parameter("cancel", values.choice("cancel", "fail"), "test status if the host lacks something")

    @property
    def bytes_per_s(self) -> int:
        """QEMU's max-bandwidth: the given one, or one that suits what the guest dirties."""
        if self.max_bandwidth is not None:
            return self.max_bandwidth
        if self.at_full_speed:
            return for_short_passes(self.region, self.downtime_limit, self.page_size)
        return FOR_A_SLOW_GUEST

    @property
    def other_hosts(self) -> tuple[str, ...]:
        """The parameters that put a side on another host, with their values."""
        named = ("source_host", self.source_host), ("destination_host", self.destination_host)
        return tuple(f"{name}={host}" for name, host in named if host)

    @property
    def sides_here(self) -> int:
        """The number of QEMUs on this host, of the two."""
        return 2 - len(self.other_hosts)

    @property
    def at_full_speed(self) -> bool:
        """Whether the guest dirties as fast as it can, so that each pass finds its whole region dirty again."""
        return self.guest == "dirtier" and not self.rate and not self.burst and self.pattern != "idle"


@dataclass(frozen=True)
class Description:
    """One row of the parameter table, for options and documentation."""

    name: str
    default: str
    meaning: str


def describe() -> tuple[Description, ...]:
    """The table of parameters, in order."""
    return tuple(Description(f.name, f.metadata["default"], f.metadata["meaning"]) for f in fields(Parameters))


def parse(values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Parameters:
    """Parameters from names and values as text (YAML numbers and booleans count as their text).

    Raises UsageError, which names the parameter, for an unknown name or an invalid value.
    """
    table = {f.name: f for f in fields(Parameters)}
    read: dict[str, Any] = {}
    for name, value in dict(values).items():
        if name not in table:
            raise UsageError(f"unknown parameter {quoted(name)}; {meant(str(name), table)}")
        text = str(value).strip()
        if not text:
            continue
        try:
            read[name] = table[name].metadata["parse"](text)
        except UsageError as error:
            raise UsageError(f"parameter {name}: {error}") from None
    return Parameters(**read)
