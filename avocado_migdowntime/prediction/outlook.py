# SPDX-License-Identifier: GPL-2.0-or-later
"""When an active migration is expected to end under a downtime-limit, and the downtime then."""

from dataclasses import dataclass

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..oracle.evidence import Evidence
from ..oracle.passes import Pass
from .observed import ObservedPrecopy, observe
from .precopy import Course, Pending, predict

ENDING = frozenset({"auto-converge", "dirty-limit", "postcopy-ram"})
"""Capabilities that may end a migration that would not end by itself: they slow the guest, or move it first."""


@dataclass(frozen=True)
class Outlook:
    """The effect of a downtime-limit on a migration from now on.

    `converges` is True or False if that is certain for a steady guest, else None; `likely` is the better guess. The
    times are likely ones, None if the migration does not end: `in_ms` until the guest is stopped, `down_ms` to send the
    rest at the present bandwidth. The downtime is shorter if max-bandwidth limits QEMU, because that is lifted, and
    longer if devices have much to send.
    """

    limit_ms: float
    converges: bool | None
    likely: bool
    in_ms: float | None = None
    down_ms: float | None = None


def outlook(learnt: Evidence, limit_ms: float, under_way: Pass) -> Outlook | None:
    """The effect of this limit if it holds from the end of the pass `under_way` on, given the dirtying seen in
    `learnt`.

    None if open. It is never certain that the migration does not end if the capabilities are not known, or if the limit
    is below the 100 ms window in which QEMU sends.
    """
    precopy = None if learnt.trace.no_precopy or learnt.trace.doubt else observe(learnt.undisturbed)
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
    """How long the pass goes on until the rest fits the limit, and the course from its end on."""
    remaining_bytes, elapsed_ms = under_way.last.remaining_bytes, (under_way.end_s - under_way.begin_s) * 1000
    wire, threshold = precopy.wire_bytes_per_ms, precopy.threshold_bytes_per_ms
    to_go_ms = max(0.0, remaining_bytes - limit_ms * threshold) / wire
    at_sync_bytes = pending(elapsed_ms + to_go_ms, max(0.0, remaining_bytes - to_go_ms * wire))
    return to_go_ms, predict(pending, wire, at_sync_bytes, limit_ms, threshold)
