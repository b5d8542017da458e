# SPDX-License-Identifier: GPL-2.0-or-later
"""A verdict as JSON fields for a program."""

from dataclasses import asdict
from typing import Any

from ..basics.interval import Interval
from ..verdict.downtime import Downtime
from ..verdict.predicted_downtime import Promise
from ..verdict.trials import Convergence
from ..verdict.verdict import Verdict


def fields(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain JSON values; an interval is a list of its two ends, what is unknown is null."""
    return {
        "verdict": str(verdict.verdict),
        "subject": verdict.subject,
        "passed": verdict.passed,
        "contract": verdict.contract,
        "tolerance": verdict.tolerance,
        "formula": verdict.formula,
        "era": verdict.era,
        "reported_ms": verdict.reported_ms,
        "expected_ms": verdict.expected_ms,
        "relative_error": verdict.relative_error,
        "relative_error_interval": _ends(verdict.relative_error_interval),
        "passes": verdict.passes,
        "downtime_limit_ms": verdict.downtime_limit_ms,
        "effective_limit_ms": verdict.limit.effective_ms,
        "effective_limit_interval_ms": _ends(verdict.limit.interval_ms),
        "limit_verdict": str(verdict.limit_verdict),
        "downtime": _downtime(verdict.downtime) if verdict.downtime else None,
        "integrity": asdict(verdict.integrity) if verdict.integrity else None,
        "convergence": _judged(verdict.convergence) if verdict.convergence else None,
        "promise": _judged(verdict.promise) if verdict.promise else None,
        "ground_truth": asdict(verdict.ground_truth) if verdict.ground_truth else None,
        "checks": [asdict(check) for check in verdict.checks],
        "samples_used": verdict.samples_used,
        "samples_dropped": dict(verdict.samples_dropped),
        "reasons": list(verdict.reasons),
    }


def _judged(part: Convergence | Promise) -> dict[str, Any]:
    figures = asdict(part)
    figures.pop("code", None)
    return {"judgement": str(part.judgement), **figures, "reason": part.reason}


def _downtime(down: Downtime) -> dict[str, Any]:
    return {**asdict(down), "guest_ms": _ends(down.guest_ms)}


def _ends(interval: Interval | None) -> list[float] | None:
    return [interval.low, interval.high] if interval else None
