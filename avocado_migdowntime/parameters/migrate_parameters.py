# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's migrate parameters other than max-bandwidth and downtime-limit, and how each affects a run.

Source: qapi/migration.json (MigrationParameter) and migration/options.c (migrate_params_check) of QEMU 5.2 to 11.1.
"""

from collections.abc import Collection, Mapping

from ..basics.printable import quoted
from ..basics.qemu_constants import NO_RAM
from ..errors import UsageError
from .capabilities import DIRTY_LIMIT
from .setting import Setting, given_of, only

_AUTO_CONVERGE, _COMPRESS, _MULTIFD = ("auto-converge",), ("compress",), ("multifd",)
_DIRTY_LIMIT = (DIRTY_LIMIT,)
_ANNOUNCES = Setting("concerns announcements of the guest's network cards; it has none")


def _own(parameter: str) -> Setting:
    return only("is a parameter of each run", f"use {parameter} instead")


_TLS = only("belongs to credentials, which the test makes itself", "use tls=psk or tls=x509 instead")

MIGRATE_PARAMETERS: Mapping[str, Setting] = {
    "announce-initial": _ANNOUNCES,
    "announce-max": _ANNOUNCES,
    "announce-rounds": _ANNOUNCES,
    "announce-step": _ANNOUNCES,
    "avail-switchover-bandwidth": Setting("replaces the measured bandwidth as QEMU's divisor, since 8.2"),
    "block-bitmap-mapping": only("concerns dirty bitmaps of disks; the guest has none", "leave it out"),
    "block-incremental": Setting("concerns disks; the guest has none; QEMU before 9.1"),
    "compress-level": Setting("sets the compression level", _COMPRESS),
    "compress-threads": Setting("sets the number of threads that compress", _COMPRESS),
    "compress-wait-thread": Setting("makes pages wait for a free compression thread", _COMPRESS),
    "cpr-exec-command": only("starts another QEMU in place of this one, and migrates no RAM", "leave it out"),
    "cpu-throttle-increment": Setting("sets each further step by which the guest is slowed", _AUTO_CONVERGE),
    "cpu-throttle-initial": Setting("sets the first step by which the guest is slowed", _AUTO_CONVERGE),
    "cpu-throttle-tailslow": Setting("makes the last steps smaller", _AUTO_CONVERGE),
    "decompress-threads": Setting("sets the number of threads that decompress at the destination", _COMPRESS),
    "direct-io": Setting("bypasses the host's page cache, since 9.1", ("mapped-ram", "multifd")),
    "downtime-limit": _own("downtime_limit"),
    "max-bandwidth": _own("max_bandwidth"),
    "max-cpu-throttle": Setting("limits how much the guest is slowed", _AUTO_CONVERGE),
    "max-postcopy-bandwidth": Setting("limits the bandwidth of postcopy", ("postcopy-ram",)),
    "mode": Setting(
        "keeps RAM in place, in any mode but normal",
        lacking=f"{NO_RAM}; leave it out",
    ),
    "multifd-channels": Setting("sets the number of connections", _MULTIFD),
    "multifd-compression": Setting(
        "compresses pages; QEMU still counts whole pages as left, also in its report", _MULTIFD
    ),
    "multifd-qatzip-level": Setting("sets the compression level", _MULTIFD),
    "multifd-zlib-level": Setting("sets the compression level", _MULTIFD),
    "multifd-zstd-level": Setting("sets the compression level", _MULTIFD),
    "throttle-trigger-threshold": Setting("sets the share of dirtied bytes at which throttling begins", _AUTO_CONVERGE),
    "tls-authz": _TLS,
    "tls-creds": _TLS,
    "tls-hostname": _TLS,
    "vcpu-dirty-limit": Setting("sets the lowest dirty rate, MB per second, to which a vCPU is slowed", _DIRTY_LIMIT),
    "x-checkpoint-delay": only("concerns a guest that is replicated continuously", "leave it out"),
    "x-rdma-chunk-size": only("concerns RDMA, which no link here uses", "leave it out"),
    "x-vcpu-dirty-limit-period": Setting("sets the period of measuring a vCPU's dirty rate, ms", _DIRTY_LIMIT),
    "xbzrle-cache-size": Setting("sets the size of the cache of sent pages", ("xbzrle",)),
    "zero-page-detection": Setting("sets who detects zero pages: nobody, the migration thread, or multifd; since 9.0"),
}
"""By name. A parameter that is not listed is passed on to a QEMU that has it."""
CHOICES: Mapping[str, tuple[str, ...]] = {
    "multifd-compression": ("none", "zlib", "zstd", "qatzip", "qpl", "uadk"),
    "zero-page-detection": ("none", "legacy", "multifd"),
}
"""The values that any release has; a QEMU may be built without some of them."""
NORMAL_MODE = ("mode", "normal")
"""The only mode in which QEMU sends RAM."""


def parse_settings(value: str) -> tuple[tuple[str, str], ...]:
    """NAME=VALUE,NAME=VALUE as pairs; raises UsageError for anything else, or if no run can be judged with one."""
    pairs: dict[str, str] = {}
    for word in value.split(","):
        name, equals, text = (part.strip() for part in word.partition("="))
        if not (name and equals and text):
            raise UsageError(f"{quoted(word.strip())} is not NAME=VALUE; write it so, such as multifd-channels=4")
        if name in pairs:
            raise UsageError(f"{name} is given twice; give it once")
        pairs[name] = text
    for _ in given_of(pairs, MIGRATE_PARAMETERS):
        pass
    return tuple(pairs.items())


def check_capabilities(names: Collection[str], capabilities: Collection[str]) -> None:
    """Raise UsageError if one of these migrate parameters has no effect without a capability that is not given."""
    for name, setting in given_of(names, MIGRATE_PARAMETERS):
        if lacking := [need for need in setting.needs if need not in capabilities]:
            together = ",".join((*capabilities, *lacking))
            raise UsageError(
                f"migrate parameter {name} {setting.meaning}, and does nothing without the capability "
                f"{' and '.join(lacking)}; give capabilities={together}, or leave it out"
            )
