# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a pass on hugepages ended with nothing left, or while QEMU rested.

There a round of sending ends (migration/ram.c: ram_save_iterate, ram_save_host_page)

1. when nothing is left, 2. after its first hugepage if that took 50 ms, and again after every 64 more, 3. after a rest,
if the very last page of a hugepage used up the window's budget.

If neither 2 nor 3 applies, 1 does. Case 2 is excluded if more than one hugepage was sent in the current round and fewer
than 65 are dirtied. Case 3 is excluded if QEMU was already sending again when it was last seen, too early for another
rest; or by the bandwidth, which is what a window carried ÷ whole milliseconds. After a rest within a hugepage, a window
carried whole pages with their headers. After a rest at a hugepage's end, it also carried the 8 bytes that end a round,
with up to 10 bytes around them. In the first case QEMU updates the bandwidth with the first page of a window, in the
second before that page.
"""

import numpy as np
from numpy.typing import NDArray

from ..basics.qemu_constants import BUFFER_DELAY_MS, BYTES_PER_MS_PER_MBPS, HOST_PAGES_A_LOOK
from ..trace.samples import Floats
from .rounds import HEADER_BYTES, rounds_ended
from .seam import ONE_LOOK_S, OVER_S, Seam

_WINDOWS_MS = np.arange(BUFFER_DELAY_MS, 4 * BUFFER_DELAY_MS)
"""The possible lengths of a window, on a busy host."""
_ENDS_BYTES = 64
"""The end of a round adds fewer bytes than this to a window."""
_BESIDE_PAGES = 4
"""The pages that may belong to the window before or after: the first of each, and one on its way at a sample."""
_EXACT = 1e-5
"""A byte count may be off a whole number by less than this."""


def nothing_left(seam: Seam, pages_each: float, most: float) -> bool:
    """Whether that is certain, for hugepages of `pages_each` pages, at most `most` of which are dirtied."""
    if most > HOST_PAGES_A_LOOK or seam.rest is None or seam.answered_s[0] - seam.rest.end_s > ONE_LOOK_S:
        return False
    samples = seam.before.samples[: seam.rest.row + 1]
    rounds = rounds_ended(samples)
    in_the_round = samples.sent_pages[rounds == rounds[-1]]
    if not len(in_the_round) or in_the_round[-1] - in_the_round[0] <= pages_each:
        return False
    return _holds_pages_only(seam) if seam.at_rest else seam.rest.lasted_s >= OVER_S


def ended_at_rest(seam: Seam) -> bool:
    """Whether the last rest certainly began with the very last page of a hugepage, with the sync right after it.

    The window that ended then contained the end of a round; no round had ended in it when QEMU was last seen resting;
    and no other round ended until the sync. So QEMU checked before it sent again.
    """
    if seam.rest is None or not seam.at_rest or seam.answered_s[0] - seam.rest.end_s > ONE_LOOK_S:
        return False
    windows_ms, ends = _windows(seam)
    if not len(ends) or not np.all(ends) or seam.rounds[0] != 1:
        return False
    samples, row = seam.before.samples, seam.before.last_row
    before = int((samples.answered_s - samples.t_s[row]).searchsorted(-(windows_ms.max() + 1) / 1000, "right")) - 1
    two_samples = samples.take(np.array([max(before, 0), row]))
    rounds, conserved = rounds_ended(two_samples), two_samples.conserved_bytes
    return bool(before >= 0 and rounds[0] == rounds[1] and conserved[0] == conserved[1])


def _holds_pages_only(seam: Seam) -> bool:
    """Whether the window that ended with the last rest carried pages, and no end of a round."""
    _, ends = _windows(seam)
    return bool(len(ends) and not np.any(ends))


def _windows(seam: Seam) -> tuple[Floats, Floats]:
    """The possible lengths (ms) of the window that ended with the last rest, and the bytes other than pages in it for
    each.

    A length is possible if the bandwidth makes it a whole number of bytes, and if as many bytes were counted in that
    time.
    """
    carried = float(seam.since.mbps[0]) * BYTES_PER_MS_PER_MBPS * _WINDOWS_MS
    whole = np.rint(carried)
    beyond_pages = whole % (seam.last.page_bytes + HEADER_BYTES)
    likely = (np.abs(carried - whole) <= _EXACT) & (beyond_pages < _ENDS_BYTES)
    may_be = likely & _may_have_been_sent(seam, whole)
    return _WINDOWS_MS[may_be], beyond_pages[may_be]


def _may_have_been_sent(seam: Seam, carried: Floats) -> NDArray[np.bool_]:
    """For each of `_WINDOWS_MS`: whether `carried` bytes may have been sent in it, by what the pass's samples counted.

    The window ended after the last sample and before the first answer after the sync, with the first page of those sent
    meanwhile; it began in the same way. Its time is truncated to whole milliseconds.
    """
    samples, row = seam.before.samples, seam.before.last_row
    asked_s, answered_s = samples.t_s - samples.t_s[row], samples.answered_s - samples.t_s[row]
    earliest_s, latest_s = -(_WINDOWS_MS + 1) / 1000, seam.answered_s[0] - (_WINDOWS_MS - 1) / 1000
    before, after = answered_s.searchsorted(earliest_s, "right") - 1, asked_s.searchsorted(latest_s)
    since = samples.counted_bytes[row] - samples.counted_bytes
    beside = _BESIDE_PAGES * (seam.last.page_bytes + HEADER_BYTES)
    most = np.where(before < 0, np.inf, since[before] + beside)
    sent_so: NDArray[np.bool_] = (since[np.minimum(after, row)] - beside <= carried) & (carried <= most)
    return sent_so
