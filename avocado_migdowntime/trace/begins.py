# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the last migration in many samples begins, and which of its samples fit none of the others."""

import numpy as np

from .figures import Column
from .sample import ENDED
from .samples import Indices, Samples
from .succession import NO_COUNTS, Counts, Succession

_COUNTERS = [Column.SENT, Column.ZERO, Column.TRANSFERRED, Column.SYNCS]


def last_migration(samples: Samples, *, by_counters: bool) -> tuple[Indices, Indices]:
    """The samples of the last migration, and those of it that are left out, as their counters do not fit.

    Unless `by_counters`, another migration begins only after the end of one, and none is left out.
    """
    ended = samples.are(*ENDED)
    begins = np.flatnonzero(ended[:-1] & ~ended[1:])
    begin = int(begins[-1]) + 1 if len(begins) else 0
    counted = samples.has_ram & samples.are("active")
    rows = np.flatnonzero(counted[begin:]) + begin
    # One counter after the other, because there may be very many samples.
    if not by_counters or not any(np.any(np.diff(samples.table[one, rows]) < 0) for one in _COUNTERS):
        return np.arange(begin, len(samples)), rows[:0]
    succession, kept = Succession[int](), list[int]()
    statuses, each = samples.table[Column.STATUS, begin:].tolist(), samples.table[_COUNTERS, begin:].T.tolist()
    for row, (status, its) in enumerate(zip(statuses, each, strict=True), begin):
        shown: Counts = tuple(its) if counted[row] else NO_COUNTS
        for settled, is_first in succession.take(row, samples.labels[int(status)], shown):
            if is_first:
                kept.clear()
            kept.append(settled)
    return np.array([*kept, *succession.tail()]), np.array([*succession.left_out, *succession.stray()], np.intp)
