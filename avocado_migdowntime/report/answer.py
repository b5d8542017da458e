# SPDX-License-Identifier: GPL-2.0-or-later
"""The answer in one sentence."""

from collections.abc import Sequence

from ..limit import LimitJudgement
from ..verdict import Judgement, Verdict


def answer(verdict: Verdict) -> str:
    """What `verdict` comes to."""
    if verdict.passed:
        said = f"QEMU said {verdict.reported_ms:.0f} ms, right is {verdict.expected_ms:.1f} ms"
        return f"expected-downtime is accurate: {said}"
    return reason(verdict)


def summed_up(answers: Sequence[tuple[bool | None, str]]) -> str:
    """What several come to: each is as it should be, not (False), or left open (None), and has an answer of its own."""
    if len(answers) == 1:
        return _sentence(answers[0][1])
    kinds = {True: "as it should be", False: "not as it should be", None: "left open"}
    counts = {said: sum(passed is kind for passed, _ in answers) for kind, said in kinds.items()}
    counted = ", ".join(f"{count} {said}" for said, count in counts.items() if count)
    worst = next((text for kind in (False, None) for passed, text in answers if passed is kind), "")
    return _sentence(f"Of {len(answers)} migrations: {counted}{'; ' if worst else ''}{worst}")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


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
