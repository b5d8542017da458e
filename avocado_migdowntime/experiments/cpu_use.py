# SPDX-License-Identifier: GPL-2.0-or-later
"""Recording how much CPU time both QEMUs take, beside a migration."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ..host.cpu_time import process_s, threads_s
from ..qemu.pair import Pair
from ..record.own_migration import OwnMigrationSampler
from ..trace.events import CPU
from .looking import looking

_LOOK_S = 0.25


@asynccontextmanager
async def cpu_recorded(pair: Pair, sampler: OwnMigrationSampler) -> AsyncIterator[None]:
    """Note what each QEMU on this host has had of its CPUs, four times a second and at both ends of the block."""
    here = {side.qemu.name: side.qemu for side in pair.sides if not side.place.name}
    if not here:
        yield
        return
    vcpus: dict[str, Sequence[int]] = {}
    for name, qemu in here.items():
        vcpus[name] = sorted({cpu["thread-id"] for cpu in await qemu.execute("query-cpus-fast")})

    def look() -> None:
        sampler.note(CPU, {name: _had(qemu.pid, vcpus[name]) for name, qemu in here.items()})

    async with looking(look, _LOOK_S):
        yield


def _had(pid: int, vcpus: Sequence[int]) -> dict[str, float]:
    seconds = {"qemu_s": process_s(pid), "vcpus_s": threads_s(pid, vcpus)}
    return {name: had_s for name, had_s in seconds.items() if had_s is not None}
