# SPDX-License-Identifier: GPL-2.0-or-later
"""The samples around a sync at the end of a pass on hugepages, made by hand.

Hugepages of 8 pages; a window sends 100 pages, and 30 are left in the last but one.
"""

from avocado_migdowntime.oracle.passes import Pass
from avocado_migdowntime.oracle.unsent import unsent_bytes
from avocado_migdowntime.trace.samples import Samples

from .samples import PAGE, sample

BURST, LEFT, FOUND, HUGE = 100, 30, 500, 8 * PAGE
NOTHING, OPEN = (0, 0), (0, LEFT)


def mbps(beyond=0, pages=BURST, ms=100):
    """As QEMU computes it, of a window that carried so many pages with their headers, and some bytes."""
    return (pages * (PAGE + 8) + beyond) * 8.0 / (ms / 1000.0) / 1000.0 / 1000.0


def before(*later, number=3, in_round=9, zero_s=0.0):
    """A burst and its rest until -1 ms, in the midst of a round; and what was sent in the next: (ms, pages)."""
    sent = 2000
    moments = [(-99, -in_round), (-90, 0), (-50, 0), (-1, 0), *later]
    return [
        sample(zero_s + ms / 1000, number, LEFT - pages, sent + pages, mbps(), latency_ms=0.5, rounds=7)
        for ms, pages in moments
    ]


def after(ms=1, pages=LEFT + 5, of_window=None, number=4, zero_s=0.0):
    of_window = mbps() if of_window is None else of_window
    return [
        sample(zero_s + (ms + 5 * row) / 1000, number, LEFT + FOUND - pages - row, 2000 + pages + row, of_window,
               latency_ms=0.5, rounds=8)
        for row in range(4)
    ]  # fmt: skip


def unsent(first, second, most=64.0, host_page_bytes=HUGE):
    """What was left at the sync, in pages: at least, and at most."""
    found = unsent_bytes(*(Pass.of(Samples.of(rows)) for rows in (first, second)), host_page_bytes, most)
    return found.low / PAGE, found.high / PAGE
