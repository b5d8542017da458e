# SPDX-License-Identifier: GPL-2.0-or-later
"""How many of QEMU's rounds ended between two samples, from the bytes that it counted.

QEMU sends in rounds, and checks between two rounds whether to sync. Besides its 4096 bytes, each page costs a header of
8 bytes; a zero page costs such a header and a byte; the end of a round costs 8 (migration/ram.c: save_normal_page,
save_zero_page, ram_save_iterate, RAM_SAVE_FLAG_EOS; the same in 7.2, 10.0 and 11.1). `precopy-bytes` includes all of
it. So each 8 bytes counted beyond the pages are the end of a round. The name of a RAM block, which precedes its first
page, may look like one. If pages cost something else (xbzrle, multifd, compression), the result is no whole number.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..trace.ram import Ram
from ..trace.samples import Floats, Samples

OVER_S = 0.5 * BUFFER_DELAY_MS / 1000
"""If nothing is sent for this long, the burst is over, and its round with it."""
HEADER_BYTES = 8
"""The header of a page, and the end of a round. QEMU: migration/ram.c, RAM_SAVE_FLAG_CONTINUE and RAM_SAVE_FLAG_EOS."""
_UNLIKE = 0.15
"""A burst that differs from the bandwidth by a larger share may not be whole."""
_ZERO_PAGE_BYTES = HEADER_BYTES + 1


def rounds_ended(samples: Samples | Ram) -> Floats:
    """The number of rounds that had ended at each sample, up to a constant; whole numbers if it can be determined.

    NaN if QEMU does not show what it counted; a Ram has to show it.
    """
    zeros = samples.zero_pages
    of_pages = (samples.page_bytes + HEADER_BYTES) * (samples.sent_pages - zeros) + _ZERO_PAGE_BYTES * zeros
    counted: Any = samples.counted_bytes
    ends: Floats = (counted - of_pages) / HEADER_BYTES
    return ends


def bursts_of_one_round(samples: Samples) -> NDArray[np.bool_]:
    """Which bursts were whole and consisted of one round, with nothing else counted.

    The last samples of the rests between bursts show that; the very last sample must be in a rest, too. A shorter rest
    is within a burst, where a busy host halted QEMU. A full window sends what the greatest bandwidth allows; one that
    began late shows less.
    """
    sent_pages = samples.sent_pages
    firsts = np.flatnonzero(np.append(True, sent_pages[1:] != sent_pages[:-1]))
    lasts = np.append(firsts[1:], len(sent_pages)) - 1
    rests = lasts[samples.t_s[lasts] - samples.answered_s[firsts] >= OVER_S]
    burst_bytes = BUFFER_DELAY_MS * samples.wire_bytes_per_ms.max()
    bursts = np.diff(sent_pages[rests]) * (samples.page_bytes[0] + HEADER_BYTES) / max(burst_bytes, 1)
    whole = np.rint(bursts)
    alike = np.abs(bursts - whole) <= _UNLIKE * whole
    plain: NDArray[np.bool_] = alike & (np.diff(rounds_ended(samples)[rests]) == whole)
    return plain
