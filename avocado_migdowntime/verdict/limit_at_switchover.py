# SPDX-License-Identifier: GPL-2.0-or-later
"""Does QEMU switch over with no more left than downtime-limit allows?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..oracle.evidence import Evidence
from ..oracle.passes import EDGE_SAMPLES, UPDATE_S, Pass, ram_at
from ..oracle.syncs import Sync
from ..trace.ram import Ram

BURST_MS = 1.2 * BUFFER_DELAY_MS
"""One window of the rate limit, plus the scheduling delays of a busy host."""
_WINDOWS_SEEN = 3
"""The number of windows before the stop that must be seen to know their bandwidth."""


@dataclass(frozen=True)
class Ending:
    """What the end of a pass, or the switchover, shows: `code` and `reason` are empty if it is as it should be."""

    code: str = ""
    reason: str = ""


def switchover_end(evidence: Evidence, passes: Sequence[Pass], sync: Sync | None) -> Ending | None:
    """What the switchover after `sync`, the last that ended a pass, shows; None if there is none or it is undecided.

    What was left has two lower bounds: what was dirtied after the last pass seen; and what was left at that pass's last
    sample and could not be sent since, given time and bandwidth. The guest goes on dirtying between the deciding sync
    and its stop, so only a gross excess is wrong.
    """
    final = evidence.samples[-1]
    if final.status != "completed" or final.ram is None or not passes or _stopped_by_others(evidence, passes[-1]):
        return None
    if sync is None or passes[-1].number != sync.after.number:
        return _switchover_after_a_lone_pass(evidence, passes[-1])
    last = passes[-1].last
    elapsed_ms = (final.t_s - passes[-1].end_s) * 1000
    if final.ram.dirty_sync_count > passes[-1].number + 2 or elapsed_ms > 5 * BURST_MS:
        return None
    assert sync.limit_bytes is not None
    wire = max(sync.wire_bytes_per_ms.high, last.wire_bytes_per_ms)
    zeros = (final.ram.zero_pages - last.zero_pages) * last.page_bytes
    least = max(
        final.ram.conserved_bytes - passes[-1].end_bytes,
        last.remaining_bytes - zeros - (elapsed_ms + BURST_MS) * wire,
    )
    if _is_of_the_switchover(evidence, sync, final.ram, wire):
        least = max(least, sync.at_sync_bytes.low)
    allowed, burst = sync.limit_bytes.high, BURST_MS * wire
    if sync.zero_bytes > burst:  # They made the bandwidth seen too low, and QEMU may have updated it since.
        return None
    return _left_at_switchover(least, least, allowed, burst, sync.bytes_per_ms.high, sync.limit_ms)


def _is_of_the_switchover(evidence: Evidence, sync: Sync, final: Ram, wire: float) -> bool:
    """Whether what was seen after the last sync is not a pass but the switchover itself, with all that the sync found.

    It is if it was seen for less than a burst, and could not have been sent before the stop, as a pass would be.
    """
    after, last = sync.after, sync.before.last
    to_stop_ms = (min(evidence.stopped_s, float(evidence.samples.t_s[-1])) - sync.before.end_s) * 1000
    zeros = (final.zero_pages - last.zero_pages) * last.page_bytes
    seen_ms = (after.end_s - after.begin_s) * 1000
    return seen_ms < BURST_MS and sync.at_sync_bytes.low - zeros > (to_stop_ms + BURST_MS) * wire


def _switchover_after_a_lone_pass(evidence: Evidence, last_pass: Pass) -> Ending | None:
    """The same if no sync before the switchover was seen: judge by what was sent after the source's stop.

    All that was left when QEMU decided to switch over is sent then. The last sample before the stop is an upper bound
    of it. A lower bound is that minus zero pages and minus what the bandwidth allows to have been sent until the stop.
    """
    final, limit_ms = evidence.samples[-1].ram, evidence.limit_ms
    assert final is not None and limit_ms is not None
    to_stop_ms = (evidence.stopped_s - last_pass.end_s) * 1000
    if to_stop_ms > 5 * BURST_MS or last_pass.spacing_s >= UPDATE_S:
        return None
    # Up to the second pass, the shown bandwidth may be that of zero pages sent before the first sample.
    seen_s = last_pass.end_s - last_pass.begin_s
    if last_pass.number <= 2 and seen_s < _WINDOWS_SEEN * UPDATE_S:
        return None
    samples = last_pass.samples
    recent = int(samples.t_s.searchsorted(last_pass.end_s - _WINDOWS_SEEN * UPDATE_S))
    last, ending = ram_at(samples, -1), samples[-EDGE_SAMPLES:]
    wire = float(ending.wire_bytes_per_ms.max())
    bytes_per_ms, burst = evidence.trace.switchover_bytes_per_ms or wire, BURST_MS * wire
    zeros = (final.zero_pages - float(samples.zero_pages[recent])) * last.page_bytes
    if not bytes_per_ms or zeros > burst:  # Zero pages make the bandwidth seen too low.
        return None
    sent_bytes = (final.sent_pages - last.sent_pages) * last.page_bytes
    least = sent_bytes - zeros - to_stop_ms * wire - burst
    return _left_at_switchover(least, sent_bytes, limit_ms * bytes_per_ms, burst, bytes_per_ms, limit_ms)


def _stopped_by_others(evidence: Evidence, last_pass: Pass) -> bool:
    """Whether the guest may have been stopped for another reason than the switchover: then what is left is no fault.

    At the switchover QEMU syncs at once and answers hardly anything until all is sent, because it holds its big lock.
    """
    samples = evidence.samples
    after = samples.are("active") & samples.has_ram & (samples.t_s > evidence.stopped_s)
    in_the_pass = samples.dirty_sync_count[after] == last_pass.number
    return bool(np.any(in_the_pass) or np.any(samples.t_s[after] > evidence.stopped_s + BURST_MS / 1000))


def _left_at_switchover(
    least: float, most: float, allowed: float, burst: float, bytes_per_ms: float, limit_ms: float | None
) -> Ending | None:
    """The finding if `least` to `most` bytes were left at the switchover and `allowed` is the limit in bytes."""
    if least > 2 * allowed + burst:
        reason = (
            f"QEMU switched over with {least / bytes_per_ms:.0f} ms left to send where the downtime-limit is "
            f"{limit_ms:.10g} ms"
        )
        return Ending("switched-over-early", reason)
    return Ending() if most <= allowed + burst else None
