# SPDX-License-Identifier: GPL-2.0-or-later
"""Which downtime-limit lets a migration finish, and what helps where none does.

QEMU compares what is pending at a sync with downtime-limit × bandwidth, so the limit to set is what the next sync
finds ÷ bandwidth. `max-bandwidth` shapes both, and is lifted once the guest is stopped: the guest is down for less.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, floor, fsum, sqrt
from statistics import fmean

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS, DEFAULT_DOWNTIME_LIMIT_MS, GREATEST_DOWNTIME_LIMIT_MS
from ..errors import UsageError
from ..oracle.evidence import Evidence
from ..oracle.last_look import last_look
from ..oracle.passes import MIN_SAMPLES
from ..oracle.standing import standing
from ..oracle.syncs import Sync
from ..trace.model import Trace
from ..trace.ram import optional_number
from .advice import BEYOND, POSTCOPY, STEP, Advice, BestPoint, Down, Finding, Help, megabytes, rate_in_words
from .dirty_curve import ALIKE, length_ms, pending_bytes
from .from_a_look import advise_from_a_look
from .helping import bandwidth_needed, help_of
from .narrowing import SHARP, is_sharp
from .observed import STALLED_S, ObservedPrecopy, observe
from .precopy import Course

TICK = 0.01
"""QEMU times the windows of 100 ms that it takes its bandwidth from in whole ms: one may be taken for 1 % less."""
UNEVEN = 1.1
"""Where the curve leaves it open, a sync in mid-pass may find so much more: seen on 7.2 with a guest that sends 80 % of
its writes to 20 % of its pages.
"""
USUALLY = 0.05
"""In no more than this share of the windows is the bandwidth lower than is reckoned with."""
CAPPED = 0.9
"""Who sends at so much of max-bandwidth is held there by that."""
GREATEST_MARGIN = 0.5
"""Where passes differ by more than this share nothing is advised; less where a text does not tell what was changed."""
BEYOND_SEEN = 1.2
"""Where no limit is known, nothing is advised that is so many times what any sync was seen to find."""
NOTABLE = 0.005
"""A margin of less than this share is not worth a sentence."""
_STUDENT_80 = (1.376, 1.061, 0.978, 0.941, 0.920, 0.906, 0.896, 0.889, 0.883, 0.879)
"""What Student's t stays below in 80 of 100 cases, for 1, 2, … degrees of freedom: by the second sync that makes 96."""


@dataclass(frozen=True)
class ConvergencePrediction:
    """Whether a limit ends the migration: True or False where that is sure for a steady guest, else None.

    `course` is the likely one; it begins with the sync that began the pass `first_pass`.
    """

    converges: bool | None
    course: Course
    first_pass: int


def predict_convergence(recorded: Trace | Evidence, limit_ms: float) -> ConvergencePrediction:
    """Would the migration that was recorded have finished under this downtime-limit, from the first sync seen on?

    Raises UsageError where it does not show what to predict that from.
    """
    precopy = observe(Evidence.of(recorded).undisturbed)
    if precopy is None or not precopy.wire_bytes_per_ms:
        raise UsageError("shows no pass from end to end, or nothing was sent; record until the second pass")
    return _predict(precopy, limit_ms, precopy.syncs[0])


def advise(recorded: Trace | Evidence) -> Advice:
    """The downtime-limit to set for the migration that was recorded, or why there is none and what helps then."""
    evidence = Evidence.of(recorded)
    trace = evidence.trace
    if trace.snapshot:
        advice = advise_from_a_look(evidence)
        advice = replace(advice, reasons=(*advice.reasons, *trace.notes))
    else:
        advice = _with_all_that_was_needed(evidence, _advise(evidence))
        failure = evidence.failure
        ended = (failure,) if failure and not any(reason.startswith(failure) for reason in advice.reasons) else ()
        advice = replace(advice, reasons=(*advice.reasons, *ended, *trace.notes))
    return replace(advice, configured_ms=evidence.set_limit_ms, subject=trace.subject)


