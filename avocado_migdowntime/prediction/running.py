# SPDX-License-Identifier: GPL-2.0-or-later
"""The downtime-limit to set for a migration that goes on as before."""

from collections.abc import Callable
from dataclasses import replace
from math import ceil, floor

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS, DEFAULT_DOWNTIME_LIMIT_MS, GREATEST_DOWNTIME_LIMIT_MS
from ..basics.units import rate_in_words
from ..oracle.passes import MIN_SAMPLES
from ..oracle.syncs import Sync
from .advice import BEYOND, POSTCOPY, STEP, Advice, BestPoint, Down, Finding, Help, megabytes
from .converging import predict, surely_never, what_may_end
from .dirty_curve import ALIKE, pending_bytes, unsent_bytes
from .doubts import UNEVEN, margin_of
from .helping import help_of
from .narrowing import SHARP
from .observed import ObservedPrecopy

TICK = 0.01
"""QEMU times the 100 ms windows of its bandwidth in whole ms, so a bandwidth may be off by 1 %."""
USUALLY = 0.05
"""The bandwidth is below the assumed one in at most this share of the windows."""
NOTABLE = 0.005
"""A margin below this share is not worth a sentence."""


def advise_running(precopy: ObservedPrecopy) -> Advice:
    """What to set, in which steps and with what consequences, however little is known."""
    bytes_per_ms, curve = precopy.threshold_bytes_per_ms, precopy.curve
    margin = margin_of(precopy)
    next_bytes = precopy.next_bytes(curve.likely_pending)
    most_bytes = precopy.next_bytes(curve.most_pending) * (1 + margin)
    # If a sync is known only within bounds, its upper bound is already taken.
    uneven = UNEVEN * precopy.syncs[-1].likely_bytes / (pending_bytes(precopy.syncs[-1]) or 1)
    limit_ms = _above_ms(min(next_bytes * max(1 + margin, uneven), most_bytes) * (1 + TICK), bytes_per_ms)
    most_ms = _above_ms(most_bytes * (1 + TICK), bytes_per_ms)
    least_ms = _least_ms(precopy)
    advice = Advice(
        Finding.FOUND,
        limit_ms=limit_ms,
        range_ms=Interval(
            min(floor(least_ms / (1 + TICK)) + 1, limit_ms),
            max(most_ms, ceil(UNEVEN * (1 + SHARP) * max(limit_ms, _most_ms(precopy)))),
        ),
        steps_ms=_steps(limit_ms, lambda ms: _may_do(precopy, ms)),
        best_point=min(map(_point_of, precopy.syncs), key=lambda point: point.limit_ms),
        help=help_of(precopy, next_bytes) if limit_ms > DEFAULT_DOWNTIME_LIMIT_MS and precopy.timed else Help(),
        down=_down(precopy, next_bytes),
        bandwidth_bytes_per_ms=bytes_per_ms,
        syncs_seen=len(precopy.syncs),
    )
    expectation = f"the next sync is expected to find {megabytes(next_bytes)} to send at {rate_in_words(bytes_per_ms)}"
    reasons = [expectation, *filter(None, [_cause(precopy)]), *_remarks(precopy, margin, next_bytes)]
    if limit_ms > GREATEST_DOWNTIME_LIMIT_MS:
        reasons[0] = expectation + BEYOND
        return replace(
            advice, finding=Finding.NONE, limit_ms=None, steps_ms=(), down=None, reasons=(*reasons, POSTCOPY)
        )
    return replace(advice, reasons=tuple(reasons))


def _least_ms(precopy: ObservedPrecopy) -> float:
    """The smallest limit that would have been enough at one of the syncs, with the greatest bandwidth seen."""
    greatest = precopy.bandwidth_quantile(1)
    # Count syncs next to passes of few samples as well: somebody may have seen only those.
    every = (*precopy.syncs, *precopy.evidence.syncs)
    least = min(sync.at_sync_bytes.low / max(sync.bytes_per_ms.high, greatest) for sync in every)
    # What the first pass left unsent may never be dirtied.
    return min(least, precopy.curve.asymptote_bytes / greatest) if precopy.is_first_alone else least


def _most_ms(precopy: ObservedPrecopy) -> float:
    """The smallest limit that would have been enough at every sync, except when the bandwidth was unusually low."""
    most_bytes = max(sync.at_sync_bytes.high for sync in precopy.syncs)
    return most_bytes / min(precopy.threshold_bytes_per_ms, precopy.bandwidth_quantile(USUALLY))


