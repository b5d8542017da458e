# SPDX-License-Identifier: GPL-2.0-or-later
"""The limit at which QEMU ended a pass, from QEMU's checks (looks) near the end of that pass.

At a look QEMU computes the bandwidth of the window that just ended, and syncs if what is left is below limit ×
bandwidth (migration/migration.c: migration_update_counters, migration_iteration_run). So the limit is above what was
left at the look that ended the pass, and not above what was left at the look before, after which QEMU went on.
"""

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS, HOST_PAGES_A_LOOK
from ..oracle.evidence import Evidence
from ..oracle.rounds import OVER_S
from ..oracle.seam import ONE_LOOK_S, Rest, rests
from ..oracle.syncs import Sync

_LOOKS_BACK_S = 3.5 * BUFFER_DELAY_MS / 1000
"""How long before the end of a pass to search for rests; two are needed."""


def stride_bytes(evidence: Evidence, page_bytes: float) -> float:
    """What may be sent between two looks beyond a window's budget: on hugepages, QEMU sends a number of them."""
    host_page_bytes = evidence.trace.host_page_bytes
    return HOST_PAGES_A_LOOK * host_page_bytes if host_page_bytes > page_bytes else 0.0


def works_as_ms(evidence: Evidence, sync: Sync) -> Interval:
    """The configured downtime-limit as this end shows it; if another limit held then, it is scaled in proportion.

    If the looks are not seen, the limit lies above what was left, and below what was left one window (and one stride)
    before.
    """
    page_bytes, unsent = sync.before.last.page_bytes, sync.unsent_bytes
    if unsent.width or not 0 < evidence.trace.host_page_bytes <= page_bytes:
        stride_ms = stride_bytes(evidence, page_bytes) / sync.bytes_per_ms.low
        return _in_proportion(evidence, sync.works_as_ms.shifted(0, stride_ms), sync.limit_ms)
    samples, row = sync.before.samples, sync.before.last_row
    begin = int(samples.t_s.searchsorted(samples.t_s[row] - _LOOKS_BACK_S))
    long_rests = [rest for rest in rests(samples[: row + 1], begin) if rest.lasted_s >= OVER_S]
    # The last rest ended with the look that ended the pass, or with one after which everything left was sent.
    ended = bool(long_rests) and long_rests[0].row == row and unsent.high == sync.before.last.remaining_bytes
    went_on = long_rests[1:2] if ended else long_rests[:1] if not unsent.high else []
    least_ms = _left_ms(evidence, sync, long_rests[0]) if ended else 0.0
    most_ms = _left_ms(evidence, sync, went_on[0]) if went_on else None
    if least_ms is None or most_ms is None:
        return _in_proportion(evidence, sync.works_as_ms, sync.limit_ms)
    return Interval(least_ms, max(least_ms, most_ms))


def _left_ms(evidence: Evidence, sync: Sync, rest: Rest) -> float | None:
    """What was left at the look that ended a rest, in ms at that bandwidth, scaled to the configured limit.

    None if it is not certain which limit or bandwidth held.
    """
    samples = sync.before.samples
    later = samples[rest.row + 1 :]
    # QEMU shows the bandwidth of that look until the next one.
    after = later if len(later) else sync.after.samples
    rested_s, shown_s = float(samples.t_s[rest.row]), float(after.t_s[0])
    if float(after.answered_s[0]) - rested_s > ONE_LOOK_S or any(
        event.limit_ms is not None and event.since_s <= shown_s and event.t_s >= rested_s
        for event in evidence.trace.events
    ):
        return None
    bytes_per_ms = evidence.trace.switchover_bytes_per_ms or float(after.wire_bytes_per_ms[0])
    if not bytes_per_ms:
        return None
    left_ms = float(samples.remaining_bytes[rest.row]) / bytes_per_ms
    return _in_proportion(evidence, Interval(left_ms, left_ms), evidence.limits.at(shown_s)).high


def _in_proportion(evidence: Evidence, works_as: Interval, limit_ms: float | None) -> Interval:
    configured_ms = evidence.limit_ms
    return works_as.scaled(configured_ms / limit_ms) if configured_ms and limit_ms else works_as