def _advise(whole: Evidence) -> Advice:
    evidence = whole.undisturbed
    status, limit_ms = evidence.status, evidence.last_limit_ms
    now = standing(last_look(evidence))
    if now is not None and now.code in ("postcopy", "disk"):
        finding = Finding.NONE if now.code == "disk" else Finding.UNKNOWN
        return Advice(finding, reasons=(now.sentence,))
    if whole.disturbed_s <= float(whole.samples.t_s[0]):
        reason = "something was changed before the first sample: what was needed until then was not seen"
        return Advice(Finding.UNKNOWN, reasons=(reason,))
    precopy = observe(evidence)
    if precopy is None and whole.came_to_an_end and evidence is not whole:
        ended = standing(last_look(whole))
        assert ended is not None
        return Advice(Finding.UNKNOWN, reasons=(ended.sentence,))
    if status == "completed" and limit_ms is not None:
        return _advise_completed(precopy, ceil(limit_ms))
    if status == "completed" and now is not None:
        shown_ms = whole.trace.downtime_limit_ms
        reason = "the downtime-limit under which it completed is not known"
        if shown_ms is not None:
            reason = f"the text shows a downtime-limit of {shown_ms:.10g} ms, which somebody may have changed since"
        return Advice(Finding.UNKNOWN, syncs_seen=len(precopy.syncs) if precopy else 0, reasons=(now.sentence, reason))
    if precopy is None:
        looked = advise_from_a_look(evidence)
        few = _too_little(evidence)
        known = looked.finding is not Finding.UNKNOWN
        return replace(looked, reasons=(*looked.reasons, few) if known else (few, *looked.reasons))
    if not precopy.wire_bytes_per_ms and precopy.remaining_bytes and not precopy.still_s > STALLED_S:
        reason = "a throughput of 0 is shown: nothing was measured yet, or nothing is sent now"
        return Advice(Finding.UNKNOWN, syncs_seen=len(precopy.syncs), reasons=(reason,))
    if not precopy.wire_bytes_per_ms and not precopy.remaining_bytes:
        reason = "nothing is sent and nothing is left to be sent: any downtime-limit will do"
        any_ms = Interval(1, 1)
        return Advice(Finding.FOUND, limit_ms=1, range_ms=any_ms, syncs_seen=len(precopy.syncs), reasons=(reason,))
    if not precopy.wire_bytes_per_ms:
        needed = Help(bandwidth_bytes_per_ms=bandwidth_needed(precopy))
        reason = "nothing is being sent, so no downtime-limit is large enough: look at the network and at max-bandwidth"
        return Advice(Finding.NONE, help=needed, syncs_seen=len(precopy.syncs), reasons=(reason, POSTCOPY))
    return _unless_doubtful(precopy, _advise_running(precopy))


def _with_all_that_was_needed(whole: Evidence, advice: Advice) -> Advice:
    """The advice, its range with what was needed at the syncs that came after something was changed."""
    if advice.range_ms is None or whole.disturbed_s > float(whole.samples.t_s[-1]):
        return advice
    later = [sync for sync in whole.syncs if sync.after.begin_s > whole.disturbed_s]
    lows = [sync.at_sync_bytes.low / sync.bytes_per_ms.high for sync in later]
    highs = [UNEVEN * (1 + SHARP) * sync.at_sync_bytes.high / sync.bytes_per_ms.low for sync in later]
    low, high = min([advice.range_ms.low, *map(floor, lows)]), max([advice.range_ms.high, *map(ceil, highs)])
    return replace(advice, range_ms=Interval(low, high))


def _unless_doubtful(precopy: ObservedPrecopy, advice: Advice) -> Advice:
    """The advice, but for its limit where too little is known for one."""
    doubt = precopy.doubt or _rough(precopy) or _uneven(precopy) or _beyond_all_seen(precopy)
    if not doubt:
        return advice
    reasons = (doubt, *advice.reasons)
    return replace(advice, finding=Finding.UNKNOWN, limit_ms=None, steps_ms=(), help=Help(), reasons=reasons)


def _uneven(precopy: ObservedPrecopy) -> str:
    """Why the passes differ too much to tell what the next will need, or ''."""
    margin = _margin(precopy)
    if margin > (UNEVEN - 1 if precopy.evidence.trace.readings else GREATEST_MARGIN):
        return f"the passes differ too much: the next may need up to {margin:.0%} more than is likely, or less"
    return ""


def _beyond_all_seen(precopy: ObservedPrecopy) -> str:
    """Why a text that shows no limit does not tell where passes end, or ''."""
    if not precopy.evidence.trace.readings or precopy.evidence.limit_ms is not None:
        return ""
    seen, likely = (
        max(sync.at_sync_bytes.high for sync in precopy.syncs),
        precopy.next_bytes(precopy.curve.likely_pending),
    )
    if likely <= BEYOND_SEEN * seen:
        return ""
    return (
        f"no sync found more than {megabytes(seen)}, and how much earlier passes may end is not known without the limit"
    )


