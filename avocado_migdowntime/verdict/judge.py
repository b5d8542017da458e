# SPDX-License-Identifier: GPL-2.0-or-later
"""From a Trace to a Verdict: is the reported expected-downtime what the contract says?"""

from collections.abc import Sequence
from statistics import median

from ..basics.interval import Interval
from ..errors import UsageError
from ..oracle.fit import fit_passes
from ..oracle.formulas import FORMULAS
from ..oracle.passes import MIN_SAMPLES, Pass, Sync, passes, syncs
from ..oracle.releases import release_of, remark
from ..oracle.reports import Dropped
from ..oracle.segments import Stretch, slowed, stretch
from ..trace.model import HARNESS, LAGGING, Trace
from .downtime import downtime, integrity
from .limit import judge_limit
from .mid_pass_stop import ground_truth
from .predicted_downtime import judge_promise
from .snapshot import judge_snapshot
from .trials import judge_trials
from .updates import renewal
from .verdict import Judgement, Verdict

TOLERANCE = 0.01
"""Relative error that is still accurate: far above the oracle's noise (0.05 %), far below any wrong formula."""
STEADY = 0.8
"""Share of the reports of a pass that have to lie within the tolerance: the rest may be torn, hardly more."""
_APART = {
    "dirty-rate": "choose region and bandwidth for passes well away from 1 s",
    "redirty": "let the guest dirty faster",
    "live": "watch the pass for longer",
    "last-sync": "watch the pass for longer and let the guest dirty faster",
}
"""What tells a formula from the others."""


def judge(trace: Trace, contract: str = "last-sync", tolerance: float = TOLERANCE) -> Verdict:
    """The verdict on a trace, with QEMU held to the formula `contract` within the relative `tolerance`.

    Raises UsageError where no formula has that name.
    """
    if contract not in FORMULAS:
        raise UsageError(f"unknown formula {contract!r}; known are {', '.join(FORMULAS)}")
    if trace.snapshot:
        return judge_snapshot(trace, contract, tolerance)
    whole = trace.last_migration()
    trace = whole.undisturbed()
    seen = passes(trace)
    found = syncs(trace, seen)
    dropped = Dropped()
    remarks: list[str] = []
    judged = [one for sync in found if (one := _judge_pass(trace, sync, tolerance, dropped, remarks))]
    judged = _telling(judged, contract, tolerance, dropped, remarks)
    _count_unjudged(seen, found, dropped, remarks)
    if trace.samples[-1].status in ("failed", "cancelled"):
        remarks.append(f"the migration was {trace.samples[-1].status}")
    limit = judge_limit(trace, seen, found)
    down, memory = downtime(whole), integrity(whole)
    truth, open_question = ground_truth(whole)
    if down is not None and truth is None:
        remarks.append(down.remark)
    held = fit_passes(one.fits[contract] for one in judged) if judged else None
    verdict, formula, reason = _decide(trace, judged, slowed(whole, judged, tolerance), found, contract, tolerance)
    expected_ms = held.computed_ms if held else None
    reported_ms = median(one.reported_ms for one in judged) if judged else None
    trials = judge_trials(whole, expected_ms, reported_ms)
    if trials is not None:
        remarks.append(trials.reason)
    if lag := whole.first_event(HARNESS, LAGGING):
        remarks.append(f"the guest could not keep to its rate: {lag.data.get('said', 'it says no more')}")
    promise = judge_promise(whole, down)
    if promise is not None:
        remarks.append(promise.reason)
    remarks.append(open_question)
    of_formula = verdict is not Judgement.INCONCLUSIVE and formula in FORMULAS
    era = remark(formula, release_of(trace.header)) if of_formula else ""
    return Verdict(
        verdict=verdict,
        contract=contract,
        limit_verdict=limit.judgement,
        tolerance=tolerance,
        formula=formula,
        reported_ms=reported_ms,
        expected_ms=expected_ms,
        relative_error=held.error if held else None,
        relative_error_interval=held.error_interval if held else None,
        passes=len(judged),
        downtime_limit_ms=trace.downtime_limit_ms,
        effective_limit_ms=limit.effective_ms,
        effective_limit_interval_ms=limit.interval_ms,
        samples_used=sum(len(one.reports) for one in judged),
        samples_dropped=dropped.counts,
        dropped_at_s=dropped.times_s,
        reasons=tuple(filter(None, (reason, era, limit.reason, *remarks, *trace.notes))),
        limit_reason=limit.reason,
        era=era,
        subject=trace.subject,
        integrity=memory,
        downtime=down,
        convergence=trials,
        promise=promise,
        ground_truth=truth,
        open_question=open_question,
    )


def _judge_pass(trace: Trace, sync: Sync, tolerance: float, dropped: Dropped, remarks: list[str]) -> Stretch | None:
    one = sync.after
    doubt = _doubt(sync, tolerance)
    if doubt:
        dropped.add(f"the pass cannot be judged: {doubt}", one.samples)
        remarks.append(f"pass {one.number} is not judged: {doubt}")
        return None
    found, usable = stretch(trace, sync, one, tolerance, dropped)
    if found is None:
        remarks.append(f"pass {one.number} is not judged: {usable} usable samples, {MIN_SAMPLES} are needed")
    return found


