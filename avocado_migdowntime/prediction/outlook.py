# SPDX-License-Identifier: GPL-2.0-or-later
"""When an active migration is expected to end under a downtime-limit, and the downtime then."""

from dataclasses import dataclass

from ..oracle.evidence import Evidence
from ..oracle.passes import Pass
from .converging import surely_never, what_may_end
from .observed import ObservedPrecopy, observe
from .precopy import Course, Pending, predict


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
    """The effect of this limit if it holds from the end of the pass `under_way` on, given the dirtying in `learnt`.

    None if open, as where a capability may end the migration, or where no pass was seen from its start.
    """
    precopy = None if learnt.trace.no_precopy or learnt.trace.doubt else observe(learnt.undisturbed)
    if precopy is None or not precopy.timed or precopy.doubt or not precopy.wire_bytes_per_ms:
        return None
    curve, trace = precopy.curve, learnt.trace
    to_go_ms, likely = _course(precopy, curve.likely_pending, limit_ms, under_way)
    if not likely.converges:
        if what_may_end(trace):
            return None
        _, least = _course(precopy, curve.least_in_bursts, limit_ms, under_way)
        return Outlook(limit_ms, False if surely_never(precopy, limit_ms, least) else None, False)
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
