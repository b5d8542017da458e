# SPDX-License-Identifier: GPL-2.0-or-later
"""K (remaining + sent bytes) when pages count as sent later than they leave `remaining`: multifd, from QEMU 9.0 on.

There a page leaves `remaining` when it is put into a packet, and counts as sent when a channel's thread takes the
packet (migration/multifd-nocomp.c: multifd_queue_page; multifd-zero-page.c: multifd_send_zero_page_detect). So K is too
small by what waits, at best by nothing, and never too large: its greatest value is the best one. A packet that is not
full may wait for the whole pass, until it is flushed when nothing is left (multifd_ram_flush_and_sync).
"""

import numpy as np

from ..basics.qemu_constants import BUFFER_DELAY_MS, MULTIFD_PACKET_BYTES
from ..trace.samples import Samples

_PLATEAU = 2
"""Flushed pages have all been counted when this many consecutive samples show the same."""
_REST_S = 0.15 * BUFFER_DELAY_MS / 1000
"""Sending nothing for this long is a rest: see seam.py."""


def whole_count(samples: Samples) -> int:
    """The number of a pass's samples before those that already show what its final sync found.

    QEMU 11.1 counts a sync only when it is done. By then `remaining` has risen, which nothing else makes it do.
    """
    t_s, remaining = samples.t_s, samples.remaining_bytes
    middle_s = (t_s[0] + t_s[-1]) / 2
    rises = np.flatnonzero((np.diff(remaining) > samples.page_bytes[0]) & (t_s[1:] > middle_s))
    return int(rises[0]) + 1 if len(rises) else len(samples)


def conserved_bytes(samples: Samples, whole: int, queued_bytes: float) -> tuple[float, float]:
    """The least possible K of a pass, by its first `whole` samples (at least one), and how much more it may be.

    It may be up to a packet more if QEMU was seen resting when K was greatest; else as much as can wait.
    """
    counted = samples[:whole]
    most = float(counted.conserved_bytes.max())
    at_sync = _flushed_bytes(counted, samples[whole:])
    if at_sync is not None and most <= at_sync < most + MULTIFD_PACKET_BYTES:
        return at_sync, 0.0
    flushed = counted[-_PLATEAU:]
    is_exact = len(counted) >= _PLATEAU and not flushed.remaining_bytes.any()
    is_exact = is_exact and bool(np.all(flushed.conserved_bytes == most))
    if is_exact:
        return most, 0.0
    return most, float(MULTIFD_PACKET_BYTES) if _rested(counted, most) else queued_bytes


def spread_bytes(counted: Samples, queued_bytes: float) -> float:
    """How far K falls in a quarter of the samples, beyond what queued pages explain.

    If that is not 0, pages are counted elsewhere.
    """
    conserved = counted.conserved_bytes
    low = float(np.sort(conserved)[len(conserved) // 4])
    return max(0.0, float(conserved.max()) - low - queued_bytes - 2 * float(counted.open_bytes.max()))


def _rested(counted: Samples, most: float) -> bool:
    """Whether nothing was queued or sent for a while when K was `most`: then channels have taken all whole packets."""
    figures = np.array([counted.sent_pages, counted.remaining_bytes])
    changed = np.flatnonzero(np.any(figures[:, 1:] != figures[:, :-1], axis=0)) + 1
    firsts, lasts = np.append(0, changed), np.append(changed, len(counted)) - 1
    lasted_s = counted.t_s[lasts] - counted.answered_s[firsts]
    return bool(np.any((lasted_s >= _REST_S) & (counted.conserved_bytes[firsts] == most)))


def _flushed_bytes(before: Samples, during: Samples) -> float | None:
    """K if the pass is known to have ended with nothing left, by what had been sent while the sync was running.

    A pass sends whole packets. Any other remainder shows a flush; and between two samples without a rest, QEMU syncs
    after a flush only when nothing is left. Zero pages go in packets too, or else separately.
    """
    if not len(during) or before.open_bytes.any():
        return None
    page_bytes = float(before.page_bytes[0])
    sent_pages = float(during.sent_pages[0] - before.sent_pages[-1])
    normal = sent_pages - float(during.zero_pages[0] - before.zero_pages[-1])
    a_packet = MULTIFD_PACKET_BYTES / page_bytes
    all_seen = before.remaining_bytes[-1] == 0 and sent_pages == 0
    is_flushed = sent_pages % a_packet != 0 and normal % a_packet != 0
    return float(during.sent_pages[0]) * page_bytes if all_seen or is_flushed else None
