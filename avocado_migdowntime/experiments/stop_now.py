# SPDX-License-Identifier: GPL-2.0-or-later
"""How long is the guest really down if it is stopped now? Stop it in mid-pass, and time it."""

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..oracle.passes import MIN_SAMPLES
from ..parameters.table import Parameters
from ..prediction.observed import observe
from ..trace.events import SOUNDING
from ..trace.ram import Ram
from ..trace.sample import Sample
from ..verdict.mid_pass_stop import STOPS_AT
from ..verdict.verdict import Verdict
from .run import Run, run_and_judge

DEFAULTS = MappingProxyType({"region": "60M", "rate": "5000", "max_bandwidth": "20M"})
"""Parameters of the test where nobody gives others."""
SOUNDINGS = (1 / 8, 1 / 3, 2 / 3, 1.0)
"""The lengths of the passes that sound how much the guest dirties in how long, as shares of a usual one."""
_FAST_WINDOWS = 2
"""A pass is made shorter by sending its first part within so many windows of QEMU's rate limit."""
_SHRINKING = 0.9
"""Passes of which each lasts at most so much of the one before are of different lengths already."""


async def stop_now(parameters: Parameters, directory: Path, progress: Callable[[str], None]) -> Verdict:
    """Watch `passes` passes, stop the guest when `stop_at` of the next is sent, and wait until all is sent.

    Where passes are all alike, some of other lengths come before the last, by another max-bandwidth: they show how
    much the guest dirties in how long. For the rest see `run.run_and_judge`.
    """
    return await run_and_judge(parameters, directory, progress, _course, {STOPS_AT: parameters.stop_at})


async def _course(run: Run) -> None:
    under_way = _PassUnderWay(run.parameters.passes + 1)
    if not await run.follow(under_way):
        return
    if (usual_ms := _usual_ms(run)) and not await _sound(run, under_way, usual_ms):
        return
    if not await run.follow(_ShareSent(run.parameters.stop_at, run.parameters.bytes_per_s)):
        return
    run.stage.say(f"stopping the guest with {run.parameters.stop_at:.0%} of the pass sent")
    await run.arrival.stop_now()
    await run.follow(lambda _: False)


def _usual_ms(run: Run) -> float:
    """How long the pass that has begun will last, or 0 where passes shrink or nothing was seen of them."""
    precopy = observe(run.evidence())
    if precopy is None or not precopy.wire_bytes_per_ms:
        return 0.0
    last = precopy.syncs[-1]
    usual_ms = last.at_sync_bytes.middle / precopy.wire_bytes_per_ms
    return usual_ms if usual_ms > _SHRINKING * last.length_ms else 0.0


async def _sound(run: Run, under_way: "_PassUnderWay", usual_ms: float) -> bool:
    """Have a pass of each length; gives whether the migration goes on, at its own bandwidth and in a new pass."""
    own = run.parameters.bytes_per_s / 1000
    for share in SOUNDINGS:
        ram, length_ms = under_way.ram, share * usual_ms
        assert ram is not None
        run.stage.say(f"a pass of {length_ms:.0f} ms, to see how much is dirtied meanwhile")
        if ram.remaining_bytes / own < length_ms:
            await run.send_at(ram.remaining_bytes / length_ms, SOUNDING)
        else:
            # The last part goes at the usual bandwidth: at a higher one the passes that follow would be over at once.
            last_bytes = max(own * BUFFER_DELAY_MS, own * (length_ms - _FAST_WINDOWS * BUFFER_DELAY_MS))
            burst = max(0.0, ram.remaining_bytes - last_bytes) / _FAST_WINDOWS
            await run.send_at(max(own, burst / BUFFER_DELAY_MS), SOUNDING)
            if not await run.follow(_LittleLeft(ram.dirty_sync_count, last_bytes + burst / 4)):
                return False
            await run.send_at(own, SOUNDING)
        under_way = _PassUnderWay(ram.dirty_sync_count + 1)
        if not await run.follow(under_way):
            return False
    await run.send_at(own, SOUNDING)
    return True


class _LittleLeft:
    """Whether no more than so much of a pass is left, or it is over."""

    def __init__(self, number: int, bytes_left: float) -> None:
        self._number = number
        self._bytes_left = bytes_left

    def __call__(self, sample: Sample) -> bool:
        ram = sample.ram
        return ram is not None and (ram.dirty_sync_count > self._number or ram.remaining_bytes <= self._bytes_left)


class _PassUnderWay:
    """Whether a pass has begun, and enough of it was seen; `ram` is what was seen last."""

    def __init__(self, number: int) -> None:
        self.ram: Ram | None = None
        self._number = number
        self._samples = 0

    def __call__(self, sample: Sample) -> bool:
        if sample.ram is not None and sample.status == "active" and sample.ram.dirty_sync_count >= self._number:
            self.ram = sample.ram
            self._samples += 1
        return self._samples >= MIN_SAMPLES


class _ShareSent:
    """Whether the pass under way has lasted for so much of what it will at this bandwidth.

    Asked of the clock, not of what is left: that falls in bursts, and a guest that is always stopped just after one
    waits longer than others for the next.
    """

    def __init__(self, share: float, bytes_per_s: float) -> None:
        self._share = share
        self._bytes_per_s = bytes_per_s
        self._number = 0
        self._until_s = 0.0

    def __call__(self, sample: Sample) -> bool:
        ram = sample.ram
        if ram is None or sample.status != "active":
            return False
        if ram.dirty_sync_count != self._number:
            self._number = ram.dirty_sync_count
            self._until_s = sample.t_s + self._share * ram.remaining_bytes / self._bytes_per_s
        return sample.t_s >= self._until_s
