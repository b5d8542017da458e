# SPDX-License-Identifier: GPL-2.0-or-later
"""Decides from the judged passes which formula explains the reports, and whether it is the contract."""

from collections.abc import Sequence

from ..basics.interval import Interval
from ..oracle.evidence import Evidence
from ..oracle.fit import fit_passes
from ..oracle.formulas import FORMULAS
from ..oracle.segments import Segment
from ..trace.samples import Samples
from .check import Check, Outcome
from .codes import REPORT
from .updates import faulty_updates

STEADY = 0.8
"""The share of a pass's reports that must lie within the tolerance; few others can be torn."""
_APART = {
    "dirty-rate": "choose region and bandwidth for passes well away from 1 s",
    "redirty": "let the guest dirty faster",
    "live": "watch the pass for longer",
    "last-sync": "watch the pass for longer and let the guest dirty faster",
}
"""How to make a run distinguish a formula from the others."""


def decide(
    evidence: Evidence,
    segments: Sequence[Segment],
    rest: Segment | None,
    later: Samples,
    contract: str,
    tolerance: float,
) -> tuple[str | None, Check]:
    """Return the formula that QEMU uses, or the fault of its updates, and the check of its reports.

    `segments` are the judged passes, at least one; `rest` is the end of the last pass, under another bandwidth, and
    `later` the samples of the passes after it.
    """
    fits = [segment.fits[contract] for segment in segments]
    agreeing = sorted(
        (name for name in FORMULAS if _agrees(name, segments, rest if name != contract else None)),
        key=lambda name: abs(fit_passes(segment.fits[name] for segment in segments).error),
    )
    others = [name for name in agreeing if name != contract]
    fit, share = fit_passes(fits), min(fit.share for fit in fits)
    deviation = _off(segments, rest, contract, tolerance)
    if deviation or share < STEADY:
        limit_ms = evidence.trace.downtime_limit_ms
        how = segments, rest, later, evidence.syncs, contract, tolerance, limit_ms
        updates = None if others else faulty_updates(*how)
        if updates:
            deviation = deviation or f"the report is off {contract} in a part of a pass"
            return updates.name, Check(REPORT, Outcome.FAILED, updates.name, f"{deviation}; {updates.sentence}")
        if deviation and others:
            sentence = f"{deviation}; it matches {others[0]}"
            return others[0], Check(REPORT, Outcome.FAILED, "another-formula", sentence)
        if deviation:
            return None, Check(REPORT, Outcome.FAILED, "no-formula", f"{deviation}; it fits no known formula")
        sentence = (
            f"the reports vary too much: in one pass only {share:.0%} of them lie within ±{tolerance:.1%} of {contract}"
        )
        return None, _undecided("scattered", sentence)
    if len(agreeing) > 1:
        advice = "; ".join(_APART[name] for name in others)
        return None, _undecided(
            "formulas-alike", f"this run cannot distinguish {contract} from {', '.join(others)}: {advice}"
        )
    if not fit.error_interval.within(Interval(-tolerance, tolerance)):
        low, high = fit.error_interval.low, fit.error_interval.high
        sentence = f"the error lies between {low:+z.2%} and {high:+z.2%}, too wide for a tolerance of ±{tolerance:.1%}"
        return contract, _undecided("wide", sentence)
    sentence = f"the report is {fit.error:+z.2%} off {contract}, within ±{tolerance:.1%}"
    return contract, Check(REPORT, Outcome.PASSED, "accurate", sentence)


def _undecided(code: str, sentence: str) -> Check:
    return Check(REPORT, Outcome.UNDECIDED, code, sentence)


def _agrees(name: str, segments: Sequence[Segment], rest: Segment | None) -> bool:
    return all(segment.fits[name].agrees for segment in (*segments, *([rest] if rest else [])))


def _off(segments: Sequence[Segment], rest: Segment | None, contract: str, tolerance: float) -> str:
    """Where and how far reports are certainly off the contract; '' if they need not be."""
    accurate = Interval(-tolerance, tolerance)
    fits = [segment.fits[contract] for segment in segments]
    wrong = [fit for fit in fits if not fit.error_interval.meets(accurate)]
    if len(wrong) == len(fits):
        return f"the report is {fit_passes(fits).error:+z.2%} off {contract}"
    if wrong:
        worst = max(wrong, key=lambda fit: abs(fit.error))
        return f"in {len(wrong)} of {len(fits)} passes the report is off {contract}, by up to {worst.error:+z.2%}"
    if rest and not rest.fits[contract].error_interval.meets(accurate):
        change = rest.bytes_per_ms / segments[-1].bytes_per_ms - 1
        error = rest.fits[contract].error
        return f"the report is {error:+z.2%} off {contract} once the bandwidth has changed by {change:+z.0%}"
    return ""
