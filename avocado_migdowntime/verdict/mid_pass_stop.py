# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest that is stopped in mid-pass is down for, and what each estimator had made of it.

After a `stop` QEMU sends what is left of the pass, and only then what had been dirtied since the sync: pages that are
both go twice. So no figure of query-migrate is the answer, and neither is any formula of these alone.
"""

from dataclasses import dataclass

from ..oracle.formulas import FORMULAS
from ..oracle.passes import MIN_SAMPLES, Sync, passes, syncs
from ..prediction.dirty_curve import DirtyingCurve, curve
from ..trace.model import HARNESS, STOP_NOW, Ram, Trace

STOPS_AT = "stops_at"
"""Key of the header of a trace whose harness set out to stop the guest: at which share of a pass."""
REPORTED = "reported"
"""The estimate that QEMU itself gave."""
REST_AND_DIRTIED = "rest-and-dirtied"


@dataclass(frozen=True)
class Estimate:
    """What an estimator gave just before the stop; `error` is that ÷ the truth - 1."""

    name: str
    ms: float
    error: float


@dataclass(frozen=True)
class GroundTruth:
    """How long it took from the stop until the guest could have gone on at the destination, and the estimates of it.

    `in_pass` is the share of pass `number` that was sent by then; `dirty_ratio` is how fast the guest dirties (in the
    shortest pass seen) ÷ bandwidth. `rest_bytes` were left of the pass, `dirtied_bytes` went after them.
    """

    down_ms: float
    number: int
    in_pass: float
    dirty_ratio: float
    rest_bytes: int
    dirtied_bytes: int
    estimates: tuple[Estimate, ...]

    @property
    def ranked(self) -> list[Estimate]:
        """The estimates, the closest first."""
        return sorted(self.estimates, key=lambda one: abs(one.error))


def ground_truth(trace: Trace) -> tuple[GroundTruth | None, str]:
    """What was found when the guest was stopped in mid-pass, if it was, or else why not, if it was to be."""
    if STOPS_AT not in trace.header:
        return None, ""
    found = _found(trace)
    return (None, found) if isinstance(found, str) else (found, "")


def rest_and_dirtied(
    dirtying: DirtyingCurve, remaining_bytes: float, since_sync_ms: float, bytes_per_ms: float
) -> float:
    """(remaining now + what was dirtied since the last sync) ÷ bandwidth, milliseconds.

    QEMU learns of what was dirtied only at the next sync; passes of other lengths have told how much that is in how
    long. It comes on top of all that remains, as it is sent after that: it does not matter what is in both.
    """
    return (remaining_bytes + dirtying.steady(since_sync_ms)) / bytes_per_ms


def _found(trace: Trace) -> GroundTruth | str:
    stop = trace.switchover_stop
    ready = trace.first_event("destination", "MIGRATION", status="completed")
    if trace.first_event(HARNESS, STOP_NOW) is None or stop is None or ready is None:
        return "the guest was not stopped: the migration ended before"
    if stop.stamp_s is None or ready.stamp_s is None:
        return "the events of the stop and of the destination's end bear no time stamps"
    seen = passes(trace)
    found = syncs(trace, seen)
    if not found or found[-1].after is not seen[-1] or len(seen[-1].samples) < MIN_SAMPLES:
        return "too little was seen of the pass in which the guest was stopped, or of that before"
    before, final = _last(found[-1]), trace.samples[-1].ram
    bytes_per_ms = trace.bytes_per_ms(before)
    if final is None or not bytes_per_ms:
        return "the bandwidth before the stop, or what was sent after it, is not on record"
    down_ms = (ready.stamp_s - stop.stamp_s) * 1000
    dirtying = curve(found)
    estimates = _estimates(found[-1], dirtying, bytes_per_ms, (stop.t_s - seen[-1].samples[0].t_s) * 1000)
    shortest = dirtying.groups[0]
    return GroundTruth(
        down_ms=down_ms,
        number=seen[-1].number,
        in_pass=1 - before.remaining_bytes / found[-1].at_sync_bytes.middle,
        dirty_ratio=shortest.likely_bytes / shortest.duration_ms / bytes_per_ms,
        rest_bytes=before.remaining_bytes,
        dirtied_bytes=(final.sent_pages - before.sent_pages) * before.page_bytes - before.remaining_bytes,
        estimates=tuple(Estimate(name, ms, ms / down_ms - 1) for name, ms in estimates.items()),
    )


def _estimates(sync: Sync, dirtying: DirtyingCurve, bytes_per_ms: float, since_sync_ms: float) -> dict[str, float]:
    ram = _last(sync)
    return {
        REPORTED: sync.after.samples[-1].expected_downtime_ms or 0.0,
        **{name: formula(sync.at_sync_bytes.middle, ram, bytes_per_ms) for name, formula in FORMULAS.items()},
        REST_AND_DIRTIED: rest_and_dirtied(dirtying, ram.remaining_bytes, since_sync_ms, bytes_per_ms),
    }


def _last(sync: Sync) -> Ram:
    ram = sync.after.samples[-1].ram
    assert ram is not None
    return ram
