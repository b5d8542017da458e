# SPDX-License-Identifier: GPL-2.0-or-later
"""Watches whether QEMUs still answer QMP while a run uses them, including those that the run asks nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ..errors import HarnessError
from .process import QemuProcess

_ASK_S = 1.0
"""A QEMU that was asked nothing for this long is asked for its status: the source's answers do not show that the
destination hangs.
"""
_BLAMED_S = 1.0
"""How long a QEMU must be silent to be blamed when a run is out of time. Answers take milliseconds, or come as soon as
QEMU releases a lock.
"""
_STOPPED_S = 30.0
"""How long a QEMU that was stopped by a signal is waited for.

A QEMU that is not stopped is waited for as long as the run may take: during the switchover it answers nothing while it
sends the remaining RAM, which can take minutes on a slow link.
"""


class HangWatch:
    """Watches QEMUs; when a run is ended or out of time, `silence` names the QEMUs that did not answer."""

    def __init__(self) -> None:
        self.silence: str | None = None

    @asynccontextmanager
    async def over(self, *qemus: QemuProcess) -> AsyncIterator[None]:
        """Watch while the block runs; raises HarnessError if a QEMU is and stays stopped, or cannot be reached."""
        try:
            async with asyncio.timeout(None) as patience:
                tasks = [asyncio.create_task(_ask_now_and_then(qemu)) for qemu in qemus]
                tasks += [asyncio.create_task(_give_up_when_stopped(qemus, patience))]
                try:
                    yield
                except asyncio.CancelledError:
                    self.silence = "; ".join(filter(None, (qemu.silence(_BLAMED_S) for qemu in qemus))) or None
                    raise
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        except TimeoutError:
            if not patience.expired():
                raise
            if loss := _loss(qemus):
                raise HarnessError(loss) from None
            raise HarnessError(f"{self.silence}; given up; end what stops it, or continue it with kill -CONT") from None


async def _ask_now_and_then(qemu: QemuProcess) -> None:
    with suppress(HarnessError):  # The run reports that a QEMU has ended; it may have ended it itself.
        while True:
            await asyncio.sleep(_ASK_S)
            if qemu.qmp.idle_s() >= _ASK_S:
                await qemu.execute("query-status")


async def _give_up_when_stopped(qemus: tuple[QemuProcess, ...], patience: asyncio.Timeout) -> None:
    while not _loss(qemus) and not any(qemu.silence(_STOPPED_S) and qemu.is_stopped() for qemu in qemus):
        await asyncio.sleep(_ASK_S)
    patience.reschedule(asyncio.get_running_loop().time())


def _loss(qemus: tuple[QemuProcess, ...]) -> str:
    """Why one of the QEMUs cannot be reached any more; empty if all can."""
    return next(filter(None, (qemu.loss for qemu in qemus)), "")
