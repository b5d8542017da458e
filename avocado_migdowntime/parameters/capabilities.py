# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's migration capabilities, and how each affects a precopy migration that is to be judged.

Source: qapi/migration.json (MigrationCapability) and migration/options.c (migrate_caps_check) of QEMU 5.2 to 11.1.
"""

from collections.abc import Collection, Mapping

from ..basics.qemu_constants import NO_PRECOPY
from ..errors import UsageError
from .setting import Setting, given_of, only

_SOCKETS = ("unix", "tcp", "shaped", "vsock")
"""Links that are sockets: QEMU can open several of them, and gets answers over them."""

DIRTY_LIMIT = "dirty-limit"
"""QEMU must be started with a dirty ring for it."""

CAPABILITIES: Mapping[str, Setting] = {
    "auto-converge": Setting("slows the guest down step by step; since 9.2 it syncs in mid-pass after 5 s"),
    "block": Setting("migrates disks; the guest has none; QEMU before 9.1"),
    "compress": Setting("compresses pages; QEMU before 9.1"),
    "dirty-bitmaps": Setting("migrates dirty bitmaps of disks; the guest has none"),
    "events": Setting("is on in each run"),
    "late-block-activate": Setting("concerns disks; the guest has none"),
    "multifd": Setting(
        "sends pages over several connections; QEMU 9.0 and later count a page when they send it",
        settings={"link": (*_SOCKETS, "file")},
    ),
    "mapped-ram": Setting("writes each page to its own place in a file, since 9.0", settings={"link": ("file",)}),
    "pause-before-switchover": Setting("pauses before the switchover; the test continues it"),
    "postcopy-blocktime": Setting(
        "lets the destination measure how long vCPUs wait for pages in postcopy; judged with integrity=no"
    ),
    "postcopy-ram": Setting(
        "allows postcopy, with which the run ends if postcopy=yes or recovery", settings={"link": _SOCKETS}
    ),
    "postcopy-preempt": Setting("sends pages that postcopy waits for over a separate connection", ("postcopy-ram",)),
    "rdma-pin-all": Setting("concerns RDMA, which no link here uses"),
    "release-ram": Setting("frees pages on the source once postcopy has sent them"),
    "return-path": Setting("lets the destination answer the source", settings={"link": (*_SOCKETS, "fd")}),
    "switchover-ack": Setting("waits for the destination to agree to the switchover", ("return-path",)),
    "validate-uuid": Setting("compares the guests' UUIDs"),
    "xbzrle": Setting("sends only the differences of pages"),
    "zero-blocks": Setting("concerns disks; the guest has none; QEMU before 11.0"),
    "zero-copy-send": Setting(
        "sends pages without copying them", ("multifd",), {"link": ("tcp", "shaped"), "tls": ("none",)}
    ),
    "x-ignore-shared": Setting(
        "skips shared memory; some releases also skip memfd", settings={"backing": ("anonymous",)}
    ),
    "background-snapshot": only(NO_PRECOPY["background-snapshot"], "leave it out"),
    DIRTY_LIMIT: Setting(
        "limits the dirty rate of each vCPU through KVM's dirty ring, since 8.1", settings={"accel": ("kvm",)}
    ),
    "x-colo": only(NO_PRECOPY["x-colo"], "leave it out"),
}
"""By name. A capability that is not listed is passed on to a QEMU that has it."""


def check_together(names: Collection[str]) -> None:
    """Raise UsageError if no run can be judged with these capabilities."""
    for name, capability in given_of(names, CAPABILITIES):
        if lacking := [need for need in capability.needs if need not in names]:
            together = ",".join((*names, *lacking))
            raise UsageError(f"{name} needs {' and '.join(lacking)}; give {together}, or leave it out")
