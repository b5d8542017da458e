# SPDX-License-Identifier: GPL-2.0-or-later
"""Was the guest down for as long as QEMU had said, where the migration ran over a link that is really that slow?

`max-bandwidth` is lifted once the guest is stopped, so elsewhere a downtime has nothing to do with what was expected.
"""

from dataclasses import dataclass
from enum import StrEnum

from ..oracle.reports import computes_nothing
from ..trace.model import Trace, number
from .downtime import Downtime

FIXED_DOWNTIME_MS = "fixed_downtime_ms"
"""Key of a trace's header, where the link is really slow: what an idle guest's downtime on it was."""
TOLERANCE = 0.1
"""The downtime may be so much longer or shorter than what was said, less what devices take."""


class PromiseJudgement(StrEnum):
    """Was the guest down for as long as was said?"""

    KEPT = "kept"
    BROKEN = "broken"


@dataclass(frozen=True)
class Promise:
    """What QEMU said last before the switchover, and how long the guest was down then, milliseconds.

    `fixed_ms` is what the state of devices and the switchover itself take, measured on the same guest while idle;
    `error` is (`down_ms` - `fixed_ms`) ÷ `said_ms` - 1. `limit_ms` is the downtime-limit that held then.
    """

    judgement: PromiseJudgement
    said_ms: float
    down_ms: float
    fixed_ms: float
    limit_ms: float | None
    error: float
    reason: str = ""


def judge_promise(trace: Trace, down: Downtime | None) -> Promise | None:
    """What became of the last report before the switchover, or None where there is nothing to compare.

    Raises UsageError where the header is not as a harness writes it.
    """
    if down is None or down.qemu_ms is None or FIXED_DOWNTIME_MS not in trace.header:
        return None
    said_ms = _said_last(trace)
    if not said_ms:
        return None
    fixed_ms = number(trace.header, FIXED_DOWNTIME_MS)
    error = (down.qemu_ms - fixed_ms) / said_ms - 1
    limit_ms = trace.limit_at_switchover_ms
    reason = ""
    if abs(error) > TOLERANCE:
        reason = (
            f"the guest was down for {down.qemu_ms:.0f} ms, {fixed_ms:.0f} ms of them for its devices, where QEMU had "
            f"said {said_ms:.0f} ms: {error:+.0%}"
        )
    elif limit_ms is not None and down.qemu_ms - fixed_ms > limit_ms * (1 + TOLERANCE):
        reason = (
            f"the guest was down for {down.qemu_ms:.0f} ms, {fixed_ms:.0f} ms of them for its devices, where the "
            f"downtime-limit was {limit_ms:g} ms"
        )
    judgement = PromiseJudgement.BROKEN if reason else PromiseJudgement.KEPT
    return Promise(judgement, said_ms, down.qemu_ms, fixed_ms, limit_ms, error, reason)


def _said_last(trace: Trace) -> float | None:
    """The last report before the guest was stopped that QEMU can have computed."""
    for sample in reversed(trace.samples):
        if sample.status != "active" or sample.ram is None or sample.answered_s >= trace.switchover_s:
            continue
        if sample.expected_downtime_ms and not computes_nothing(sample.ram):
            return sample.expected_downtime_ms
    return None
