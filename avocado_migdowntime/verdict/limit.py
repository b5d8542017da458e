# SPDX-License-Identifier: GPL-2.0-or-later
"""Does QEMU end its passes, and switch over, where downtime-limit says?

QEMU looks at what is left between two bursts of sending; a burst fills one window of its rate limit, 100 ms
(migration/migration.c: BUFFER_DELAY), or takes 50 ms without one (migration/ram.c: MAX_WAIT). So a correct QEMU
ends a pass with what the limit allows, less up to one burst.

On RAM backed by hugepages QEMU waits for the next window in the midst of a hugepage, so that it does not notice a full
one and looks only every 64 hugepages (migration/ram.c: ram_save_host_page, ram_save_iterate): 128 MiB of 2 MiB pages.
Seen on 7.2, 10.0 and 11.1: passes end with nothing left whatever downtime-limit says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from ..basics.interval import Interval
from ..oracle.passes import Pass, Sync
from ..trace.model import Trace

BURST_MS = 120.0
"""One window of the rate limit, and the scheduling of a busy host."""
SLACK = 0.05
"""Share of the limit by which the bandwidth may have moved since QEMU computed its threshold."""
RESOLVED = 0.25
"""An effective limit is given as a figure where its interval is narrower than this share of it."""
HOST_PAGES = 64
"""Pages of the host that go out between two looks at the clock."""
OFTEN = 0.25
"""Share of the pass ends seen that have to be wrong: a single one may be a bandwidth that sampling missed."""


class LimitJudgement(StrEnum):
    """Did QEMU end passes and switch over where downtime-limit says?"""

    RESPECTED = "respected"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class LimitFinding:
    """The effective downtime-limit and whether it is the configured one; milliseconds."""

    judgement: LimitJudgement
    effective_ms: float | None
    interval_ms: Interval | None
    reason: str = ""


def judge_limit(trace: Trace, seen: Sequence[Pass], found: Sequence[Sync]) -> LimitFinding:
    """Compare where passes ended and the switchover came with the limit that the trace was configured with."""
    interval = _effective([sync.unsent_ms for sync in found])
    effective = interval.middle if interval and interval.width <= RESOLVED * interval.middle else None
    blind = _blind(trace)
    if blind:
        return LimitFinding(LimitJudgement.INCONCLUSIVE, effective, interval, blind)
    ends = [end for sync in found if (end := _pass_end(trace, sync)) is not None]
    wrong_ends = [end for end in ends if end]
    switchover = _switchover(trace, seen, found)
    broken = switchover or _went_on(trace, found)
    if not broken and len(wrong_ends) > OFTEN * len(ends):
        broken = wrong_ends[0]
    if broken:
        return LimitFinding(LimitJudgement.VIOLATED, effective, interval, broken)
    if len(ends) > len(wrong_ends) or switchover is not None:
        return LimitFinding(LimitJudgement.RESPECTED, effective, interval)
    reason = "no end of a pass was seen closely enough to tell the effective downtime-limit"
    return LimitFinding(LimitJudgement.INCONCLUSIVE, effective, interval, reason)


def _blind(trace: Trace) -> str:
    """Why the ends of passes say nothing about the limit in this trace, if they do not."""
    if trace.downtime_limit_ms is None:
        return "the downtime-limit is not recorded"
    if "auto-converge" in trace.capabilities:
        return "auto-converge may sync in mid-pass, so the ends of passes do not show the limit"
    if any(sample.status.startswith("postcopy") for sample in trace.samples):
        return "postcopy began, so the last pass and the switchover do not show the limit"
    return ""


def _effective(ends: Sequence[Interval]) -> Interval | None:
    """Where the effective limit lies: what the better half of the pass ends say, the narrow ones first."""
    if not ends:
        return None
    best = sorted(ends, key=lambda end: end.width)[: (len(ends) + 1) // 2]
    return Interval(median(e.low for e in best), median(e.high for e in best))


def _pass_end(trace: Trace, sync: Sync) -> str | None:
    """What is wrong with the end of a pass, nothing (an empty text), or None where it was not seen closely enough."""
    unsent, limit = sync.unsent_bytes, sync.limit_bytes
    assert limit is not None
    limit_ms, page_bytes = trace.downtime_limit_ms, sync.before.last.page_bytes
    least, most = limit.low * (1 - SLACK), limit.high * (1 + SLACK)
    burst = BURST_MS * sync.wire_bytes_per_ms.high
    if unsent.low > most + page_bytes:
        return f"a pass ended with {sync.unsent_ms.low:.0f} ms still unsent where the downtime-limit is {limit_ms:g} ms"
    if unsent.high > most + burst:
        return None
    if unsent.high + burst >= least:
        return ""
    stride = HOST_PAGES * trace.host_page_bytes if trace.host_page_bytes > page_bytes else 0
    if unsent.high + burst + max(stride, sync.zero_bytes) >= least:
        return None
    return (
        f"a pass went on until {sync.unsent_ms.high:.0f} ms were unsent although the downtime-limit is {limit_ms:g} ms"
    )


def _went_on(trace: Trace, found: Sequence[Sync]) -> str:
    """Passes that began well below the limit, twice or more: each of them should have been the switchover.

    Half the limit is left to devices, whose state QEMU counts as well and query-migrate does not always show.
    """
    early = [
        sync.at_sync_bytes.high / sync.bytes_per_ms.low
        for sync in found[:-1]
        if sync.limit_bytes and sync.at_sync_bytes.high < sync.limit_bytes.low / 2 - sync.before.last.page_bytes
    ]
    if len(early) < 2:
        return ""
    return (
        f"QEMU went on {len(early)} times although no more than {max(early):.0f} ms were left at a sync "
        f"and the downtime-limit is {trace.downtime_limit_ms:g} ms"
    )


def _switchover(trace: Trace, seen: Sequence[Pass], found: Sequence[Sync]) -> str | None:
    """What is wrong with the switchover, nothing (an empty text), or None where there is none or it cannot be told.

    What was left is bounded from below by what was dirtied after the last pass seen, and by what its last sample had
    left that time and bandwidth did not suffice to send before. The guest goes on dirtying between the deciding sync
    and its stop, so only a gross excess is wrong.
    """
    final = trace.samples[-1]
    if final.status != "completed" or final.ram is None or not found or seen[-1].number != found[-1].after.number:
        return None
    sync, last = found[-1], seen[-1].last
    elapsed_ms = (final.t_s - seen[-1].samples[-1].t_s) * 1000
    if final.ram.dirty_sync_count > seen[-1].number + 2 or elapsed_ms > 5 * BURST_MS:
        return None
    assert sync.limit_bytes is not None and trace.downtime_limit_ms is not None
    wire = max(sync.wire_bytes_per_ms.high, last.wire_bytes_per_ms)
    zeros = (final.ram.zero_pages - last.zero_pages) * last.page_bytes
    left = max(
        final.ram.conserved_bytes - seen[-1].end_bytes,
        last.remaining_bytes - zeros - (elapsed_ms + BURST_MS) * wire,
    )
    if (seen[-1].samples[-1].t_s - seen[-1].samples[0].t_s) * 1000 < BURST_MS:
        left = max(left, sync.at_sync_bytes.low)  # a sample of the switchover itself, which began with this sync
    allowed, burst = sync.limit_bytes.high, BURST_MS * wire
    if sync.zero_bytes > burst:  # They made the bandwidth that was seen a low one, and QEMU may have renewed it since.
        return None
    if left > 2 * allowed + burst:
        left_ms = left / sync.bytes_per_ms.high
        limit_ms = trace.downtime_limit_ms
        return f"QEMU switched over with {left_ms:.0f} ms left to send where the downtime-limit is {limit_ms:g} ms"
    return "" if left <= allowed + burst else None
