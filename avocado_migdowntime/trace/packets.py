# SPDX-License-Identifier: GPL-2.0-or-later
"""Does a text show that pages were sent in multifd's packets, which may be counted as sent later than they are queued?

`query-migrate` and `info migrate` show what multifd sent, since QEMU 3.0; `virsh domjobinfo` and the logs of products
do not. There it shows in the sum of remaining and sent bytes, which falls by whole packets and rises again (see
oracle/late.py).
"""

from collections.abc import Iterable, Mapping

import numpy as np

from ..basics.qemu_constants import MULTIFD_PACKET_BYTES
from .reading import Reading
from .samples import Samples

_TELLS = 1 / 16
"""If `remaining` is uncertain by more than this share of a packet, it cannot show packets."""


def went_in_packets(samples: Samples, readings: Iterable[Reading]) -> bool:
    """Whether a text shows packets, or shows too little to rule them out."""
    counts = [ram["multifd-bytes"] for one in readings if "multifd-bytes" in (ram := _ram(one))]
    return any(map(bool, counts)) if counts else _counts_late(samples)


def _ram(reading: Reading) -> Mapping[str, object]:
    ram = reading.answer.get("ram")
    return ram if isinstance(ram, Mapping) else {}


def _counts_late(samples: Samples) -> bool:
    """Whether K (remaining + sent) fell by whole packets within a pass, or is rounded too much to tell."""
    rows = samples.are("active") & samples.has_ram & (samples.dirty_sync_count > 0)
    sharp = rows & (samples.open_bytes <= _TELLS * MULTIFD_PACKET_BYTES)
    if not np.any(sharp):
        return bool(np.any(rows))
    counted = samples.take(np.flatnonzero(sharp))
    conserved, numbers = counted.conserved_bytes, counted.dirty_sync_count
    most = np.array([conserved[numbers == number].max() for number in np.unique(numbers)])
    less = most[np.searchsorted(np.unique(numbers), numbers)] - conserved
    packets = np.rint(less / MULTIFD_PACKET_BYTES)
    # The uncertainty: one page that is on its way, and the rounding of both figures.
    off = counted.page_bytes + 2 * counted.open_bytes
    return bool(np.any((packets > 0) & (np.abs(less - packets * MULTIFD_PACKET_BYTES) <= off)))
