# SPDX-License-Identifier: GPL-2.0-or-later
"""The downtime of a guest that is stopped in mid-pass, and how close each estimator came.

After a `stop` QEMU sends what is left of the pass, and only then what had been dirtied since the sync; pages in both
are sent twice. So no figure of query-migrate is the answer, and neither is any formula of these alone.
"""

from dataclasses import dataclass

from ..oracle.evidence import Evidence
from ..oracle.formulas import FORMULAS
from ..oracle.passes import MIN_SAMPLES, ram_at
from ..oracle.syncs import Sync
from ..prediction.dirty_curve import DirtyingCurve, curve
from ..trace.events import HARNESS, STOP_NOW
from .check import Check, Outcome
from .codes import CODES, MID_PASS_STOP
from .downtime import apart_ms

STOPS_AT = "stops_at"
"""Header key of a trace whose harness was to stop the guest; its value is the share of a pass."""
REPORTED = "reported"
"""QEMU's own estimate."""
REST_AND_DIRTIED = "rest-and-dirtied"


@dataclass(frozen=True)
class Estimate:
    """An estimate made just before the stop; `error` is estimate ÷ truth - 1."""

    name: str
    ms: float
    error: float


@dataclass(frozen=True)
class GroundTruth:
    """The time from the stop until the guest could have continued at the destination, and its estimates.

    `in_pass` is the share of pass `number` that was sent by then. `dirty_ratio` is the guest's dirty rate (in the
    shortest pass seen) ÷ bandwidth. `rest_bytes` were left of the pass; `dirtied_bytes` were sent after them.
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
        return sorted(self.estimates, key=lambda estimate: abs(estimate.error))


@dataclass(frozen=True)
class MidPassStop:
    """The result of stopping the guest in mid-pass: the `truth`, or None if it is unknown, and the check."""

    truth: GroundTruth | None
    check: Check


def mid_pass_stop(evidence: Evidence) -> MidPassStop | None:
    """The result of stopping the guest in mid-pass; None if the test did not do that."""
    if STOPS_AT not in evidence.trace.header:
        return None
    truth = _truth(evidence)
    if isinstance(truth, GroundTruth):
        return MidPassStop(truth, Check(MID_PASS_STOP, Outcome.PASSED, "timed"))
    return MidPassStop(None, Check(MID_PASS_STOP, Outcome.UNDECIDED, truth, CODES[MID_PASS_STOP][truth]))


def rest_and_dirtied(
    dirtying: DirtyingCurve, remaining_bytes: float, since_sync_ms: float, bytes_per_ms: float
) -> float:
    """(bytes remaining now + bytes dirtied since the last sync) ÷ bandwidth, in milliseconds.

    QEMU learns only at the next sync what was dirtied; passes of other lengths show how much that is after a given
    time. It is sent after all that remains, so pages in both count twice.
    """
    return (remaining_bytes + dirtying.steady(since_sync_ms)) / bytes_per_ms


def _truth(evidence: Evidence) -> GroundTruth | str:
    """How long the guest was down, or the code of why that is unknown."""
    trace = evidence.trace
    stop = trace.switchover_stop
    ready = trace.first_event("destination", "MIGRATION", status="completed")
    if trace.first_event(HARNESS, STOP_NOW) is None or stop is None or ready is None:
        return "not-stopped"
    down = apart_ms(trace, stop, ready)
    if down is None:
        return "no-time-stamps"
    syncs = evidence.syncs
    if (
        not syncs
        or syncs[-1].after.number != evidence.passes[-1].number
        or len(evidence.passes[-1].samples) < MIN_SAMPLES
    ):
        return "too-little-seen"
    sync, final = syncs[-1], trace.samples[-1].ram
    before = ram_at(sync.after.samples, -1)
    bytes_per_ms = sync.switchover_bytes_per_ms or before.wire_bytes_per_ms
    if final is None or not bytes_per_ms:
        return "no-bandwidth"
    down_ms = down.middle
    dirtying = curve(syncs)
    estimates = _estimates(sync, dirtying, bytes_per_ms, (stop.t_s - sync.after.begin_s) * 1000)
    shortest = dirtying.groups[0]
    return GroundTruth(
        down_ms=down_ms,
        number=sync.after.number,
        in_pass=1 - before.remaining_bytes / sync.at_sync_bytes.middle,
        dirty_ratio=shortest.likely_bytes / shortest.duration_ms / bytes_per_ms,
        rest_bytes=before.remaining_bytes,
        dirtied_bytes=(final.sent_pages - before.sent_pages) * before.page_bytes - before.remaining_bytes,
        estimates=tuple(Estimate(name, ms, ms / down_ms - 1) for name, ms in estimates.items()),
    )


def _estimates(sync: Sync, dirtying: DirtyingCurve, bytes_per_ms: float, since_sync_ms: float) -> dict[str, float]:
    sample = sync.after.samples[-1]
    ram = ram_at(sync.after.samples, -1)
    return {
        REPORTED: sample.expected_downtime_ms or 0.0,
        **{name: formula(sync.at_sync_bytes.middle, ram, bytes_per_ms) for name, formula in FORMULAS.items()},
        REST_AND_DIRTIED: rest_and_dirtied(dirtying, ram.remaining_bytes, since_sync_ms, bytes_per_ms),
    }
