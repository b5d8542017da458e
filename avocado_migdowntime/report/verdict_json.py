# SPDX-License-Identifier: GPL-2.0-or-later
"""A verdict as JSON fields for a program."""

from dataclasses import asdict
from typing import Any

from ..basics.interval import Interval
from ..verdict.blocktime import BlocktimeFinding
from ..verdict.downtime import Downtime
from ..verdict.predicted_downtime import PredictedDowntime, PredictionJudgement
from ..verdict.trials import Convergence
from ..verdict.verdict import Verdict

PROMISE = {
    PredictionJudgement.MATCH: "kept",
    PredictionJudgement.MISMATCH: "broken",
    PredictionJudgement.UNDECIDED: "undecided",
}
"""Names in outputs: the downtime matches the prediction, does not, or that is undecided."""


def fields(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain JSON values; an interval is a list of its two ends, an unknown value is null."""
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
        "left_now_ms": verdict.left_now_ms,
        "relative_error": verdict.relative_error,
        "relative_error_interval": _ends(verdict.relative_error_interval),
        "passes": verdict.passes,
        "downtime_limit_ms": verdict.downtime_limit_ms,
        "effective_limit_ms": verdict.limit.effective_limit_ms,
        "effective_limit_interval_ms": _ends(verdict.limit.effective_limit_interval_ms),
        "limit_verdict": str(verdict.limit_verdict),
        "bandwidth_error": verdict.bandwidth.error if verdict.bandwidth else None,
        "bandwidth_error_interval": _ends(verdict.bandwidth.error_interval) if verdict.bandwidth else None,
        "transferred_error_interval": _ends(verdict.transferred.error_interval) if verdict.transferred else None,
        "device_bytes": _ends(verdict.pending.device_bytes) if verdict.pending else None,
        "throttle_percents": list(verdict.throttle.percents) if verdict.throttle else None,
        "blocktime": _blocktime(verdict.blocktime) if verdict.blocktime else None,
        "downtime": _downtime(verdict.downtime) if verdict.downtime else None,
        "integrity": asdict(verdict.integrity) if verdict.integrity else None,
        "convergence": _convergence(verdict.convergence) if verdict.convergence else None,
        "promise": _promise(verdict.predicted_downtime) if verdict.predicted_downtime else None,
        "ground_truth": asdict(verdict.ground_truth) if verdict.ground_truth else None,
        "checks": [asdict(check) for check in verdict.checks],
        "cpu": {side: asdict(use) for side, use in verdict.cpu.items()},
        "samples_used": verdict.samples_used,
        "samples_dropped": dict(verdict.samples_dropped),
        "reasons": list(verdict.reasons),
    }


def _convergence(convergence: Convergence) -> dict[str, Any]:
    figures = asdict(convergence)
    del figures["code"]
    return {"judgement": str(convergence.judgement), **figures, "reason": convergence.reason}


def _promise(predicted: PredictedDowntime) -> dict[str, Any]:
    return {
        "judgement": PROMISE[predicted.judgement],
        "said_ms": predicted.predicted_ms,
        "down_ms": predicted.down_ms,
        "fixed_ms": predicted.fixed_ms,
        "limit_ms": predicted.limit_ms,
        "error": predicted.error,
        "reason": predicted.reason,
    }


def _blocktime(finding: BlocktimeFinding) -> dict[str, Any]:
    waits = [{"who": wait.who, "told_ms": wait.told_ms, "can_ms": _ends(wait.can_ms)} for wait in finding.waits]
    return {"postcopy_ms": finding.postcopy_ms, "waits": waits}


def _downtime(down: Downtime) -> dict[str, Any]:
    return {**asdict(down), "guest_ms": _ends(down.guest_ms)}


def _ends(interval: Interval | None) -> list[float] | None:
    return [interval.low, interval.high] if interval else None
