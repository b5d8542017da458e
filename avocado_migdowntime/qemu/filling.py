# SPDX-License-Identifier: GPL-2.0-or-later
"""The hugepages of a guest's RAM, made while the guest begins to run.

The kernel promises them to a QEMU as it maps them, and makes each when it is first touched. QEMU's own `prealloc` has
all of them made before anything else is done, which takes more than a second where the host's memory is itself made on
demand, as that of many a virtual machine.
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
"""Between so many it is seen whether they are wanted still."""


Fill = Callable[[threading.Event], Coroutine[Any, Any, None]]
"""Has the hugepages of one QEMU made, until it is over."""


@asynccontextmanager
async def filling(fills: Sequence[Fill]) -> AsyncIterator[asyncio.Task[None]]:
    """Make hugepages by these `fills`; yields a task that is done when all are made.

    On leaving, nobody makes any more. The task raises HostRequirementError if the host lacks them; a QEMU would die.
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
    """Make those of a QEMU on this host; raises HostRequirementError if the host lacks them."""
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
