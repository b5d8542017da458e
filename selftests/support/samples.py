# SPDX-License-Identifier: GPL-2.0-or-later
"""Samples made by hand, one by one."""

from avocado_migdowntime.trace.ram import Ram
from avocado_migdowntime.trace.sample import Sample

PAGE = 4096
TEN_SECONDS_LEFT = Ram(
    remaining_bytes=1_250_000_000,
    page_bytes=PAGE,
    sent_pages=0,
    zero_pages=0,
    dirty_sync_count=2,
    dirty_pages_per_s=6104,
    mbps=1000.0,
)
"""A single look at a guest that dirties 25 MB/s and has 10 s left to send at 125 MB/s."""


def sample(
    t_s,
    number=2,
    remaining=100,
    sent=0,
    mbps=8.0,
    status="active",
    latency_ms=0.0,
    zeros=0,
    rounds=None,
    pending=None,
):
    """A sample with that many pages left and sent, at 1000 bytes per millisecond.

    It is after that many `rounds`, if QEMU shows what it counted, and with that many pages `pending` at QEMU's last
    check.
    """
    counted = None if rounds is None else (PAGE + 8) * (sent - zeros) + 9 * zeros + round(8 * rounds)
    ram = Ram(remaining * PAGE, PAGE, sent, zeros, number, 0, mbps, counted)
    return Sample(t_s, latency_ms, status, None, ram, pending_bytes=None if pending is None else pending * PAGE)
