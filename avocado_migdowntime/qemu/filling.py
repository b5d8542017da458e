# SPDX-License-Identifier: GPL-2.0-or-later
"""Allocates the hugepages of a guest's RAM while the guest starts to run.

The kernel reserves hugepages when QEMU maps them, but allocates each on first touch. QEMU's own `prealloc` allocates
all of them before it does anything else. That takes more than a second where the host's memory is itself allocated on
demand, as in many virtual machines.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ..basics.units import MIB, format_size
from ..errors import HarnessError, HostRequirementError
from .backing import Backing
from .guest_ram import backing_file
from .process import QemuProcess

_CHUNK_BYTES = 16 * MIB
"""After each chunk of this size, check whether the pages are still wanted."""


Fill = Callable[[threading.Event], Coroutine[Any, Any, None]]
"""Allocates the hugepages of one QEMU, until the event is set."""


@asynccontextmanager
async def filling(fills: Sequence[Fill]) -> AsyncIterator[asyncio.Task[None]]:
    """Allocate hugepages by these `fills`; yield a task that is done when all are allocated.

    On leaving, allocation stops. The task raises HostRequirementError if the host lacks pages: a QEMU that touched one
    would be killed.
    """
    over = threading.Event()
    tasks = [asyncio.create_task(fill(over)) for fill in fills]
    filled = asyncio.create_task(_all(tasks))
    try:
        yield filled
    except HarnessError:
        if filled.done():
            filled.result()
        raise
    finally:
        over.set()
        await asyncio.gather(filled, *tasks, return_exceptions=True)


async def _all(tasks: Sequence[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks)


async def fill_here(qemu: QemuProcess, backing: Backing, ram_bytes: int, over: threading.Event) -> None:
    """Allocate the hugepages of a QEMU on this host; raises HostRequirementError if the host lacks them."""
    if backing.hugepages_needed and backing.in_one_file:
        await asyncio.to_thread(_fill, qemu, backing, ram_bytes, over)


def _fill(qemu: QemuProcess, backing: Backing, ram_bytes: int, over: threading.Event) -> None:
    step = max(_CHUNK_BYTES, backing.page_size_bytes)
    file = backing_file(qemu, ram_bytes, os.O_RDWR)
    try:
        for offset in range(0, ram_bytes, step):
            if over.is_set():
                return
            os.posix_fallocate(file, offset, min(step, ram_bytes - offset))
    except OSError as error:
        size = format_size(backing.page_size_bytes)
        raise HostRequirementError(
            f"hugepages of {size} reserved for the {qemu.name} QEMU cannot be used ({error.strerror}); check whether "
            "a cgroup limits them"
        ) from None
    finally:
        os.close(file)
