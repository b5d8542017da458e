# SPDX-License-Identifier: GPL-2.0-or-later
"""How long is the guest really down if it is stopped now? Stop it in mid-pass, and measure."""

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
"""The test's default parameters."""
SOUNDINGS = (1 / 8, 1 / 3, 2 / 3, 1.0)
"""The lengths of the passes that measure how much the guest dirties in a given time, as shares of a usual pass."""
_FAST_WINDOWS = 2
"""A pass is shortened by sending its first part within this many windows of QEMU's rate limit."""
_SHRINKING = 0.9
"""If each pass is at most this share of the previous one, passes already differ in length."""


async def stop_now(parameters: Parameters, directory: Path, progress: Callable[[str], None]) -> Verdict:
    """Watch `passes` passes, stop the guest when the share `stop_at` of the next is sent, and wait until all is sent.

    If passes are all alike, some of other lengths come before the last, by another max-bandwidth: they show how much
    the guest dirties over time. For the rest see `run.run_and_judge`.
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
    """How long the current pass will last in ms; 0 if passes shrink, or if it is unknown."""
    precopy = observe(run.evidence())
    if precopy is None or not precopy.wire_bytes_per_ms:
        return 0.0
    last = precopy.syncs[-1]
    usual_ms = last.at_sync_bytes.middle / precopy.wire_bytes_per_ms
    return usual_ms if usual_ms > _SHRINKING * last.length_ms else 0.0


async def _sound(run: Run, under_way: "_PassUnderWay", usual_ms: float) -> bool:
    """Run a pass of each length; return whether the migration is active, at its own bandwidth and in a new pass."""
    own = run.parameters.bytes_per_s / 1000
    for share in SOUNDINGS:
        ram, length_ms = under_way.ram, share * usual_ms
        assert ram is not None
        run.stage.say(f"a pass of {length_ms:.0f} ms, to see how much is dirtied meanwhile")
        if ram.remaining_bytes / own < length_ms:
            await run.send_at(ram.remaining_bytes / length_ms, SOUNDING)
        else:
            # The last part is sent at the usual bandwidth: at a higher one, the following passes would be over at once.
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
    """Whether at most `bytes_left` of a pass are left, or it is over."""

    def __init__(self, number: int, bytes_left: float) -> None:
        self._number = number
        self._bytes_left = bytes_left

    def __call__(self, sample: Sample) -> bool:
        ram = sample.ram
        return ram is not None and (ram.dirty_sync_count > self._number or ram.remaining_bytes <= self._bytes_left)


class _PassUnderWay:
    """Whether a pass has begun, and enough of it was seen; `ram` is the latest sample of it."""

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
    """Whether the current pass has lasted for `share` of its expected time at this bandwidth.

    It goes by the clock, not by what is left: that falls in bursts, and a guest that is always stopped just after a
    burst waits longer than others for the next one.
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
