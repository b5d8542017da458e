# SPDX-License-Identifier: GPL-2.0-or-later
"""Narrows the bounds of what a sync found by QEMU's later report, if nothing else shows what was unsent.

That is so if the downtime-limit is not recorded, or samples are sparse. A report tells what the sync found if, within
the bounds from the conservation law, it can be nothing but what was left at the sync.
"""

import numpy as np
from msgspec.structs import replace

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..oracle.syncs import Sync

SHARP = 0.04
"""What a sync found is known well if it is known to this relative width."""
_SENT_WINDOWS = 2.5
"""Once this many windows' worth was sent since the sync, QEMU has updated its report."""
NEAR = 0.1
"""The bandwidth that a report was divided by may differ by this share from the one shown beside it."""


def is_sharp(sync: Sync) -> bool:
    """Whether it is known well what the sync found."""
    return sync.at_sync_bytes.width <= SHARP * sync.at_sync_bytes.high + sync.before.last.page_bytes


def narrowed(sync: Sync) -> Sync:
    """The same sync with narrower bounds of what it found, if the reports after it allow that."""
    if is_sharp(sync):
        return sync
    at_sync_bytes, ram = sync.at_sync_bytes, sync.after.samples
    sent_bytes = at_sync_bytes.low - ram.remaining_bytes
    telling = (sent_bytes >= _SENT_WINDOWS * BUFFER_DELAY_MS * ram.wire_bytes_per_ms) & (ram.dirty_pages_per_s > 0)
    rows = np.flatnonzero(telling & (ram.mbps > 0) & ~np.isnan(ram.expected_downtime_ms))
    if not len(rows):
        return sync
    bytes_per_ms = sync.divisor_of(ram)[rows]
    reported = float(np.median(ram.expected_downtime_ms[rows] * bytes_per_ms))
    dirtied = float(np.median(ram.dirty_bytes_per_ms[rows] * 1000))
    factor = 1 + float(np.median(ram.dirty_bytes_per_ms[rows] / bytes_per_ms))
    least, most = at_sync_bytes.low * (1 - NEAR), at_sync_bytes.high * (1 + NEAR)
    if abs(reported / dirtied - 1) <= NEAR or not least <= reported <= most or least <= reported / factor:
        return sync
    by_report = Interval(reported * (1 - SHARP / 4), reported * (1 + SHARP / 4))
    narrow_bounds = (
        by_report.intersection(at_sync_bytes)
        if by_report.meets(at_sync_bytes)
        else Interval(*[min(max(reported, at_sync_bytes.low), at_sync_bytes.high)] * 2)
    )
    return replace(sync, at_sync_bytes=narrow_bounds, likely_bytes=narrow_bounds.middle)
