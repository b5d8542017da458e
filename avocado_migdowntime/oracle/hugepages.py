# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a pass on hugepages ended with nothing left, or while QEMU rested.

There a round of sending ends (migration/ram.c: ram_save_iterate, ram_save_host_page)

1. when nothing is left, 2. after its first hugepage if that took 50 ms, and again after every 64 more, 3. after a rest,
if the very last page of a hugepage used up the window's budget.

If neither 2 nor 3 applies, 1 does. Case 2 is excluded if more than one hugepage was sent in the current round and at
most 65 are dirtied: after the 65th, none is left either. Case 3 is excluded if QEMU was already sending again when it
was last seen, too early for another rest; or by the bandwidth, which is what a window carried ÷ whole milliseconds.
After a rest within a hugepage, a window carried whole pages with their headers. After a rest at a hugepage's end, it
also carried the 8 bytes that end a round, with up to 10 bytes around them. In the first case QEMU updates the bandwidth
with the first page of a window, in the second before that page.
"""

import numpy as np
from numpy.typing import NDArray

from ..basics.qemu_constants import BUFFER_DELAY_MS, BYTES_PER_MS_PER_MBPS, HOST_PAGES_A_LOOK
from ..trace.samples import Floats
from .rounds import HEADER_BYTES, OVER_S, rounds_ended
from .seam import ONE_LOOK_S, Seam

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
    if most >= HOST_PAGES_A_LOOK + 2 or seam.rest is None:
        return False
    samples = seam.before.samples[: seam.rest.row + 1]
    rounds, conserved = rounds_ended(samples), samples.conserved_bytes
    # The header of a page on its way, by which K is a page smaller, looks like the end of a round.
    in_the_round = samples.sent_pages[(rounds == rounds[-1]) & (conserved == conserved[-1])]
    if not len(in_the_round) or in_the_round[-1] - in_the_round[0] <= pages_each:
        return False
    is_late = seam.answered_s[0] - seam.rest.end_s > ONE_LOOK_S
    if not seam.at_rest:
        return not is_late and seam.rest.lasted_s >= OVER_S
    _, carried, ends = _windows(seam)
    return bool(len(ends)) and not np.any(ends) and (not is_late or _ended_with_the_rest(seam, carried))


def ended_at_rest(seam: Seam) -> bool:
    """Whether the last rest certainly began with the very last page of a hugepage, with the sync right after it.

    The window that ended then contained the end of a round; no round had ended in it when QEMU was last seen resting;
    and no other round ended until the sync. So QEMU checked before it sent again.
    """
    if seam.rest is None or not seam.at_rest or seam.answered_s[0] - seam.rest.end_s > ONE_LOOK_S:
        return False
    windows_ms, _, ends = _windows(seam)
    if not len(ends) or not np.all(ends) or seam.rounds[0] != 1:
        return False
    if seam.since.zero_pages[0] != seam.last.zero_pages:
        return False  # The first of them may be what the window carried beyond pages.
    samples, row = seam.before.samples, seam.before.last_row
    before = int((samples.answered_s - samples.t_s[row]).searchsorted(-(windows_ms.max() + 1) / 1000, "right")) - 1
    two_samples = samples.take(np.array([max(before, 0), row]))
    rounds, conserved = rounds_ended(two_samples), two_samples.conserved_bytes
    return bool(before >= 0 and rounds[0] == rounds[1] and conserved[0] == conserved[1])


def _ended_with_the_rest(seam: Seam, carried: Floats) -> bool:
    """Whether the window that carried that much ended with the last rest, and no other one ended between that rest and
    the first answer after the sync.

    Another one would have carried no more than was sent in between. A rest in between would have ended another one.
    """
    sent = float(seam.since.counted_bytes[0] - seam.before.samples.counted_bytes[seam.before.last_row])
    return float(carried.min()) > sent + _beside_bytes(seam)


def _windows(seam: Seam) -> tuple[Floats, Floats, Floats]:
    """The possible lengths (ms) of the window that ended with the last rest; for each, the bytes that it carried, and
    those of them that are not pages.

    A length is possible if the bandwidth makes it a whole number of bytes, and if as many bytes were counted in that
    time. If zero pages may have been among them, nothing is known: each costs 9 bytes.
    """
    carried = float(seam.since.mbps[0]) * BYTES_PER_MS_PER_MBPS * _WINDOWS_MS
    whole = np.rint(carried)
    sent_so, with_zeros = _may_have_been_sent(seam, whole)
    may_be = (np.abs(carried - whole) <= _EXACT) & sent_so
    beyond_pages = whole % (seam.last.page_bytes + HEADER_BYTES)
    if np.any(may_be & with_zeros):
        may_be[:] = False
    may_be &= beyond_pages < _ENDS_BYTES
    return _WINDOWS_MS[may_be], whole[may_be], beyond_pages[may_be]


def _may_have_been_sent(seam: Seam, carried: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each of `_WINDOWS_MS`: whether `carried` bytes may have been sent in it, by what the pass's samples counted;
    and whether zero pages may have been sent in it.

    The window ended after the last sample and before the first answer after the sync, with the first page of those sent
    meanwhile; it began in the same way. Its time is truncated to whole milliseconds.
    """
    samples, row = seam.before.samples, seam.before.last_row
    asked_s, answered_s = samples.t_s - samples.t_s[row], samples.answered_s - samples.t_s[row]
    earliest_s, latest_s = -(_WINDOWS_MS + 1) / 1000, seam.answered_s[0] - (_WINDOWS_MS - 1) / 1000
    before, after = answered_s.searchsorted(earliest_s, "right") - 1, asked_s.searchsorted(latest_s)
    since = samples.counted_bytes[row] - samples.counted_bytes
    beside = _beside_bytes(seam)
    most = np.where(before < 0, np.inf, since[before] + beside)
    sent_so: NDArray[np.bool_] = (since[np.minimum(after, row)] - beside <= carried) & (carried <= most)
    zeros = samples.zero_pages
    with_zeros: NDArray[np.bool_] = zeros[np.maximum(before, 0)] != zeros[row]
    # The first pass sends most of the zero pages, up to its end.
    return sent_so, with_zeros | ((before < 0) & (seam.before.number <= 2))


def _beside_bytes(seam: Seam) -> float:
    return _BESIDE_PAGES * (seam.last.page_bytes + HEADER_BYTES)
