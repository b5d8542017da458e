# SPDX-License-Identifier: GPL-2.0-or-later
"""Where another migration begins: after the end of one, or where a counter fell that only grows during a migration."""

import numpy as np
from numpy.typing import NDArray

from .figures import Column
from .sample import Sample
from .samples import Indices, Samples

_COLUMNS = [Column.SENT, Column.ZERO, Column.TRANSFERRED]
_ALSO = [*_COLUMNS, Column.SYNCS]
Counts = tuple[int | None, ...]
"""What such counters show in a sample, in one order; nothing if it shows none."""
NO_COUNTS: Counts = ()


def first_samples(samples: Samples, ended: NDArray[np.bool_], *, by_counters: bool) -> Indices:
    """The first sample of each migration but the first; `ended` says which samples show one that has ended."""
    begins = np.append(False, ended[:-1] & ~ended[1:])[: len(samples)]
    if by_counters:
        migration = np.cumsum(begins)
        rows = np.flatnonzero(samples.has_ram & samples.are("active"))
        fell = np.any(np.diff(samples.table[_COLUMNS][:, rows], axis=1) < 0, axis=0)
        begins[rows[1:][fell & (np.diff(migration[rows]) == 0)]] = True
    return np.flatnonzero(begins)


def stray_samples(samples: Samples) -> Indices:
    """The samples with a counter that is greater than in the next one, although that is of the same migration.

    It is if what was sent falls by only one of its counters, and if all of them go on from the sample before.
    """
    rows = np.flatnonzero(samples.has_ram & samples.are("active"))
    counts = samples.table[_ALSO][:, rows]
    grew = np.diff(counts, axis=1)
    fell = grew < 0
    if not np.any(fell):
        return rows[:0]
    is_another = fell[_ALSO.index(Column.SENT)] & ~(grew[_ALSO.index(Column.TRANSFERRED)] >= 0)
    goes_on = ~np.any(counts[:, 2:] < counts[:, :-2], axis=0)
    stray: Indices = rows[1:-1][(np.any(fell, axis=0) & ~is_another)[1:] & goes_on]
    return stray


def counts_of(sample: Sample) -> Counts:
    """The counters of an active sample; those of others may be of the switchover."""
    ram = sample.ram
    if ram is None or sample.status != "active":
        return NO_COUNTS
    return ram.sent_pages, ram.zero_pages, ram.transferred_bytes


def fall(before: Counts, now: Counts) -> bool:
    """Whether one of the counters fell."""
    return any(a is not None and b is not None and b < a for a, b in zip(before, now, strict=False))
