# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts a QEMU once with the guest of a run: a QEMU without its firmware answers queries, but does not start."""

import os
from dataclasses import replace
from pathlib import Path

from ..basics.resources import directory as resource
from ..host.netns import NoNetwork
from ..host.resources import HostResources
from ..parameters.table import Parameters
from .backing import plan
from .launching import HERE
from .planning import planned_guest
from .probe import QemuInfo
from .process import QemuProcess


async def start(
    parameters: Parameters, qemu_info: QemuInfo, resources: HostResources, directory: Path, sockets: Path
) -> None:
    """Start the run's machine once, under TCG and on the host's base pages, and end it.

    Raises HarnessError with QEMU's last words if it ends by itself, UsageError for a machine that it does not have.
    """
    simplest = replace(
        parameters,
        arch=qemu_info.arch,
        guest="dirtier",
        guest_page_size=None,
        backing="anonymous",
        page_size=os.sysconf("SC_PAGE_SIZE"),
    )
    backing = plan(simplest.backing, simplest.page_size, simplest.ram)
    guest = await planned_guest(simplest, qemu_info, backing, resources, lambda _: None)
    arguments = (*qemu_info.confinement(HERE), *guest.arguments(resource("images")), "-S")
    async with QemuProcess("trial", qemu_info.binary, arguments, directory, sockets, NoNetwork()):
        pass