def _rough(precopy: ObservedPrecopy) -> str:
    """Why what the syncs found is not known well enough, or ''."""
    decisive = [sync for sync in precopy.syncs if sync.before.number > 1] or precopy.syncs
    most = max(decisive, key=lambda sync: sync.at_sync_bytes.high)
    if is_sharp(most):
        return ""
    low, high = most.at_sync_bytes.low, most.at_sync_bytes.high
    return (
        f"the sync before pass {most.after.number} found {megabytes(low)} to {megabytes(high)}: more samples, or the "
        "downtime-limit that is set, would tell"
    )


def _advise_running(precopy: ObservedPrecopy) -> Advice:
    bytes_per_ms, curve = precopy.threshold_bytes_per_ms, precopy.curve
    margin = _margin(precopy)
    next_bytes = precopy.next_bytes(curve.likely_pending)
    most_bytes = precopy.next_bytes(curve.most_pending) * (1 + margin)
    # What is known of a sync within bounds is taken at its most already.
    uneven = UNEVEN * min(1.0, precopy.syncs[-1].likely_bytes / (pending_bytes(precopy.syncs[-1]) or 1))
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
        steps_ms=_steps(limit_ms, lambda ms: precopy.course(curve.least_in_bursts, ms, precopy.syncs[-1]).converges),
        best_point=min(map(_point, precopy.syncs), key=lambda point: point.limit_ms),
        help=help_of(precopy, next_bytes) if limit_ms > DEFAULT_DOWNTIME_LIMIT_MS and precopy.timed else Help(),
        down=_down(precopy, next_bytes),
        bandwidth_bytes_per_ms=bytes_per_ms,
        syncs_seen=len(precopy.syncs),
    )
    expectation = f"the next sync is expected to find {megabytes(next_bytes)} to send at {rate_in_words(bytes_per_ms)}"
    reasons = [expectation, *filter(None, [_cause(precopy)]), *_remarks(precopy, margin)]
    if limit_ms > GREATEST_DOWNTIME_LIMIT_MS:
        reasons[0] = expectation + BEYOND
        return replace(advice, finding=Finding.NONE, limit_ms=None, steps_ms=(), reasons=(*reasons, POSTCOPY))
    return replace(advice, reasons=tuple(reasons))


def _least_ms(precopy: ObservedPrecopy) -> float:
    """The least limit that would have done at one of the syncs, with the greatest bandwidth that was seen."""
    greatest = precopy.bandwidth_quantile(1)
    # Those beside passes of few samples count as well: somebody may have seen them alone.
    every = (*precopy.syncs, *precopy.evidence.syncs)
    return min(sync.at_sync_bytes.low / max(sync.bytes_per_ms.high, greatest) for sync in every)


def _most_ms(precopy: ObservedPrecopy) -> float:
    """The least limit that would have done at each of the syncs, but where the bandwidth was unusually low."""
    most_bytes = max(sync.at_sync_bytes.high for sync in precopy.syncs)
    return most_bytes / min(precopy.threshold_bytes_per_ms, precopy.bandwidth_quantile(USUALLY))


def _advise_completed(precopy: ObservedPrecopy | None, limit_ms: int) -> Advice:
    advice = Advice(
        Finding.FOUND,
        limit_ms=limit_ms,
        range_ms=Interval(limit_ms, limit_ms),
        reasons=(f"the migration completed with the downtime-limit of {limit_ms} ms that was set",),
    )
    if precopy is None:
        return advice
    best = min(map(_point, precopy.syncs), key=lambda point: point.limit_ms)
    range_ms = Interval(limit_ms, limit_ms)
    if precopy.wire_bytes_per_ms and not precopy.doubt:
        ran = _advise_running(precopy).range_ms
        assert ran is not None
        range_ms = Interval(min(limit_ms, ran.low), max(limit_ms, ran.high))
    return replace(advice, range_ms=range_ms, best_point=best, syncs_seen=len(precopy.syncs))


def _too_little(evidence: Evidence) -> str:
    passes = evidence.passes
    if not passes:
        return "no pass was seen: record while the migration is active"
    last = passes[-1].last
    wait = f", in {last.remaining_bytes / last.wire_bytes_per_ms / 1000:.1f} s or less" if last.mbps > 0 else ""
    return (
        f"only pass {passes[-1].number} was seen, and what the guest dirties shows when it ends{wait}: "
        "record until the second pass"
    )


