# SPDX-License-Identifier: GPL-2.0-or-later
"""Which downtime-limit lets a migration finish, and what helps if none does.

QEMU compares what is pending at a dirty sync with downtime-limit × bandwidth. So the limit to set is what the next sync
finds ÷ bandwidth. `max-bandwidth` affects both, but QEMU lifts it once the guest is stopped, so the downtime is
shorter.
"""

from dataclasses import replace
from math import ceil, floor, isfinite

from ..basics.interval import Interval
from ..oracle.evidence import Evidence
from ..oracle.last_look import last_look
from ..oracle.last_sync import WITHOUT, how_it_switched_over
from ..oracle.standing import standing
from ..trace.model import GONE, Trace
from ..trace.ram import STALLED_S
from .advice import POSTCOPY, Advice, Finding, Help
from .doubts import UNEVEN, doubt_of
from .from_a_look import advise_from_a_look, why_stopped
from .helping import bandwidth_needed
from .narrowing import SHARP
from .observed import PAUSE_S, ObservedPrecopy, observe
from .running import advise_running

_ANOTHER_DIVISOR = (
    "avail-switchover-bandwidth was set meanwhile, so QEMU may multiply the downtime-limit by another bandwidth since: "
    "record it again"
)
_WITHOUT_A_SYNC = "the migration completed without a last sync, so it does not show which downtime-limit is enough"


def advise(recorded: Trace | Evidence) -> Advice:
    """The downtime-limit to set for the recorded migration, or why there is none, and what helps instead."""
    evidence = Evidence.of(recorded)
    trace = evidence.trace
    if evidence.status == "none":
        advice = Advice(Finding.UNKNOWN, reasons=tuple(dict.fromkeys((GONE, *trace.notes))))
    elif trace.snapshot or trace.no_precopy or trace.doubt:
        advice = advise_from_a_look(evidence)
        advice = replace(advice, reasons=(*advice.reasons, *trace.notes))
    else:
        advice = _with_all_that_was_needed(evidence, _advise(evidence))
        failure = evidence.failure
        ended = (failure,) if failure and not any(reason.startswith(failure) for reason in advice.reasons) else ()
        advice = replace(advice, reasons=(*advice.reasons, *ended, *trace.notes))
    return replace(advice, configured_ms=evidence.set_limit_ms, subject=trace.subject)


def _advise(whole: Evidence) -> Advice:
    evidence, last = whole.latest, whole.until_its_last_look
    status, limit_ms = evidence.status, evidence.last_limit_ms
    look = last_look(last)
    now = standing(look)
    if now is not None and now.code in ("postcopy", "disk"):
        finding = Finding.NONE if now.code == "disk" else Finding.UNKNOWN
        return Advice(finding, reasons=(now.sentence,))
    if whole.trace.is_stopped and not (now is not None and now.code == "stalled"):
        return Advice(Finding.UNKNOWN, reasons=(why_stopped(whole.trace),))
    if isfinite(whole.divisor_changed_s) and not whole.came_to_an_end:
        return Advice(Finding.UNKNOWN, reasons=(_ANOTHER_DIVISOR,))
    if whole.is_changed_from_the_start and evidence is whole.undisturbed:
        reason = "the migration was changed before the first sample, so it is unknown what it needed until then"
        return Advice(Finding.UNKNOWN, reasons=(reason,))
    precopy = observe(evidence)
    if precopy is None and whole.came_to_an_end and evidence is not whole:
        assert now is not None
        return Advice(Finding.UNKNOWN, reasons=(now.sentence,))
    if how_it_switched_over(whole) == WITHOUT:
        return Advice(Finding.UNKNOWN, syncs_seen=len(precopy.syncs) if precopy else 0, reasons=(_WITHOUT_A_SYNC,))
    if status == "completed" and limit_ms is not None:
        return _advise_completed(precopy, ceil(limit_ms))
    if status == "completed" and now is not None:
        shown_ms = whole.trace.downtime_limit_ms
        reason = "the downtime-limit under which it completed is not known"
        if shown_ms is not None:
            reason = f"the text shows a downtime-limit of {shown_ms:.10g} ms, but it may have been changed later"
        return Advice(Finding.UNKNOWN, syncs_seen=len(precopy.syncs) if precopy else 0, reasons=(now.sentence, reason))
    if precopy is None:
        looked = advise_from_a_look(last)
        if now is not None and now.code in ("ended", "stalled"):
            return looked
        few = _too_little(last)
        has_finding = looked.finding is not Finding.UNKNOWN
        return replace(looked, reasons=(*looked.reasons, few) if has_finding else (few, *looked.reasons))
    precopy = replace(precopy, still_s=max(precopy.still_s, look.still_s))
    if not precopy.wire_bytes_per_ms and precopy.remaining_bytes and not precopy.still_s > STALLED_S:
        reason = "the throughput is 0: QEMU has measured nothing yet, or sends nothing now"
        return Advice(Finding.UNKNOWN, syncs_seen=len(precopy.syncs), reasons=(reason,))
    if not precopy.wire_bytes_per_ms and not precopy.remaining_bytes:
        reason = "QEMU sends nothing, and nothing is left to send: any downtime-limit is enough"
        any_ms = Interval(1, 1)
        return Advice(Finding.FOUND, limit_ms=1, range_ms=any_ms, syncs_seen=len(precopy.syncs), reasons=(reason,))
    if not precopy.wire_bytes_per_ms:
        needed = Help(bandwidth_bytes_per_ms=bandwidth_needed(precopy))
        reason = "QEMU sends nothing, so no downtime-limit is large enough: check the network and max-bandwidth"
        return Advice(Finding.NONE, help=needed, syncs_seen=len(precopy.syncs), reasons=(reason, POSTCOPY))
    return _unless_doubtful(precopy, advise_running(precopy))


