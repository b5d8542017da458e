# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's migration capabilities, and what each of them makes of a precopy migration that is to be judged.

Source: qapi/migration.json (MigrationCapability) and migration/options.c (migrate_caps_check) of QEMU 5.2 to 11.1.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ..errors import UsageError


@dataclass(frozen=True)
class Capability:
    """What a capability does to a run.

    `needs` are capabilities that have to be on as well, `settings` the values that other parameters have to have, by
    their names. `refused` says why a run with it cannot be judged, and what to do instead; it is empty where one can.
    """

    meaning: str
    needs: tuple[str, ...] = ()
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: str = ""

    def __str__(self) -> str:
        if self.refused:
            return f"refused: it {self.refused}"
        needs = [*self.needs, *(f"{name}={' or '.join(allowed)}" for name, allowed in self.settings.items())]
        return f"{self.meaning}; needs {' and '.join(needs)}" if needs else self.meaning


def _only(meaning: str, instead: str) -> Capability:
    return Capability(meaning, refused=f"{meaning}; {instead}")


CAPABILITIES: Mapping[str, Capability] = {
    "auto-converge": Capability("slows the guest down, and may sync in mid-pass"),
    "block": Capability("sends disks; the guest has none; QEMU before 9.1"),
    "compress": Capability("sends compressed pages; QEMU before 9.1"),
    "dirty-bitmaps": Capability("sends bitmaps of disks; the guest has none"),
    "events": Capability("is on in each run"),
    "late-block-activate": Capability("is about disks; the guest has none"),
    "multifd": Capability(
        "sends pages over several connections, which newer releases count ahead; short passes may be inconclusive"
    ),
    "pause-before-switchover": Capability("pauses before the switchover; the run lets it go on"),
    "postcopy-blocktime": Capability("measures what postcopy waits for; the run ends in precopy"),
    "postcopy-ram": Capability("allows for postcopy, which the run does not start; inconclusive on 11.1"),
    "postcopy-preempt": Capability("is about postcopy, which the run does not start", ("postcopy-ram",)),
    "rdma-pin-all": Capability("is about RDMA, which no link here uses"),
    "release-ram": Capability("frees what postcopy has sent; the run ends in precopy"),
    "return-path": Capability("has the destination answer the source"),
    "switchover-ack": Capability("has the destination agree to the switchover", ("return-path",)),
    "validate-uuid": Capability("compares the guests' UUIDs"),
    "xbzrle": Capability("sends differences of pages"),
    "zero-blocks": Capability("is about disks; the guest has none; QEMU before 11.0"),
    "zero-copy-send": Capability("sends pages without copying them", ("multifd",), {"link": ("tcp", "shaped")}),
    "x-ignore-shared": Capability(
        "leaves shared memory out, in some releases that of memfd as well", settings={"backing": ("anonymous",)}
    ),
    "background-snapshot": _only(
        "sends the guest's memory as it was when it began, and not what the guest writes meanwhile",
        "it is no precopy and has no expected downtime: leave it out",
    ),
    "dirty-limit": _only(
        "slows the guest down by KVM's dirty ring, which no QEMU here is started with", "use auto-converge instead"
    ),
    "mapped-ram": _only(
        "writes each page to its own place in a file, and the migration here goes over a socket", "leave it out"
    ),
    "x-colo": _only("goes on replicating the guest and never completes", "leave it out"),
}
"""By name. One that is not here is taken as it is: QEMU has it or refuses it."""


def check_together(names: Collection[str]) -> None:
    """Raise UsageError where with these capabilities no run can be judged."""
    for name in names:
        capability = CAPABILITIES.get(name)
        if capability is None:
            continue
        if capability.refused:
            raise UsageError(f"{name} {capability.refused}")
        if lacking := [need for need in capability.needs if need not in names]:
            together = ",".join((*names, *lacking))
            raise UsageError(f"{name} needs {' and '.join(lacking)}; give {together}, or leave it out")


def check_settings(names: Collection[str], parameters: object) -> None:
    """Raise UsageError where a capability does not go with another of the `parameters`."""
    for name in names:
        capability = CAPABILITIES.get(name, Capability(""))
        for parameter, allowed in capability.settings.items():
            if (given := getattr(parameters, parameter)) not in allowed:
                raise UsageError(
                    f"capability {name} ({capability.meaning}) does not work with {parameter}={given}; "
                    f"use {parameter}={' or '.join(allowed)}, or leave the capability out"
                )
