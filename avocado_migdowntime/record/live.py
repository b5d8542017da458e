# SPDX-License-Identifier: GPL-2.0-or-later
"""Following a migration over the QMP socket of its source, or through libvirt."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, closing

from ..errors import HarnessError, UsageError
from ..oracle.evidence import Evidence
from ..oracle.throttle import PARAMETERS, TAILSLOW, TRIGGER
from ..trace.events import CAP_CHANGED, DIVISOR_CHANGED, LIMIT_CHANGED, THROTTLE_CHANGED
from ..trace.model import TRACKED, Trace, checked_header
from ..trace.sample import Sample
from ..trace.samples import Samples
from .attached import AttachedQemu
from .libvirt_guest import LibvirtGuest
from .new_trace import NewTrace, Show, runs
from .observed_qemu import ConnectionGone, ObservedQemu
from .sampler import Sampler

_LOOK_AGAIN_S = 0.02
_LOOKS_APART = 0.9
"""The share of a sample's period after which the parameters are queried again."""
_FOLLOWED = {
    "downtime-limit": LIMIT_CHANGED,
    "max-bandwidth": CAP_CHANGED,
    "avail-switchover-bandwidth": DIVISOR_CHANGED,
    **dict.fromkeys((*PARAMETERS, TAILSLOW, TRIGGER), THROTTLE_CHANGED),
}
"""The parameters whose changes are recorded, with the events' names."""
_ANSWER_S = 5.0
"""How long an answer may take beyond the time that a migration may take to begin."""


def qemu_at(source: str, guest: str | None, say: Callable[[str], None]) -> ObservedQemu:
    """The QEMU at `source`: a QMP socket's path, HOST:PORT, or a URI of libvirt's with its `guest`."""
    return LibvirtGuest(source, guest or "", say) if "://" in source else AttachedQemu(source, say)


async def follow(
    observed_qemu: ObservedQemu,
    new_trace: NewTrace,
    rate_hz: float,
    wait_s: float,
    say: Callable[[str], None],
    show: Show,
) -> None:
    """Follow the migration of a QEMU until it has ended; it must begin within `wait_s`.

    `show` gets each sample; `say` gets a line a second while nothing migrates, and one every two seconds while the QEMU
    answers nothing. Raises UsageError if there is no such migration, ConnectionGone if the QEMU is gone; what was
    recorded until then is kept.
    """
    async with observed_qemu as qemu:
        try:
            async with asyncio.timeout(wait_s + _ANSWER_S):
                await _wait_for_begin(qemu, wait_s, say)
        except TimeoutError:
            raise UsageError(
                f"the QEMU at {qemu.name} {qemu.silence()}, so no migration was seen within {wait_s:g} s; check "
                "whether it is stopped or hangs, or use a larger --wait"
            ) from None
        with closing(new_trace):
            header = {**await qemu.header(), **(await qemu.details() if new_trace.file is not None else {})}
            header[TRACKED] = list(_FOLLOWED)
            try:
                checked_header(header)
            except UsageError as error:
                raise HarnessError(
                    f"what the QEMU at {qemu.name} says of itself differs from QEMU's documentation: {error}; use "
                    "another QEMU, 5.2 or later"
                ) from None
            async with (
                Sampler(qemu, new_trace.open(header), rate_hz, qemu.announcing) as sampler,
                aclosing(sampler.answered_samples()) as samples,
            ):
                in_force, since_s = {name: header["migrate-parameters"].get(name) for name in _FOLLOWED}, 0.0
                async for sample, _ in samples:
                    new_trace.count(sample)
                    show(sample)
                    looked_s = sampler.now_s()
                    if looked_s < since_s + _LOOKS_APART / rate_hz and not new_trace.ended:
                        continue  # Samples are dense: a query after each would only delay the next one.
                    try:
                        now = await qemu.execute("query-migrate-parameters")
                    except ConnectionGone:
                        continue  # query-migrate shows how the migration ended.
                    for name, event in _FOLLOWED.items():
                        if name in now and now[name] != in_force[name]:
                            in_force[name] = now[name]
                            sampler.note(event, {name: now[name], "since": round(since_s, 6)})
                    since_s = looked_s


async def look(observed_qemu: ObservedQemu) -> Evidence:
    """One sample of a QEMU; raises UsageError if it does not migrate."""
    async with observed_qemu as qemu:
        header = await qemu.header()
        sample = Sample.from_query(0.0, 0.0, await qemu.execute("query-migrate"))
        if sample.status == "none":
            raise UsageError(f"no migration is running on {qemu.name}; start it, or watch without --once")
        return Evidence.of(Trace(Samples.of([sample]), header=header, snapshot=True))


async def _wait_for_begin(qemu: ObservedQemu, wait_s: float, say: Callable[[str], None]) -> None:
    if (await qemu.execute("query-status"))["status"] == "inmigrate":
        raise UsageError(
            f"the QEMU at {qemu.name} is a destination, which computes no expected downtime; give the source"
        )
    began_s = told_s = time.monotonic()
    while not runs(status := (await qemu.execute("query-migrate")).get("status", "none")):
        now_s = time.monotonic()
        before = "" if status == "none" else f"the last migration on {qemu.name} has status {status}; "
        if now_s > began_s + wait_s:
            raise UsageError(
                f"{before}no migration was running on {qemu.name} within {wait_s:g} s; start one, or use a larger "
                "--wait"
            )
        if now_s > told_s + 1:
            told_s = now_s
            say(f"{before}waiting for a migration to begin, {now_s - began_s:.0f} s so far")
        await asyncio.sleep(_LOOK_AGAIN_S)