def _telling(
    judged: list[Stretch], contract: str, tolerance: float, dropped: Dropped, remarks: list[str]
) -> list[Stretch]:
    """The passes that can tell, where there are any: what was left at a sync may be known too roughly for that."""
    accurate = Interval(-tolerance, tolerance)
    telling = [
        one
        for one in judged
        if one.fits[contract].error_interval.within(accurate) or not one.fits[contract].error_interval.meets(accurate)
    ]
    if not telling:
        return judged
    for one in judged:
        if one not in telling:
            dropped.add("what was left at the sync is known too roughly", one.reports)
            width = one.fits[contract].error_interval.width
            remarks.append(f"pass {one.number} is not judged: what was left at its sync is known to {width:.1%} only")
    return telling


def _doubt(sync: Sync, tolerance: float) -> str:
    if min(len(sync.before.samples), len(sync.after.samples)) < MIN_SAMPLES:
        return f"fewer than {MIN_SAMPLES} samples in it or in the pass before"
    for one in (sync.before, sync.after):
        if one.spread_bytes > tolerance * max(sync.at_sync_bytes.middle, 1):
            return (
                f"remaining and sent bytes do not add up in pass {one.number} "
                f"(they spread by {one.spread_bytes / 1e6:.1f} MB): pages are skipped or recounted"
            )
    return ""


def _count_unjudged(seen: list[Pass], found: list[Sync], dropped: Dropped, remarks: list[str]) -> None:
    after_a_sync = {sync.after.number for sync in found}
    for one in seen:
        if one.number == 1:
            dropped.add("first pass: all of RAM is sent, nothing is predicted", one.samples)
        elif one.number not in after_a_sync:
            dropped.add("the pass before was not sampled, or too short for a bandwidth", one.samples)
            remarks.append(f"pass {one.number} is not judged: pass {one.number - 1} was not sampled or too short")


def _decide(
    trace: Trace,
    judged: Sequence[Stretch],
    rest: Stretch | None,
    found: Sequence[Sync],
    contract: str,
    tolerance: float,
) -> tuple[Judgement, str | None, str]:
    """The judgement, the formula that QEMU was found to use, and the sentence that says why.

    `rest` is what came of the last of the `judged` passes under another bandwidth.
    """
    if not judged:
        needed = "two passes in a row with samples are needed, the second with reports"
        status = trace.samples[-1].status
        return Judgement.INCONCLUSIVE, None, f"no pass could be judged: {needed}; the migration was last {status}"
    held = [one.fits[contract] for one in judged]
    agreeing = sorted(
        (name for name in FORMULAS if _agrees(name, judged, rest if name != contract else None)),
        key=lambda name: abs(fit_passes(one.fits[name] for one in judged).error),
    )
    middle, share = fit_passes(held), min(fit.share for fit in held)
    said = _off(judged, rest, contract, tolerance)
    if said or share < STEADY:
        others = [name for name in agreeing if name != contract]
        renewed = None if others else renewal(trace, judged, rest, found, contract, tolerance)
        if renewed:
            said = said or f"the report is off {contract} in a part of a pass"
            return Judgement.INACCURATE, renewed.name, f"{said}; {renewed.sentence}"
        if said:
            gives = f"it is what {others[0]} gives" if others else "it fits no known formula"
            return Judgement.INACCURATE, others[0] if others else None, f"{said}; {gives}"
        reason = f"the reports scatter: in one pass {share:.0%} of them lie within ±{tolerance:.1%} of {contract}"
        return Judgement.INCONCLUSIVE, None, reason
    if len(agreeing) > 1:
        others = [name for name in agreeing if name != contract]
        advice = "; ".join(_APART[name] for name in others)
        return Judgement.INCONCLUSIVE, None, f"this run cannot tell {contract} from {', '.join(others)}: {advice}"
    if not middle.error_interval.within(Interval(-tolerance, tolerance)):
        low, high = middle.error_interval.low, middle.error_interval.high
        reason = f"the error lies between {low:+.2%} and {high:+.2%}, too wide to tell against ±{tolerance:.1%}"
        return Judgement.INCONCLUSIVE, contract, reason
    return Judgement.ACCURATE, contract, f"the report is {middle.error:+.2%} off {contract}, within ±{tolerance:.1%}"


def _agrees(name: str, judged: Sequence[Stretch], rest: Stretch | None) -> bool:
    return all(one.fits[name].agrees for one in (*judged, *([rest] if rest else [])))


def _off(judged: Sequence[Stretch], rest: Stretch | None, contract: str, tolerance: float) -> str:
    """Where and how far reports are off the contract, for certain; '' where they need not be."""
    accurate = Interval(-tolerance, tolerance)
    held = [one.fits[contract] for one in judged]
    wrong = [fit for fit in held if not fit.error_interval.meets(accurate)]
    if len(wrong) == len(held):
        return f"the report is {fit_passes(held).error:+.2%} off {contract}"
    if wrong:
        worst = max(wrong, key=lambda fit: abs(fit.error))
        return f"in {len(wrong)} of {len(held)} passes the report is off {contract}, by up to {worst.error:+.2%}"
    if rest and not rest.fits[contract].error_interval.meets(accurate):
        change = rest.bytes_per_ms / judged[-1].bytes_per_ms - 1
        error = rest.fits[contract].error
        return f"the report is {error:+.2%} off {contract} once the bandwidth has changed by {change:+.0%}"
    return ""
