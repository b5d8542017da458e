# SPDX-License-Identifier: GPL-2.0-or-later
"""From a Trace to a Verdict: is the reported expected-downtime what the contract says?"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from .errors import BadInput
from .fit import Fit, fit_pass, fit_passes
from .formulas import FORMULAS
from .interval import Interval
from .limit import judge_limit
from .oracle import MIN_SAMPLES, Pass, Sync, passes, syncs
from .snapshot import judge_snapshot
from .trace import Trace
from .usable import usable
from .verdict import Judgement, Verdict

TOLERANCE = 0.01
"""Relative error that is still accurate: far above the oracle's noise (0.05 %), far below any wrong formula."""


@dataclass(frozen=True)
class _JudgedPass:
    reported_ms: float
    samples: int
    fits: Mapping[str, Fit]


def judge(trace: Trace, contract: str = "last-sync", tolerance: float = TOLERANCE) -> Verdict:
    """The verdict on a trace, with QEMU held to the formula `contract` within the relative `tolerance`.

    Raises BadInput where no formula has that name.
    """
    if contract not in FORMULAS:
        raise BadInput(f"unknown formula {contract!r}; known are {', '.join(FORMULAS)}")
    if trace.snapshot:
        return judge_snapshot(trace, contract, tolerance)
    seen = passes(trace)
    found = syncs(trace, seen)
    dropped: Counter[str] = Counter()
    remarks: list[str] = []
    judged = [one for sync in found if (one := _judge_pass(trace, sync, tolerance, dropped, remarks))]
    _count_unjudged(seen, found, dropped, remarks)
    limit = judge_limit(trace, seen, found)
    fits = {name: fit_passes(one.fits[name] for one in judged) for name in FORMULAS} if judged else {}
    verdict, formula, reason = _decide(fits, contract, tolerance)
    return Verdict(
        verdict=verdict,
        contract=contract,
        limit_verdict=limit.judgement,
        formula=formula,
        reported_ms=median(one.reported_ms for one in judged) if judged else None,
        expected_ms=fits[contract].computed_ms if judged else None,
        relative_error=fits[contract].error if judged else None,
        relative_error_interval=fits[contract].error_interval if judged else None,
        passes=len(judged),
        downtime_limit_ms=trace.downtime_limit_ms,
        effective_limit_ms=limit.effective_ms,
        effective_limit_interval_ms=limit.interval_ms,
        samples_used=sum(one.samples for one in judged),
        samples_dropped=dict(dropped),
        reasons=tuple(filter(None, (reason, limit.reason, *remarks, *trace.notes))),
        limit_reason=limit.reason,
    )


def _judge_pass(
    trace: Trace, sync: Sync, tolerance: float, dropped: Counter[str], remarks: list[str]
) -> _JudgedPass | None:
    one = sync.after
    doubt = _doubt(sync, tolerance)
    if doubt:
        dropped[f"the pass cannot be judged: {doubt}"] += len(one.samples)
        remarks.append(f"pass {one.number} is not judged: {doubt}")
        return None
    reports = usable(one, dropped)
    if len(reports) < MIN_SAMPLES:
        if reports:
            dropped["too few usable samples in the pass"] += len(reports)
        remarks.append(f"pass {one.number} is not judged: {len(reports)} usable samples, {MIN_SAMPLES} are needed")
        return None
    fits = {name: fit_pass(trace, sync, reports, formula, tolerance) for name, formula in FORMULAS.items()}
    return _JudgedPass(median(r.expected_ms for r in reports), len(reports), fits)


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


def _count_unjudged(seen: list[Pass], found: list[Sync], dropped: Counter[str], remarks: list[str]) -> None:
    after_a_sync = {sync.after.number for sync in found}
    for one in seen:
        if one.number == 1:
            dropped["first pass: all of RAM is sent, nothing is predicted"] += len(one.samples)
        elif one.number not in after_a_sync:
            dropped["the pass before was not sampled, or too short for a bandwidth"] += len(one.samples)
            remarks.append(f"pass {one.number} is not judged: pass {one.number - 1} was not sampled or too short")


def _decide(fits: Mapping[str, Fit], contract: str, tolerance: float) -> tuple[Judgement, str | None, str]:
    """The judgement, the formula that QEMU was found to use, and the sentence that says why."""
    if not fits:
        reason = "no pass could be judged: two passes in a row with samples are needed, the second with reports"
        return Judgement.INCONCLUSIVE, None, reason
    agreeing = sorted((name for name, fit in fits.items() if fit.agrees), key=lambda name: abs(fits[name].error))
    held, accurate = fits[contract], Interval(-tolerance, tolerance)
    off = f"the report is {held.error:+.2%} off {contract}"
    if not held.error_interval.meets(accurate):
        formula = agreeing[0] if agreeing else None
        found = f"it is what {formula} gives" if formula else "it fits no known formula"
        return Judgement.INACCURATE, formula, f"{off}; {found}"
    if contract not in agreeing:
        reason = f"the reports scatter: {held.share:.0%} of them lie within ±{tolerance:.1%} of {contract}"
        return Judgement.INCONCLUSIVE, None, reason
    if len(agreeing) > 1:
        others = ", ".join(name for name in agreeing if name != contract)
        advice = "choose region and bandwidth for passes well away from 1 s"
        return Judgement.INCONCLUSIVE, None, f"this run cannot tell {contract} from {others}: {advice}"
    if not held.error_interval.within(accurate):
        low, high = held.error_interval.low, held.error_interval.high
        reason = f"the error lies between {low:+.2%} and {high:+.2%}, too wide to tell against ±{tolerance:.1%}"
        return Judgement.INCONCLUSIVE, contract, reason
    return Judgement.ACCURATE, contract, f"{off}, within ±{tolerance:.1%}"
