# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU 11.1 found pending at its last look, and what that shows about the end of a pass.

It is the `remaining` of the whole answer, devices included. QEMU looks between two rounds of sending: it takes the
figure, and if that fits the limit, it syncs and takes the figure again, before it goes on sending. So until the next
look, the figure is what the sync found; and for a moment before the sync is counted, it is still what was left then.
"""

from math import inf

import numpy as np

from .seam import ONE_LOOK_S, Seam


def most_left_bytes(seam: Seam) -> float:
    """An upper bound of what was left at the sync; infinite if QEMU does not report it.

    The figure includes what devices have, so less may have been left.
    """
    since = seam.since
    pending = since.pending_bytes
    if np.isnan(pending[0]):
        return inf
    without_number = since.dirty_sync_count == seam.before.number
    most = float(pending[without_number].min(initial=inf))
    # Once more was sent after the sync, the figure is that of the sync, or of a look after the next rest.
    sent_on = np.flatnonzero((seam.sent_bytes > seam.sent_bytes[0]) | (seam.sent_bytes > seam.last.remaining_bytes))
    if not len(sent_on) or seam.rest is None:
        return most
    row = int(sent_on[0])
    dirtied_bytes = seam.after.begin_bytes - seam.before.end_bytes
    # A sync finds all that was dirtied, except a page on its way; a later look may find less.
    least = max(float(since.remaining_bytes[: row + 1].max()), dirtied_bytes - seam.last.page_bytes)
    if seam.answered_s[row] - seam.rest.end_s > ONE_LOOK_S or pending[row] < least:
        return most
    return min(most, float(pending[row]) - dirtied_bytes)
