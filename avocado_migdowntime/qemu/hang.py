# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether QEMUs still answer while something is done with them, also those that nothing else is asked of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ..errors import HarnessError
from .process import QemuProcess

_ASK_S = 1.0
"""A QEMU that nobody has asked for so long is asked how it is. A hung destination shows in no answer of the source."""
_BLAMED_S = 1.0
"""Of silence, for a run that is out of time. Any answer comes in milliseconds, or as soon as a lock is let go."""
_STOPPED_S = 30.0
"""Of silence by a QEMU that was stopped by a signal, until it is no longer waited for.

One that is not stopped is waited for as long as the run may take: it answers nothing while it sends what is left at the
switchover, which on a slow link can take minutes.
"""


class HangWatch:
    """Watches over QEMUs, and has found which of them does not answer when a run is ended for that or its time."""

    def __init__(self) -> None:
        self.silence: str | None = None

    @asynccontextmanager
    async def over(self, *qemus: QemuProcess) -> AsyncIterator[None]:
        """Watch while the block runs; raises HarnessError where a QEMU is stopped and stays so, or is out of reach."""
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
    with suppress(HarnessError):  # Its end is for the run to tell, which may be the one to end it.
        while True:
            await asyncio.sleep(_ASK_S)
            if qemu.qmp.idle_s() >= _ASK_S:
                await qemu.execute("query-status")


async def _give_up_when_stopped(qemus: tuple[QemuProcess, ...], patience: asyncio.Timeout) -> None:
    while not _loss(qemus) and not any(qemu.silence(_STOPPED_S) and qemu.is_stopped() for qemu in qemus):
        await asyncio.sleep(_ASK_S)
    patience.reschedule(asyncio.get_running_loop().time())


def _loss(qemus: tuple[QemuProcess, ...]) -> str:
    """Why one of them cannot be reached any more, if that is so."""
    return next(filter(None, (qemu.loss for qemu in qemus)), "")