def _with_all_that_was_needed(whole: Evidence, advice: Advice) -> Advice:
    """Widen the range of `advice` by the limits that syncs needed after something in the migration was changed."""
    if advice.range_ms is None or whole.disturbed_s > float(whole.samples.t_s[-1]):
        return advice
    later = [sync for sync in whole.syncs if sync.after.begin_s > whole.disturbed_s]
    lows = [sync.at_sync_bytes.low / sync.bytes_per_ms.high for sync in later]
    highs = [UNEVEN * (1 + SHARP) * sync.at_sync_bytes.high / sync.bytes_per_ms.low for sync in later]
    low, high = min([advice.range_ms.low, *map(floor, lows)]), max([advice.range_ms.high, *map(ceil, highs)])
    return replace(advice, range_ms=Interval(low, high))


def _unless_doubtful(precopy: ObservedPrecopy, advice: Advice) -> Advice:
    """The advice, without its limit if too little is known for one; or without all that follows from a bandwidth if
    that is not known.
    """
    doubt = doubt_of(precopy)
    if not doubt:
        return advice
    if precopy.doubt:
        return Advice(Finding.UNKNOWN, syncs_seen=advice.syncs_seen, reasons=(doubt,))
    reasons = (doubt, *advice.reasons)
    return replace(advice, finding=Finding.UNKNOWN, limit_ms=None, steps_ms=(), help=Help(), down=None, reasons=reasons)


def _advise_completed(precopy: ObservedPrecopy | None, limit_ms: int) -> Advice:
    advice = Advice(
        Finding.FOUND,
        limit_ms=limit_ms,
        range_ms=Interval(limit_ms, limit_ms),
        reasons=(f"the migration completed with the downtime-limit of {limit_ms} ms",),
    )
    if precopy is None:
        return advice
    advice = replace(advice, syncs_seen=len(precopy.syncs))
    if not precopy.wire_bytes_per_ms or precopy.doubt:
        return advice
    running = advise_running(precopy)
    assert running.range_ms is not None
    range_ms = Interval(min(limit_ms, running.range_ms.low), max(limit_ms, running.range_ms.high))
    return replace(advice, range_ms=range_ms, best_point=running.best_point)


def _too_little(evidence: Evidence) -> str:
    passes = evidence.passes
    if not passes:
        return "no pass was seen: record while the migration is active"
    if len(passes) > 1:
        several = f"passes {passes[0].number} to {passes[-1].number}"
        return f"in {several} no sync was seen from both sides: take samples more often"
    look = last_look(evidence)
    left_ms = None if look.hardly_sent or look.still_s > PAUSE_S else look.left_ms
    wait = f", within {left_ms.middle / 1000:.1f} s," if left_ms is not None else ""
    following = "second" if passes[-1].number == 1 else "next"
    return (
        f"only pass {passes[-1].number} was seen; its end{wait} will show what the guest dirties: "
        f"record until the {following} pass"
    )
