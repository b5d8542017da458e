# SPDX-License-Identifier: GPL-2.0-or-later
"""How many of QEMU's rounds ended between two samples, from the bytes that it counted.

QEMU sends in rounds, and looks between two of them whether to sync. Beside its 4096 bytes each page costs a header of
8, a zero page such a header and a byte, and the end of a round 8 (migration/ram.c: save_normal_page,
save_zero_page, ram_save_iterate, RAM_SAVE_FLAG_EOS; 7.2, 10.0 and 11.1 alike). All of it stands in `precopy-bytes`. So
of what was counted beyond the pages each 8 bytes are the end of a round; the name of a RAM block, which goes before its
first page, may look like one. Where pages cost something else (xbzrle, multifd, compression) it does not come out.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..trace.ram import Ram
from ..trace.samples import Floats, Samples

HEADER_BYTES = 8
"""Of a page, and the end of a round. QEMU: migration/ram.c, RAM_SAVE_FLAG_CONTINUE and RAM_SAVE_FLAG_EOS."""
_UNLIKE = 0.15
"""A burst that differs by a larger share from what the bandwidth says may not be whole."""
_ZERO_PAGE_BYTES = HEADER_BYTES + 1


def rounds_ended(samples: Samples | Ram) -> Floats:
    """How many rounds had ended at each of `samples`, but for a constant: whole numbers where that can be told.

    NaN where QEMU does not say what it counted; a Ram has to say it.
    """
    zeros = samples.zero_pages
    of_pages = (samples.page_bytes + HEADER_BYTES) * (samples.sent_pages - zeros) + _ZERO_PAGE_BYTES * zeros
    counted: Any = samples.counted_bytes
    ends: Floats = (counted - of_pages) / HEADER_BYTES
    return ends


def bursts_of_one_round(samples: Samples) -> NDArray[np.bool_]:
    """Which of the bursts were whole and one round, with nothing else counted beside it.

    The last samples of the rests between bursts show that; the last one of all has to be of a rest, too. A window sends
    as much as the greatest bandwidth says: one that began late shows less.
    """
    sent_pages = samples.sent_pages
    rests = np.flatnonzero((sent_pages[1:] == sent_pages[:-1]) & np.append(sent_pages[2:] > sent_pages[1:-1], True)) + 1
    burst_bytes = BUFFER_DELAY_MS * samples.wire_bytes_per_ms.max()
    bursts = np.diff(sent_pages[rests]) * (samples.page_bytes[0] + HEADER_BYTES) / max(burst_bytes, 1)
    whole = np.rint(bursts)
    alike = np.abs(bursts - whole) <= _UNLIKE * whole
    plain: NDArray[np.bool_] = alike & (np.diff(rounds_ended(samples)[rests]) == whole)
    return plain
