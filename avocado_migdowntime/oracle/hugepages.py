# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a pass on hugepages ended with nothing left, or as QEMU rested.

There a round of sending ends (migration/ram.c: ram_save_iterate, ram_save_host_page)

1. when nothing is left,
2. after its first hugepage, if that took 50 ms, and again after each 64 more of them,
3. after a rest, if the window's budget was used up by the very last page of a hugepage.

Where it was none of the last two it was the first. The second is out where more than one hugepage was sent in the round
that was under way, and no 65 are dirtied. The third is out where QEMU was sending again when it was last seen, too
early for another rest; or by the bandwidth, which is what a window carried ÷ whole milliseconds: after a rest within a
hugepage that is a number of pages with their headers, and after one at its end also the 8 bytes that end a round, with
up to 10 around them. There QEMU renews the bandwidth with the first page of a window, and here before that.
"""

import numpy as np
from numpy.typing import NDArray

from ..basics.qemu_constants import BUFFER_DELAY_MS, BYTES_PER_MS_PER_MBPS, HOST_PAGES_A_LOOK
from ..trace.samples import Floats
from .rounds import HEADER_BYTES, rounds_ended
from .seam import ONE_LOOK_S, OVER_S, Seam

_WINDOWS_MS = np.arange(BUFFER_DELAY_MS, 4 * BUFFER_DELAY_MS)
"""How long a window may have been, on a busy host."""
_ENDS_BYTES = 64
"""What the end of a round adds to a window is less."""
_BESIDE_PAGES = 4
"""So many pages may be of the window before or after: the first of each, and one that was on its way at a sample."""
_EXACT = 1e-5
"""By less than this share of a byte is a whole number of them missed."""


def nothing_left(seam: Seam, pages_each: float, most: float) -> bool:
    """Whether that is certain of hugepages with so many pages each, of which at `most` so many are dirtied."""
    if most > HOST_PAGES_A_LOOK or seam.rest is None or seam.answered_s[0] - seam.rest.end_s > ONE_LOOK_S:
        return False
    samples = seam.before.samples[: seam.rest.row + 1]
    rounds = rounds_ended(samples)
    in_the_round = samples.sent_pages[rounds == rounds[-1]]
    if not len(in_the_round) or in_the_round[-1] - in_the_round[0] <= pages_each:
        return False
    return _holds_pages_only(seam) if seam.at_rest else seam.rest.lasted_s >= OVER_S


def ended_at_rest(seam: Seam) -> bool:
    """Whether it is certain that the last rest came with the very last page of a hugepage, and the sync right after it.

    The window that ended then carried the end of a round, none had ended in it when QEMU was last seen to rest, and but
    that one ended until the sync: so QEMU looked before it sent again.
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
    """Whether the window that ended with the last rest carried pages, and not the end of a round."""
    _, ends = _windows(seam)
    return bool(len(ends) and not np.any(ends))


def _windows(seam: Seam) -> tuple[Floats, Floats]:
    """How many ms the window that ended with the last rest may have lasted, and the bytes beside pages in it then.

    It may have lasted for each number of milliseconds of which that bandwidth is a whole number of bytes, if as many
    bytes were counted in that time.
    """
    carried = float(seam.since.mbps[0]) * BYTES_PER_MS_PER_MBPS * _WINDOWS_MS
    whole = np.rint(carried)
    beyond_pages = whole % (seam.last.page_bytes + HEADER_BYTES)
    likely = (np.abs(carried - whole) <= _EXACT) & (beyond_pages < _ENDS_BYTES)
    may_be = likely & _may_have_been_sent(seam, whole)
    return _WINDOWS_MS[may_be], beyond_pages[may_be]


def _may_have_been_sent(seam: Seam, carried: Floats) -> NDArray[np.bool_]:
    """Whether so many bytes may have gone out in each of `_WINDOWS_MS`, by what the samples of the pass counted.

    The window ended after the last sample and before the first answer after the sync, with the first page of those that
    were sent meanwhile, and began in the same way. Its time is cut to whole milliseconds.
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
