# SPDX-License-Identifier: GPL-2.0-or-later
"""Records how long the destination's vCPUs wait for pages in postcopy: QEMU's figures, and how long the vCPUs slept."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ..agent.look import threads
from ..host.threads import awake, waits_in
from ..qemu.pair import Pair
from ..record.own_migration import OwnMigrationSampler
from ..trace.events import AWAKE, BLOCKTIME
from ..trace.sample import ENDED
from .looking import looking

CAPABILITY = "postcopy-blocktime"
"""The capability that makes the destination report these times."""
_LOOK_S = 0.01
_WAITS_FOR_A_PAGE = "handle_userfault"
"""The kernel function in which a thread sleeps until its page comes (fs/userfaultfd.c)."""
_FIGURES = ("postcopy-blocktime", "postcopy-vcpu-blocktime")


@asynccontextmanager
async def blocktime_recorded(pair: Pair, sampler: OwnMigrationSampler) -> AsyncIterator[None]:
    """Note often how long the destination's vCPUs are awake, until it has all of the guest; then note its own figures.

    If the destination is on another host, its vCPUs are not watched.
    """
    destination = pair.destination
    is_here = not pair.sides[1].place.name
    cpus = await destination.execute("query-cpus-fast")
    vcpus = [cpu["thread-id"] for cpu in sorted(cpus, key=lambda cpu: int(cpu["cpu-index"]))]
    waits = _Waits(destination.pid, vcpus)

    async def look() -> None:
        if is_here and (data := waits.look()):
            sampler.note(AWAKE, data)

    async with looking(look, _LOOK_S):
        yield
        while (answer := await destination.execute("query-migrate")).get("status") not in ENDED:
            await asyncio.sleep(_LOOK_S)
    ram = (await pair.source.execute("query-migrate")).get("ram", {})
    figures = {name: answer[name] for name in _FIGURES if name in answer}
    sampler.note(BLOCKTIME, {**figures, "requests": ram.get("postcopy-requests")})


class _Waits:
    """How long threads of a process are awake."""

    def __init__(self, pid: int, vcpus: list[int]) -> None:
        self._pid, self._vcpus = pid, vcpus
        self._queued_s: dict[int, float] = {}
        self._all_queued_s, self._to_s = 0.0, time.time()

    def look(self) -> dict[str, Any] | None:
        """The data of a note; None if a vCPU has ended, or if the kernel does not count."""
        from_s = time.time()
        waiting = [number for number, it in enumerate(self._vcpus) if waits_in(self._pid, it) == _WAITS_FOR_A_PAGE]
        awake_times = [awake(self._pid, thread) for thread in self._vcpus]
        to_s = time.time()
        for thread in threads(self._pid):
            if thread not in self._vcpus and (other := awake(self._pid, thread)):
                # A new thread's figure may cover the whole time since the last look.
                late_s = other.queued_s - self._queued_s.get(thread, 0.0)
                self._all_queued_s += min(late_s, to_s - self._to_s)
                self._queued_s[thread] = other.queued_s
        self._to_s = to_s
        if None in awake_times:
            return None
        return {
            "from_s": from_s,
            "to_s": to_s,
            "vcpus_s": [round(sum(one), 9) for one in awake_times if one],
            "waiting": waiting,
            "others_queued_s": round(self._all_queued_s, 6),
        }
