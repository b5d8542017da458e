# SPDX-License-Identifier: GPL-2.0-or-later
"""What the rounding of a text leaves open of the figures of samples."""

from collections.abc import Sequence

import numpy as np

from .figures import Column
from .reading import Reading
from .samples import Samples

_ROUNDED = {
    "ram.remaining": (Column.REMAINING, Column.OPEN_BYTES),
    "ram.mbps": (Column.MBPS, Column.OPEN_MBPS),
    "ram.dirty-pages-rate": (Column.DIRTY_RATE, Column.OPEN_RATE),
}


def rounded(samples: Samples, readings: Sequence[Reading]) -> Samples:
    """The same samples, the last of which are those of `readings`, with the middle of what each rounded figure may be.

    By how much it may be more or less stands beside it. What was counted to the byte is not known where it is rounded.
    """
    table = samples.table.copy()
    for column, reading in zip(range(-len(readings), 0), readings, strict=True):
        if reading.rounding:
            table[Column.COUNTED, column] = np.nan
        for name, (figure, half) in _ROUNDED.items():
            if name in reading.rounding and not np.isnan(table[figure, column]):
                table[figure, column] = reading.rounding[name].middle
                table[half, column] = reading.rounding[name].width / 2
    return Samples(table, samples.labels)