def _remarks(precopy: ObservedPrecopy, margin: float) -> list[str]:
    remarks = []
    if margin > NOTABLE:
        remarks.append(f"the passes differ, so {margin:.1%} are added to what is expected")
    if len(precopy.syncs) == 1:
        seen = "from end to end" if precopy.timed else "to its end, but not from its start"
        remarks.append(f"only one pass was seen {seen}: how much passes differ is not known")
    limit_ms = precopy.evidence.limit_ms
    if limit_ms is not None:
        now = _predict(precopy, limit_ms, precopy.syncs[-1])
        word = "ends it" if now.course.converges else "never ends it"
        # QEMU looks once a window, so that passes may be shorter than is known of limits that are less.
        surely = now.converges is not None and (now.converges or limit_ms >= BUFFER_DELAY_MS)
        sure = "" if surely else "probably "
        remarks.append(f"the downtime-limit of {limit_ms:.10g} ms that is set {sure}{word}")
    return remarks


def _predict(precopy: ObservedPrecopy, limit_ms: float, begin: Sync) -> ConvergencePrediction:
    curve = precopy.curve
    least, most = (precopy.course(pending, limit_ms, begin) for pending in (curve.least_pending, curve.most_pending))
    sure = least.converges if least.converges == most.converges else None
    return ConvergencePrediction(sure, precopy.course(curve.likely_pending, limit_ms, begin), begin.after.number)


def _margin(precopy: ObservedPrecopy) -> float:
    """The share by which the next sync may find more than is likely, as it does not in 80 of 100 cases: Student's t."""
    shares = precopy.surprises
    freedom = len(shares) - 1
    if freedom < 1:
        return 0.0
    mean = fmean(shares)
    deviation = sqrt(fsum((share - mean) ** 2 for share in shares) / freedom)
    wide = _STUDENT_80[min(freedom, len(_STUDENT_80)) - 1] * sqrt(1 + 1 / len(shares))
    return max(0.0, mean + wide * deviation - 1)


def _down(precopy: ObservedPrecopy, next_bytes: float) -> Down:
    """How long the guest is down once a limit ends the migration."""
    cap = optional_number(precopy.evidence.trace.migrate_parameters, "max-bandwidth")
    binds = None if cap is None else bool(cap) and precopy.wire_bytes_per_ms * 1000 >= CAPPED * cap
    return Down(next_bytes / precopy.wire_bytes_per_ms, binds)


def _cause(precopy: ObservedPrecopy) -> str:
    """Why the migration goes on: how fast the guest dirties against how fast is sent, over the last pass seen."""
    last = precopy.syncs[-1]
    if (
        last not in precopy.timed
        or last.before.number == 1
        or min(len(last.before.samples), len(last.after.samples)) < MIN_SAMPLES
    ):
        return ""
    dirtied = precopy.curve.likely(length_ms(last)) / length_ms(last)
    sent = precopy.wire_bytes_per_ms
    word = "slower than" if dirtied < sent / ALIKE else "faster than" if dirtied > sent * ALIKE else "as fast as"
    shorter = "so that passes get shorter" if dirtied < sent / ALIKE else "so that passes do not get shorter"
    pages = f"{rate_in_words(dirtied)} of pages over a pass of {length_ms(last) / 1000:.1f} s"
    return f"the guest dirties memory {word} it is sent, {pages}, {shorter}"


def _point(sync: Sync) -> BestPoint:
    limit_ms = _above_ms(sync.at_sync_bytes.middle, sync.bytes_per_ms.middle)
    return BestPoint(sync.after.number, sync.after.begin_s, limit_ms)


def _above_ms(pending_bytes: float, bytes_per_ms: float) -> int:
    """The least whole limit that `pending_bytes` lie below."""
    return floor(pending_bytes / bytes_per_ms) + 1


def _steps(limit_ms: int, may_do: Callable[[int], bool]) -> tuple[int, ...]:
    """Limits up to this one, each STEP times the one before; what lies STEP below the first cannot do, or is no more
    than one of QEMU's bursts.
    """
    steps = [limit_ms]
    while (less_ms := floor(steps[-1] / STEP)) > BUFFER_DELAY_MS and may_do(less_ms):
        steps.append(less_ms)
    return tuple(reversed(steps))
