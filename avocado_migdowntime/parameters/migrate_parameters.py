# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's migrate parameters, beside max-bandwidth and downtime-limit, and what each makes of a run.

Source: qapi/migration.json (MigrationParameter) and migration/options.c (migrate_params_check) of QEMU 5.2 to 11.1.
"""

from collections.abc import Collection, Mapping

from ..errors import UsageError
from .capabilities import DIRTY_LIMIT
from .setting import Setting, given_of, only

_AUTO_CONVERGE, _COMPRESS, _MULTIFD = ("auto-converge",), ("compress",), ("multifd",)
_DIRTY_LIMIT = (DIRTY_LIMIT,)
_ANNOUNCES = Setting("is about how the destination announces the guest's network cards; it has none")


def _own(parameter: str) -> Setting:
    return only("is a parameter of each run", f"use {parameter} instead")


_TLS = only("goes with credentials that are made for a run", "use tls=psk or tls=x509 instead")

MIGRATE_PARAMETERS: Mapping[str, Setting] = {
    "announce-initial": _ANNOUNCES,
    "announce-max": _ANNOUNCES,
    "announce-rounds": _ANNOUNCES,
    "announce-step": _ANNOUNCES,
    "avail-switchover-bandwidth": Setting("is what QEMU divides by, instead of what it sends, since 8.2"),
    "block-bitmap-mapping": only("is about bitmaps of disks; the guest has none", "leave it out"),
    "block-incremental": Setting("is about disks; the guest has none; QEMU before 9.1"),
    "compress-level": Setting("is how hard pages are compressed", _COMPRESS),
    "compress-threads": Setting("is how many threads compress", _COMPRESS),
    "compress-wait-thread": Setting("has pages wait for a thread that compresses them", _COMPRESS),
    "cpr-exec-command": only("starts another QEMU in place of this one, and sends no RAM", "leave it out"),
    "cpu-throttle-increment": Setting("is by how much more the guest is slowed each time", _AUTO_CONVERGE),
    "cpu-throttle-initial": Setting("is by how much the guest is slowed first", _AUTO_CONVERGE),
    "cpu-throttle-tailslow": Setting("slows the guest more gently at the end", _AUTO_CONVERGE),
    "decompress-threads": Setting("is how many threads of the destination decompress", _COMPRESS),
    "direct-io": Setting("goes past the host's page cache, since 9.1", ("mapped-ram", "multifd")),
    "downtime-limit": _own("downtime_limit"),
    "max-bandwidth": _own("max_bandwidth"),
    "max-cpu-throttle": Setting("is by how much the guest is slowed at most", _AUTO_CONVERGE),
    "max-postcopy-bandwidth": Setting("is the most that postcopy sends a second", ("postcopy-ram",)),
    "mode": Setting(
        "leaves RAM where it is, in any mode but normal",
        lacking="no RAM is sent then, so that nothing is predicted; leave it out",
    ),
    "multifd-channels": Setting("is over how many connections pages go", _MULTIFD),
    "multifd-compression": Setting(
        "sends compressed pages, but QEMU counts uncompressed ones as left, also in its report", _MULTIFD
    ),
    "multifd-qatzip-level": Setting("is how hard pages are compressed", _MULTIFD),
    "multifd-zlib-level": Setting("is how hard pages are compressed", _MULTIFD),
    "multifd-zstd-level": Setting("is how hard pages are compressed", _MULTIFD),
    "throttle-trigger-threshold": Setting("is how much has to be dirtied for the guest to be slowed", _AUTO_CONVERGE),
    "tls-authz": _TLS,
    "tls-creds": _TLS,
    "tls-hostname": _TLS,
    "vcpu-dirty-limit": Setting("is the rate, in MB per second, to which a vCPU is slowed at least", _DIRTY_LIMIT),
    "x-checkpoint-delay": only("is about a guest that goes on being replicated", "leave it out"),
    "x-rdma-chunk-size": only("is about RDMA, which no link here uses", "leave it out"),
    "x-vcpu-dirty-limit-period": Setting("is over how many ms the rate of a vCPU is measured", _DIRTY_LIMIT),
    "xbzrle-cache-size": Setting("is the size of the cache that differences are made by", ("xbzrle",)),
    "zero-page-detection": Setting("is who looks for zero pages: nobody, the migration, or multifd; since 9.0"),
}
"""By name. One that is not here is taken as it is: QEMU has it or refuses it."""


def parse_settings(value: str) -> tuple[tuple[str, str], ...]:
    """NAME=VALUE,NAME=VALUE as pairs; raises UsageError for anything else, and where no run can be judged with one."""
    pairs: dict[str, str] = {}
    for word in value.split(","):
        name, equals, text = (part.strip() for part in word.partition("="))
        if not (name and equals and text):
            raise UsageError(f"{word.strip()!r} is not NAME=VALUE; write it so, such as multifd-channels=4")
        if name in pairs:
            raise UsageError(f"{name} is given twice; give it once")
        pairs[name] = text
    for _ in given_of(pairs, MIGRATE_PARAMETERS):
        pass
    return tuple(pairs.items())


def check_capabilities(names: Collection[str], capabilities: Collection[str]) -> None:
    """Raise UsageError where one of these migrate parameters does nothing without a capability that is not given."""
    for name, setting in given_of(names, MIGRATE_PARAMETERS):
        if lacking := [need for need in setting.needs if need not in capabilities]:
            together = ",".join((*capabilities, *lacking))
            raise UsageError(
                f"migrate parameter {name} {setting.meaning}, and does nothing without the capability "
                f"{' and '.join(lacking)}; give capabilities={together}, or leave it out"
            )
