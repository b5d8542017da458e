# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's migration capabilities, and what each of them makes of a precopy migration that is to be judged.

Source: qapi/migration.json (MigrationCapability) and migration/options.c (migrate_caps_check) of QEMU 5.2 to 11.1.
"""

from collections.abc import Collection, Mapping

from ..errors import UsageError
from .setting import Setting, given_of, only

_SOCKETS = ("unix", "tcp", "shaped", "vsock")
"""Links that are sockets: QEMU opens several of them, and is answered over them."""

DIRTY_LIMIT = "dirty-limit"
"""QEMU has to be started with a dirty ring for it."""

CAPABILITIES: Mapping[str, Setting] = {
    "auto-converge": Setting("slows the guest down step by step, and since 9.2 syncs in mid-pass after 5 s"),
    "block": Setting("sends disks; the guest has none; QEMU before 9.1"),
    "compress": Setting("sends compressed pages; QEMU before 9.1"),
    "dirty-bitmaps": Setting("sends bitmaps of disks; the guest has none"),
    "events": Setting("is on in each run"),
    "late-block-activate": Setting("is about disks; the guest has none"),
    "multifd": Setting(
        "sends pages over several connections; QEMU 9.0 and later count them when they go",
        settings={"link": (*_SOCKETS, "file")},
    ),
    "mapped-ram": Setting("writes each page to its own place in a file, since 9.0", settings={"link": ("file",)}),
    "pause-before-switchover": Setting("pauses before the switchover; the run lets it go on"),
    "postcopy-blocktime": Setting(
        "has the destination measure how long vCPUs wait for pages in postcopy, which is judged with integrity=no"
    ),
    "postcopy-ram": Setting(
        "allows for postcopy, by which the run ends with postcopy=yes or recovery", settings={"link": _SOCKETS}
    ),
    "postcopy-preempt": Setting("sends what postcopy is waited for by a connection of its own", ("postcopy-ram",)),
    "rdma-pin-all": Setting("is about RDMA, which no link here uses"),
    "release-ram": Setting("frees what postcopy has sent"),
    "return-path": Setting("has the destination answer the source", settings={"link": (*_SOCKETS, "fd")}),
    "switchover-ack": Setting("has the destination agree to the switchover", ("return-path",)),
    "validate-uuid": Setting("compares the guests' UUIDs"),
    "xbzrle": Setting("sends differences of pages"),
    "zero-blocks": Setting("is about disks; the guest has none; QEMU before 11.0"),
    "zero-copy-send": Setting("sends pages without copying them", ("multifd",), {"link": ("tcp", "shaped")}),
    "x-ignore-shared": Setting(
        "leaves shared memory out, in some releases that of memfd as well", settings={"backing": ("anonymous",)}
    ),
    "background-snapshot": only(
        "sends the guest's memory as it was when it began, and not what the guest writes meanwhile",
        "it is no precopy and has no expected downtime: leave it out",
    ),
    DIRTY_LIMIT: Setting(
        "slows each vCPU down to a rate of dirtying, by KVM's dirty ring, since 8.1", settings={"accel": ("kvm",)}
    ),
    "x-colo": only("goes on replicating the guest and never completes", "leave it out"),
}
"""By name. One that is not here is taken as it is: QEMU has it or refuses it."""


def check_together(names: Collection[str]) -> None:
    """Raise UsageError where with these capabilities no run can be judged."""
    for name, capability in given_of(names, CAPABILITIES):
        if lacking := [need for need in capability.needs if need not in names]:
            together = ",".join((*names, *lacking))
            raise UsageError(f"{name} needs {' and '.join(lacking)}; give {together}, or leave it out")
