# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors by which virsh tells, among the figures of a migration, that this is over.

Sources: src/qemu/qemu_migration.c (qemuMigrationJobCheckStatus), src/qemu/qemu_monitor.c, src/qemu/qemu_driver.c and
tools/virsh-domain.c of libvirt. Before 9.4 a job was called `migration out job`, once `migration job`; the oldest say
`Migration was cancelled by client`.
"""

import re

from ..trace.reading import Happening
from .form import Line

_PREFIX = "error: "
_JOB = r"(?:migration (?:out )?job|migration out|job 'migration out'|Migration was)"
_ENDS = {
    "cancelled": re.compile(rf"operation (?:aborted|failed): {_JOB}:? cancel(?:led|ed) by client"),
    "failed": re.compile(rf"operation failed: {_JOB}(?!\w)|internal error: qemu unexpectedly closed the monitor"),
    "none": re.compile(
        r"(?:Requested operation is not valid|operation failed): domain is (?:not|no longer) running"
        r"|Domain not found: no domain with matching|failed to get domain "
    ),
}
"""How a migration ended, as far as that is told; with `none`, the guest runs here no more."""


def ended_by(line: Line) -> Happening | None:
    """What an error of virsh's shows of a migration whose figures came before it; None if nothing."""
    if not line.text.startswith(_PREFIX):
        return None
    error = line.text.removeprefix(_PREFIX)
    status = next((status for status, pattern in _ENDS.items() if pattern.match(error)), None)
    return None if status is None else Happening({"event": "MIGRATION", "data": {"status": status}}, line.stamp)
