# SPDX-License-Identifier: GPL-2.0-or-later
"""What else makes the default downtime-limit enough: more bandwidth, or a throttled guest.

Passes as long as those seen do not show how much the guest dirties in shorter ones. So there are two figures: what is
enough in any case, and what is needed in any case. Each comes from following the passes under the limit.
"""

from collections.abc import Callable
from math import ceil, floor

from ..basics.qemu_constants import BUFFER_DELAY_MS, DEFAULT_DOWNTIME_LIMIT_MS
from .advice import Help
from .observed import ObservedPrecopy
from .precopy import Pending, predict

GREATEST_THROTTLE_PERCENT = 99
"""QEMU throttles a guest by no more (max-cpu-throttle)."""
SPARE = 1.05
"""The reserve in what is called enough: bandwidths vary."""
_HALVINGS = 20


def help_of(precopy: ObservedPrecopy, next_bytes: float) -> Help:
    """What makes the default limit enough, from the last sync on; without help, the next sync finds `next_bytes`."""
    curve, wire = precopy.curve, precopy.wire_bytes_per_ms
    most_bytes_per_ms = bandwidth_needed(precopy)
    enough = _least(lambda bandwidth: _converges(precopy, curve.most_pending, bandwidth), wire, most_bytes_per_ms * 2)
    needed = _least(lambda bandwidth: _converges(precopy, curve.least_pending, bandwidth), wire / 2, enough)
    whole = range(GREATEST_THROTTLE_PERCENT + 1)
    fits = min(1.0, DEFAULT_DOWNTIME_LIMIT_MS * precopy.threshold_bytes_per_ms / next_bytes)
    percent = ceil(_together(precopy.throttle_percent.high, 100 * (1 - fits)))
    least = next((one for one in whole if _converges(precopy, _slowed(curve.least_pending, one), wire)), None)
    return Help(
        bandwidth_bytes_per_ms=enough * SPARE,
        throttle_percent=percent if percent <= GREATEST_THROTTLE_PERCENT else None,
        least_bandwidth_bytes_per_ms=needed / SPARE,
        least_throttle_percent=floor(_together(precopy.throttle_percent.low, least / SPARE)) if least else least,
    )


def bandwidth_needed(precopy: ObservedPrecopy) -> float:
    """The bandwidth that sends in 300 ms all that may be dirtied in 300 ms: from then on passes get shorter."""
    within_ms = DEFAULT_DOWNTIME_LIMIT_MS + BUFFER_DELAY_MS
    return precopy.curve.bounds(within_ms).high / DEFAULT_DOWNTIME_LIMIT_MS


def _together(percent: float, more: float) -> float:
    """The throttle that stops the guest for another `more` percent of the time that a throttle of `percent` leaves."""
    return percent + more * (1 - percent / 100)


def _converges(precopy: ObservedPrecopy, pending: Pending, bytes_per_ms: float) -> bool:
    begin_bytes = precopy.syncs[-1].at_sync_bytes.high
    return predict(pending, bytes_per_ms, begin_bytes, DEFAULT_DOWNTIME_LIMIT_MS).converges


def _slowed(pending: Pending, percent: int) -> Pending:
    """The same for a guest that stands still for `percent` of the time."""
    return lambda duration_ms, unsent_bytes: pending(duration_ms * (1 - percent / 100), unsent_bytes)


def _least(does: Callable[[float], bool], low: float, high: float) -> float:
    """The least bandwidth from `low` to `high` that does, by bisection; assumes that `high` does."""
    if does(low):
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if does(middle) else (middle, high)
    return high
