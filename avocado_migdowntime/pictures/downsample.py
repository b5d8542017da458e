# SPDX-License-Identifier: GPL-2.0-or-later
"""Reduces points without changing the picture: keeps the first, last, least and greatest of each stretch of time.

This is M4: a line through the kept points colours the same pixels if a stretch is a pixel wide (Jugel, Jerzak,
Hackenbroich, Markl: M4: A Visualization-Oriented Time Series Data Aggregation, PVLDB 7(10), 2014).
"""

import numpy as np
from numpy.typing import NDArray


def rows_to_keep(t_s: NDArray[np.float64], curves: list[NDArray[np.float64]], buckets: int) -> NDArray[np.intp]:
    """Which points of `curves` over the ascending times `t_s` (seconds) to keep, as ascending indices.

    The time is cut into `buckets` stretches of equal length. A NaN is a gap in a curve: one is kept in each stretch
    that has any. All points are kept if thinning would not halve them.
    """
    count = len(t_s)
    if count <= 8 * buckets * len(curves):
        return np.arange(count)
    length_s = (t_s[-1] - t_s[0]) / buckets or 1.0
    bucket = np.minimum((t_s - t_s[0]) / length_s, buckets - 1).astype(np.intp)
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    ends = np.append(starts[1:], count) - 1
    rows = [starts, ends]
    for curve in curves:
        gaps = np.isnan(curve)
        rows += [_least(np.where(gaps, np.inf, curve), starts), _least(np.where(gaps, np.inf, -curve), starts)]
        in_gap = np.flatnonzero(gaps)
        rows.append(in_gap[np.flatnonzero(np.diff(bucket[in_gap], prepend=-1))])
    return np.unique(np.concatenate(rows))


def _least(curve: NDArray[np.float64], starts: NDArray[np.intp]) -> NDArray[np.intp]:
    """The index of the first least value in each of the stretches that begin at `starts`."""
    least = np.repeat(np.minimum.reduceat(curve, starts), np.diff(starts, append=len(curve)))
    least_rows = np.flatnonzero(curve == least)
    return least_rows[np.searchsorted(least_rows, starts)]
