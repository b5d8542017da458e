# SPDX-License-Identifier: GPL-2.0-or-later
"""The default max-bandwidth of a migration.

A pass must be seen for some of QEMU's windows of 100 ms, and its expected-downtime must be large compared with the
whole milliseconds to which QEMU truncates it. A longer pass only takes time.
"""

from math import floor, log2

from ..basics.qemu_constants import BUFFER_DELAY_MS

FOR_A_SLOW_GUEST = 12_000_000
"""Bytes per second; a guest that does not dirty as fast as it can still dirties more than that, in most orders."""
MOST_BYTES_PER_S = 50_000_000
"""Bytes per second that a busy host can still send while it samples, and that its guest still dirties faster than."""
PASS_MS = 500
_PAGE_BYTES, _HEADER_BYTES = 4096, 8
"""A page on the wire is preceded by its position (migration/ram.c: save_page_header)."""


def for_short_passes(region_bytes: int, limit_ms: int, host_page_bytes: int) -> int:
    """A bandwidth up to MOST_BYTES_PER_S at which passes over this region last PASS_MS and end with the limit's worth
    unsent.

    In a window, QEMU sends whole pages until the window's budget is exceeded. With this number of pages, the expected
    downtime is slightly above a whole number of milliseconds, whether windows last 100 ms or one more; so truncation to
    whole milliseconds hardly changes it.

    On hugepages QEMU rests between windows. If a rest is at the end of a hugepage, QEMU checks the limit at the ends of
    the following ones (see oracle/hugepages.py), and what is left then is known less well. So if the limit allows to
    leave much, the number between two rests is the nearest power of two: then rests are at few places of a hugepage,
    seldom at its end. The first page after a rest belongs to the window before.
    """
    expected_ms = PASS_MS + 2 * limit_ms
    pages = region_bytes // _PAGE_BYTES
    windows = expected_ms / BUFFER_DELAY_MS
    pages_a_window = max(1, int(pages * _PAGE_BYTES / (_PAGE_BYTES + _HEADER_BYTES) / windows))
    if host_page_bytes > _PAGE_BYTES and limit_ms > 1:
        pages_a_window = max(1, 2 ** floor(log2(pages_a_window / 0.75)) - 1)
    half_a_page_less = (pages_a_window - 0.5) * (_PAGE_BYTES + _HEADER_BYTES)
    return min(MOST_BYTES_PER_S, round(half_a_page_less * 1000 / BUFFER_DELAY_MS))
