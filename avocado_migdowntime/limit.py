# SPDX-License-Identifier: GPL-2.0-or-later
"""Does QEMU end its passes, and switch over, where downtime-limit says?

QEMU looks at what is left between two bursts of sending; a burst fills one window of its rate limit, 100 ms
(migration/migration.c: BUFFER_DELAY), or takes 50 ms without one (migration/ram.c: MAX_WAIT). So a correct QEMU
ends a pass with what the limit allows, less up to one burst.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .interval import Interval
from .oracle import Pass, Sync
from .trace import Trace
from .verdict import LimitJudgement

BURST_MS = 120.0
"""One window of the rate limit, and the scheduling of a busy host."""
SLACK = 0.05
"""Share of the limit by which the bandwidth may have moved since QEMU computed its threshold."""
RESOLVED = 0.25
"""An effective limit is given as a figure where its interval is narrower than this share of it."""


@dataclass(frozen=True)
class LimitFinding:
    """The effective downtime-limit and whether it is the configured one; milliseconds."""

    judgement: LimitJudgement
    effective_ms: float | None
    interval_ms: Interval | None
    reason: str = ""


def judge_limit(trace: Trace, seen: Sequence[Pass], found: Sequence[Sync]) -> LimitFinding:
    """Compare where passes ended and the switchover came with the limit that the trace was configured with."""
    ends = [sync.unsent_ms for sync in found]
    interval = _effective(ends)
    effective = interval.middle if interval and interval.width <= RESOLVED * interval.middle else None
    limit_ms = trace.downtime_limit_ms
    if limit_ms is None:
        return LimitFinding(LimitJudgement.INCONCLUSIVE, effective, interval, "the downtime-limit is not recorded")
    if "auto-converge" in trace.capabilities:
        reason = "auto-converge may sync in mid-pass, so the ends of passes do not show the limit"
        return LimitFinding(LimitJudgement.INCONCLUSIVE, effective, interval, reason)
    findings = [_pass_end(end, limit_ms) for end in ends]
    findings += [_went_on(sync, limit_ms) for sync in found]
    findings += [_switchover(trace, seen, limit_ms)]
    respected = [f for f in findings if f is True]
    broken = [f for f in findings if isinstance(f, str)]
    if len(broken) > len(respected):
        return LimitFinding(LimitJudgement.VIOLATED, effective, interval, broken[0])
    if respected:
        return LimitFinding(LimitJudgement.RESPECTED, effective, interval)
    reason = "no end of a pass was seen closely enough to tell the effective downtime-limit"
    return LimitFinding(LimitJudgement.INCONCLUSIVE, effective, interval, reason)


def _effective(ends: Sequence[Interval]) -> Interval | None:
    """Where the effective limit lies: what the better half of the pass ends say, the narrow ones first."""
    if not ends:
        return None
    best = sorted(ends, key=lambda end: end.width)[: (len(ends) + 1) // 2]
    return Interval(median(e.low for e in best), median(e.high for e in best))


def _pass_end(unsent_ms: Interval, limit_ms: float) -> bool | str | None:
    if unsent_ms.low > limit_ms * (1 + SLACK) + 1:
        return f"a pass ended with {unsent_ms.low:.0f} ms still unsent where the downtime-limit is {limit_ms:g} ms"
    if unsent_ms.high + BURST_MS < limit_ms * (1 - SLACK):
        return (
            f"a pass went on until {unsent_ms.high:.0f} ms were unsent although the downtime-limit is {limit_ms:g} ms"
        )
    return True if unsent_ms.high <= limit_ms * (1 + SLACK) + BURST_MS else None


def _went_on(sync: Sync, limit_ms: float) -> str | None:
    """A pass that begins well below the limit should have been the switchover."""
    left_ms = sync.at_sync_bytes.high / sync.bytes_per_ms
    lasted_ms = (sync.after.samples[-1].t_s - sync.after.samples[0].t_s) * 1000
    if left_ms < 0.8 * limit_ms - 1 and lasted_ms > 2 * BURST_MS:
        return f"QEMU went on although {left_ms:.0f} ms were left at a sync and the downtime-limit is {limit_ms:g} ms"
    return None


def _switchover(trace: Trace, seen: Sequence[Pass], limit_ms: float) -> bool | str | None:
    """What was left when QEMU decided to switch over, where the migration completed: at most what the limit allows.

    From below it is bounded by what was dirtied after the last pass seen, and by what its last sample had left that
    time and bandwidth did not suffice to send before. The guest goes on dirtying between the deciding sync and its
    stop, so only a gross excess is a violation.
    """
    final = trace.samples[-1]
    if final.status != "completed" or final.ram is None or not seen:
        return None
    last, asked_s = seen[-1].last, seen[-1].samples[-1].t_s
    if last.mbps <= 0:
        return None
    bytes_per_ms = trace.bytes_per_ms(last)
    redirtied_ms = (final.ram.conserved_bytes - seen[-1].conserved_bytes) / bytes_per_ms
    zeros_ms = (final.ram.zero_pages - last.zero_pages) * last.page_bytes / bytes_per_ms
    elapsed_ms = (final.t_s - asked_s) * 1000
    left_ms = max(redirtied_ms, last.remaining_bytes / bytes_per_ms - zeros_ms - elapsed_ms - BURST_MS)
    if left_ms > 2 * limit_ms + BURST_MS:
        return f"QEMU switched over with {left_ms:.0f} ms left to send where the downtime-limit is {limit_ms:g} ms"
    return True if left_ms <= limit_ms + BURST_MS else None
