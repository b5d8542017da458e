# SPDX-License-Identifier: GPL-2.0-or-later
"""The answer in one sentence, from the checks of a verdict."""

from ..verdict.check import Check, Outcome
from ..verdict.codes import REPORT
from ..verdict.verdict import Judgement, Verdict


def answer(verdict: Verdict) -> str:
    """The result of `verdict`, with both figures if they decide it."""
    if verdict.reported_ms is None or verdict.expected_ms is None:
        return reason(verdict)
    right = "left now:" if is_left_now(verdict) else "expected"
    comparison = f"QEMU said {verdict.reported_ms:.0f} ms, {right} {verdict.expected_ms:.1f} ms"
    if verdict.passed:
        return f"expected-downtime is accurate: {comparison}"
    if verdict.verdict is Judgement.INACCURATE and abs(verdict.relative_error or 0) > (verdict.tolerance or 0):
        return f"{comparison}; {reason(verdict)}"
    return reason(verdict)


def is_left_now(verdict: Verdict) -> bool:
    """Whether the report is compared only with what is left now, a lower bound of the expected value."""
    return verdict.expected_ms is not None and verdict.expected_ms == verdict.left_now_ms


def reason(verdict: Verdict) -> str:
    """Why `verdict` does not pass: the sentences of the failed checks, or else that of the first undecided check.

    The summary has the figures.
    """
    failed = [sentence(check, verdict) for check in verdict.checks if check.outcome is Outcome.FAILED]
    if failed:
        return "; ".join(failed)
    undecided = (check for check in verdict.checks if check.outcome is Outcome.UNDECIDED)
    return next((sentence(check, verdict) for check in undecided), verdict.report.sentence)


def sentence(check: Check, verdict: Verdict) -> str:
    """The sentence of one of the checks of `verdict`; empty for some checks that passed."""
    if check.name != REPORT or check.outcome is Outcome.PASSED:
        return check.sentence
    if check.outcome is Outcome.FAILED:
        return "; ".join(filter(None, [f"expected-downtime is inaccurate: {check.sentence}", verdict.era]))
    return f"expected-downtime is inconclusive: {'; '.join(verdict.reasons)}"
