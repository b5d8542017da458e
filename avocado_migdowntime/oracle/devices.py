# SPDX-License-Identifier: GPL-2.0-or-later
"""What devices have to send, from the pending bytes that QEMU 11.1 reports.

At each look, QEMU adds up what is left of RAM and what devices have (see pending.py), and reports that until the next
look. If two samples bracket a look, the figure minus what was left of RAM is what devices have: at most by what was
left after the look, at least by what was left before it. At a sync, the bounds come from what the sync found, according
to the conservation law.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS, MAX_WAIT_MS
from ..trace.samples import Floats
from .passes import Pass
from .syncs import Sync

LEAST_BYTES = 4096
"""Less than a page counts as nothing, both as what devices have and as a difference between looks."""
LOOKS = 5
"""The number of looks that must be seen."""
_MANY = 0.9
"""The share of looks that must agree: one in ten may be torn."""
_NO_OTHER_LOOK_MS = 0.9 * MAX_WAIT_MS
"""While something is left, the next look comes no sooner than a round of sending lasts."""
_ONE_LOOK_MS = 0.95 * BUFFER_DELAY_MS


@dataclass(frozen=True, eq=False)
class Devices:
    """What devices have to send: `at_looks` has a column for each look, with the least and the most bytes."""

    at_looks: Floats

    @property
    def likely_bytes(self) -> Interval:
        """What devices have, assumed constant: by nine looks in ten, or by the median look if these disagree."""
        least, most = float(np.quantile(self.at_looks[0], _MANY)), float(np.quantile(self.at_looks[1], 1 - _MANY))
        if least > most:
            least, most = np.median(self.at_looks, axis=1).tolist()
        return Interval(max(0.0, least), max(0.0, most))

    def strange_looks(self, tolerance_bytes: float) -> int:
        """The number of looks that differ from that by more than the tolerance."""
        likely, (least, most) = self.likely_bytes, self.at_looks
        return int(np.count_nonzero((least > likely.high + tolerance_bytes) | (most < likely.low - tolerance_bytes)))


def devices(passes: Sequence[Pass], syncs: Sequence[Sync]) -> Devices | None:
    """What the looks in `passes`, and at the `syncs` between them, show; None if QEMU does not report it."""
    looks = [look for one in passes for look in _looks(one)]
    for sync in syncs:
        first = sync.after.samples[:2]
        if not np.isnan(first.pending_bytes[0]):
            at_sync_bytes = sync.at_sync_bytes
            # The figure is what the sync found, or what was left at a look soon after it.
            looks.append(
                (first.pending_bytes[0] - at_sync_bytes.high, first.pending_bytes[0] - first.remaining_bytes[-1])
            )
    return Devices(np.array(looks).T) if len(looks) >= LOOKS else None


def with_devices(sync: Sync, devices: Devices) -> Sync:
    """The sync with what devices certainly have added; exact if QEMU's own figure lies within the bounds.

    QEMU's first figure is what the sync found if no other look came in between.
    """
    device_bytes = devices.likely_bytes.low if devices.likely_bytes.low >= LEAST_BYTES else 0.0
    of_both = sync.at_sync_bytes.shifted(device_bytes)
    first = sync.after.samples[:1]
    pending = float(first.pending_bytes[0])
    soon = float(first.answered_s[0] - sync.before.samples.t_s[sync.before.last_row]) * 1000 < _NO_OTHER_LOOK_MS
    if soon and first.remaining_bytes[0] and of_both.low <= pending <= of_both.high:
        return replace(sync, at_sync_bytes=Interval(pending, pending), likely_bytes=pending)
    return replace(sync, at_sync_bytes=of_both, likely_bytes=sync.likely_bytes + device_bytes)


def _looks(one: Pass) -> list[tuple[float, float]]:
    samples = one.samples[: one.whole_count]
    pending, remaining_bytes = samples.pending_bytes, samples.remaining_bytes
    rows = np.flatnonzero(pending[1:] != pending[:-1]) + 1
    rows = rows[rows + 1 < len(samples)]
    seen_ms = (samples.answered_s[rows] - samples.t_s[rows - 1]) * 1000
    rows = rows[(seen_ms < _ONE_LOOK_MS) & ~np.isnan(pending[rows])]
    return list(zip(pending[rows] - remaining_bytes[rows - 1], pending[rows] - remaining_bytes[rows + 1], strict=True))
