# SPDX-License-Identifier: GPL-2.0-or-later
"""The max-bandwidth of a migration for which nobody names one.

A pass has to be seen for some windows of 100 ms, QEMU's, and its expected-downtime has to be large against the whole
millisecond that QEMU cuts it to. More than that is waiting.
"""

from ..basics.qemu_constants import BUFFER_DELAY_MS

FOR_A_SLOW_GUEST = 12_000_000
"""Bytes per second; what does not dirty as fast as it can still dirties more than that, in most orders."""
MOST_BYTES_PER_S = 50_000_000
"""Bytes per second that a busy host still sends while it samples, and that its guest outdoes."""
PASS_MS = 500
_PAGE_BYTES, _HEADER_BYTES = 4096, 8
"""A page on the wire: its place goes before it (migration/ram.c: save_page_header)."""


def for_short_passes(region_bytes: int, limit_ms: int) -> int:
    """Up to MOST_BYTES_PER_S, so that passes of this region last PASS_MS and end with so much unsent.

    QEMU sends whole pages in a window, so many that the limit of the window is passed. With that number of them the
    expected downtime is little above a whole number of milliseconds, whether windows last 100 ms or one more: cut to
    whole milliseconds it loses hardly anything.
    """
    expected_ms = PASS_MS + 2 * limit_ms
    pages = region_bytes // _PAGE_BYTES
    windows = expected_ms / BUFFER_DELAY_MS
    pages_a_window = max(1, int(pages * _PAGE_BYTES / (_PAGE_BYTES + _HEADER_BYTES) / windows))
    half_a_page_less = (pages_a_window - 0.5) * (_PAGE_BYTES + _HEADER_BYTES)
    return min(MOST_BYTES_PER_S, round(half_a_page_less * 1000 / BUFFER_DELAY_MS))
