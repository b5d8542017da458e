# SPDX-License-Identifier: GPL-2.0-or-later
"""The first pass of a migration: all of RAM is sent, and nobody judges it.

QEMU up to 11.0 computes no expected-downtime before it knows a dirty rate, and it makes that of what was dirtied until
a sync that comes more than a second after the first one (migration/ram.c: migration_bitmap_sync). Where passes are
shorter, the first has to be held back, lest another one goes by that cannot be judged.
"""

from ..parameters.table import Parameters

HELD_BYTES_PER_S = 1000
"""At this max-bandwidth a page leaves in each of QEMU's windows."""
_LEAST_S = 1.05
"""So long a first pass has to last; QEMU ends it at the next of its windows of 100 ms."""


def held_until_s(parameters: Parameters) -> float:
    """Until when the first pass is to be held back, in seconds from its begin; not at all where that is 0 or less."""
    bytes_per_s = parameters.bytes_per_s
    if parameters.link == "shaped":
        bytes_per_s = min(bytes_per_s, parameters.link_rate)
    unsent_bytes = min(parameters.region, bytes_per_s * parameters.downtime_limit / 1000)
    return _LEAST_S - (parameters.region - unsent_bytes) / bytes_per_s
