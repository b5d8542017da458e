# SPDX-License-Identifier: GPL-2.0-or-later
"""The answer in one sentence."""

from ..limit import LimitJudgement
from ..verdict import Judgement, Verdict


def answer(verdict: Verdict) -> str:
    """What `verdict` comes to."""
    if verdict.passed:
        said = f"QEMU said {verdict.reported_ms:.0f} ms, right is {verdict.expected_ms:.1f} ms"
        return f"expected-downtime is accurate: {said}"
    return reason(verdict)


def reason(verdict: Verdict) -> str:
    """One sentence on why `verdict` is none to pass with; the summary has the figures."""
    if verdict.verdict is Judgement.INACCURATE:
        return f"expected-downtime is inaccurate: {'; '.join(filter(None, (verdict.reasons[0], verdict.era)))}"
    if verdict.limit_verdict is LimitJudgement.VIOLATED:
        return f"downtime-limit is violated: {verdict.limit_reason}"
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