def _remarks(precopy: ObservedPrecopy, margin: float, next_bytes: float) -> list[str]:
    remarks = []
    if margin > NOTABLE:
        remarks.append(f"the passes differ, so the limit includes a margin of {margin:.1%}")
    if len(precopy.syncs) == 1:
        extent = "from end to end" if precopy.timed else "to its end, but not from its start"
        remarks.append(f"only one pass was seen {extent}, so it is unknown how much passes differ")
    if precopy.is_first_alone and (unsent := unsent_bytes(precopy.syncs[-1])) > NOTABLE * next_bytes:
        remarks.append(
            f"the first pass left {megabytes(unsent)} of that unsent; less may do if the guest dirties none of it"
        )
    return [*remarks, *filter(None, [_effect(precopy)])]


def _effect(precopy: ObservedPrecopy) -> str:
    """What the present downtime-limit does; '' if it is not known, or if the migration ended under another one."""
    evidence = precopy.evidence
    is_another = evidence.came_to_an_end and evidence.set_limit_ms != evidence.trace.downtime_limit_ms
    limit_ms = None if evidence.limit_ms is None or is_another else evidence.set_limit_ms
    if limit_ms is None:
        return ""
    limit, begin = f"the present downtime-limit of {limit_ms:.10g} ms", precopy.syncs[-1]
    effect = predict(precopy, limit_ms, begin)
    if effect.course.converges:
        return f"{limit} {'' if effect.converges else 'probably '}ends it"
    if others := what_may_end(evidence.trace):
        return f"{limit} probably never ends it, unless {' or '.join(others)} does"
    least = precopy.course(precopy.curve.least_in_bursts, limit_ms, begin)
    return f"{limit} {'' if surely_never(precopy, limit_ms, least) else 'probably '}never ends it"


def _down(precopy: ObservedPrecopy, next_bytes: float) -> Down:
    """How long the guest is down once a limit ends the migration."""
    wire = precopy.wire_bytes_per_ms
    return Down(next_bytes / wire, precopy.evidence.last_cap.limits(wire))


def _cause(precopy: ObservedPrecopy) -> str:
    """Why the migration goes on: the guest's dirtying compared with the bandwidth, over the last pass seen."""
    last = precopy.syncs[-1]
    if (
        last not in precopy.timed
        or last.before.number == 1
        or min(len(last.before.samples), len(last.after.samples)) < MIN_SAMPLES
    ):
        return ""
    dirtied = precopy.curve.likely(last.length_ms) / last.length_ms
    bandwidth = precopy.wire_bytes_per_ms
    word = (
        "slower than" if dirtied < bandwidth / ALIKE else "faster than" if dirtied > bandwidth * ALIKE else "as fast as"
    )
    shorter = "so passes get shorter" if dirtied < bandwidth / ALIKE else "so passes do not get shorter"
    pages = f"{rate_in_words(dirtied)} of pages over a pass of {last.length_ms / 1000:.1f} s"
    return f"the guest dirties memory {word} QEMU sends it, {pages}, {shorter}"


def _point_of(sync: Sync) -> BestPoint:
    """The limit with which QEMU would have switched over at this sync."""
    limit_ms = _above_ms(sync.at_sync_bytes.middle, sync.bytes_per_ms.middle)
    return BestPoint(sync.after.number, sync.after.begin_s, limit_ms)


def _above_ms(pending_bytes: float, bytes_per_ms: float) -> int:
    """The smallest whole limit that exceeds `pending_bytes`."""
    return floor(pending_bytes / bytes_per_ms) + 1


def _may_do(precopy: ObservedPrecopy, limit_ms: int) -> bool:
    """Whether this limit may be enough, as any may if no pass was seen from its start."""
    return not precopy.timed or precopy.course(precopy.curve.least_in_bursts, limit_ms, precopy.syncs[-1]).converges


def _steps(limit_ms: int, may_do: Callable[[int], bool]) -> tuple[int, ...]:
    """Limits up to this one, each STEP times the previous one. A limit STEP below the first cannot be enough, or is
    within one of QEMU's bursts.
    """
    steps = [limit_ms]
    while (less_ms := floor(steps[-1] / STEP)) > BUFFER_DELAY_MS and may_do(less_ms):
        steps.append(less_ms)
    return tuple(reversed(steps))
