# SPDX-License-Identifier: GPL-2.0-or-later
"""The answer in one sentence."""

from ..verdict.limit import LimitJudgement
from ..verdict.trials import ConvergenceJudgement
from ..verdict.verdict import Judgement, Verdict


def answer(verdict: Verdict) -> str:
    """What `verdict` comes to, with both figures where they are what it is about."""
    if verdict.reported_ms is None or verdict.expected_ms is None:
        return reason(verdict)
    said = f"QEMU said {verdict.reported_ms:.0f} ms, right is {verdict.expected_ms:.1f} ms"
    if verdict.passed:
        return f"expected-downtime is accurate: {said}"
    if verdict.verdict is Judgement.INACCURATE and abs(verdict.relative_error or 0) > (verdict.tolerance or 0):
        return f"{said}; {reason(verdict)}"
    return reason(verdict)


def reason(verdict: Verdict) -> str:
    """One sentence on why `verdict` is none to pass with; the summary has the figures."""
    faults = _faults(verdict)
    if faults:
        return "; ".join(faults)
    if verdict.integrity is not None and not verdict.integrity.intact:
        return f"the guest's memory is damaged: {verdict.integrity}"
    if verdict.downtime is not None and not verdict.guest_survived:
        return verdict.downtime.remark
    if verdict.convergence is not None and verdict.convergence.reason:
        return verdict.convergence.reason
    if verdict.promise is not None and verdict.promise.reason:
        return verdict.promise.reason
    if verdict.verdict is Judgement.ACCURATE and verdict.open_question:
        return verdict.open_question
    return f"expected-downtime is inconclusive: {'; '.join(verdict.reasons)}"


def _faults(verdict: Verdict) -> list[str]:
    """What is wrong with limit and report; what a user is up against comes first."""
    found = []
    if verdict.convergence is not None and verdict.convergence.judgement is ConvergenceJudgement.WRONG:
        found.append(verdict.convergence.reason)
    if verdict.verdict is Judgement.INACCURATE:
        found += [f"expected-downtime is inaccurate: {verdict.reasons[0]}", *filter(None, [verdict.era])]
    elif verdict.limit_verdict is LimitJudgement.VIOLATED:
        found.append(f"downtime-limit is violated: {verdict.limit_reason}")
    return found
