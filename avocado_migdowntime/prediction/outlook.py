# SPDX-License-Identifier: GPL-2.0-or-later
"""When a migration that goes on is expected to end under a downtime-limit, and how long the guest will be down then."""

from dataclasses import dataclass

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..oracle.evidence import Evidence
from ..oracle.passes import Pass
from .observed import ObservedPrecopy, observe
from .precopy import Course, Pending, predict

ENDING = frozenset({"auto-converge", "dirty-limit", "postcopy-ram"})
"""Capabilities by which a migration may end that would not by itself: the guest is slowed, or goes over first."""


@dataclass(frozen=True)
class Outlook:
    """What a downtime-limit does to a migration from now on.

    `converges` is True or False where that is sure for a steady guest, else None; `likely` is the better guess. The
    times are likely ones, None where it does not end: `in_ms` is until the guest is stopped, `down_ms` what it takes
    then to send the rest at the bandwidth of now. The guest is down for less where max-bandwidth holds QEMU back, as
    that is lifted, and for more where devices have much to send.
    """

    limit_ms: float
    converges: bool | None
    likely: bool
    in_ms: float | None = None
    down_ms: float | None = None


def outlook(learnt: Evidence, limit_ms: float, under_way: Pass) -> Outlook | None:
    """What this limit does if it holds from the end of the pass `under_way` on, by how the guest dirtied in `learnt`.

    None where that is open. That it does not end is never sure where it is not known which capabilities are on, nor of
    a limit that is less than the window of 100 ms in which QEMU sends.
    """
    precopy = observe(learnt.undisturbed)
    if precopy is None or precopy.doubt or not precopy.wire_bytes_per_ms:
        return None
    curve, trace = precopy.curve, learnt.trace
    to_go_ms, likely = _course(precopy, curve.likely_pending, limit_ms, under_way)
    if not likely.converges:
        if not ENDING.isdisjoint(trace.capabilities):
            return None
        _, least = _course(precopy, curve.least_in_bursts, limit_ms, under_way)
        never = not least.converges and "capabilities" in trace.header and limit_ms >= BUFFER_DELAY_MS
        return Outlook(limit_ms, False if never else None, False)
    _, most = _course(precopy, curve.most_pending, limit_ms, under_way)
    return Outlook(
        limit_ms,
        True if most.converges else None,
        True,
        in_ms=to_go_ms + likely.duration_ms,
        down_ms=likely.left_bytes / precopy.wire_bytes_per_ms,
    )


def _course(precopy: ObservedPrecopy, pending: Pending, limit_ms: float, under_way: Pass) -> tuple[float, Course]:
    """How long the pass goes on until what is left of it fits the limit, and the course from its end on."""
    remaining_bytes, elapsed_ms = under_way.last.remaining_bytes, (under_way.end_s - under_way.begin_s) * 1000
    wire, threshold = precopy.wire_bytes_per_ms, precopy.threshold_bytes_per_ms
    to_go_ms = max(0.0, remaining_bytes - limit_ms * threshold) / wire
    at_sync_bytes = pending(elapsed_ms + to_go_ms, max(0.0, remaining_bytes - to_go_ms * wire))
    return to_go_ms, predict(pending, wire, at_sync_bytes, limit_ms, threshold)
