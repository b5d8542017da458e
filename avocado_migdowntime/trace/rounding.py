# SPDX-License-Identifier: GPL-2.0-or-later
"""The uncertainty of samples' figures that a text's rounding causes."""

from collections.abc import Sequence

import numpy as np

from ..basics.interval import Interval
from .figures import Column
from .reading import Reading
from .samples import Samples

_ROUNDED = {
    "ram.remaining": (Column.REMAINING, Column.OPEN_BYTES),
    "ram.mbps": (Column.MBPS, Column.OPEN_MBPS),
    "ram.dirty-pages-rate": (Column.DIRTY_RATE, Column.OPEN_RATE),
}
_EXACTLY = Interval(np.nan, np.nan)
"""For a figure that is not rounded."""


def rounded(samples: Samples, readings: Sequence[Reading]) -> Samples:
    """`samples` with the middle of the interval that each rounded figure may lie in; the last samples are those of
    `readings`.

    Half the interval's width is stored beside each figure. Exact byte counts are unknown where figures are rounded.
    """
    table = samples.table.copy()
    last = table[:, table.shape[1] - len(readings) :]
    last[Column.COUNTED, [bool(reading.rounding) for reading in readings]] = np.nan
    for name, (figure, half) in _ROUNDED.items():
        intervals = [reading.rounding.get(name, _EXACTLY) for reading in readings]
        low, high = (np.array([getattr(one, end) for one in intervals], float) for end in ("low", "high"))
        is_known = ~np.isnan(low) & ~np.isnan(last[figure])
        last[figure] = np.where(is_known, (low + high) / 2, last[figure])
        last[half] = np.where(is_known, (high - low) / 2, last[half])
    return Samples(table, samples.labels)
