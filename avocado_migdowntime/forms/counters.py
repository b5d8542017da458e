# SPDX-License-Identifier: GPL-2.0-or-later
"""Counters that only grow while a guest is migrated. If one falls, it is another migration or another guest."""

from collections.abc import Mapping

import numpy as np

from ..basics.interval import Interval
from ..trace.figures import Column
from ..trace.reading import Reading
from ..trace.samples import Floats

_NAMES = ("transferred", "normal", "duplicate", "dirty-sync-count")
_COLUMNS = [Column.SENT, Column.ZERO, Column.SYNCS, Column.TRANSFERRED]


class Counters:
    """Follows the readings of one migration."""

    def __init__(self) -> None:
        self._last: Mapping[str, Interval] = {}

    def fall(self, reading: Reading) -> bool:
        """Whether a counter is certainly lower than in the reading before, given rounding."""
        before, now = self._last, _counts(reading)
        return any(now[name].high < before[name].low for name in now.keys() & before.keys())

    def differ(self, reading: Reading) -> bool:
        """Whether a counter is certainly another than in the reading before, given rounding."""
        before, now = self._last, _counts(reading)
        return any(not now[name].meets(before[name]) for name in now.keys() & before.keys())

    def saw(self, reading: Reading) -> None:
        """Remember this reading, which follows those before."""
        self._last = {**self._last, **_counts(reading)}

    def never_fall(self, table: Floats, first: Reading) -> bool:
        """Whether the counters certainly do not fall in many readings, a column each in `table`; `first` is the first
        of them.
        """
        return not self.fall(first) and not bool(np.any(np.diff(table[_COLUMNS], axis=1) < 0))


def _counts(reading: Reading) -> Mapping[str, Interval]:
    ram = reading.answer.get("ram")
    if not isinstance(ram, Mapping) or (reading.stamp is not None and reading.stamp.from_begin):
        return {}
    counts = {name: ram[name] for name in _NAMES if isinstance(ram.get(name), int | float)}
    return {name: reading.rounding.get(f"ram.{name}", Interval(value, value)) for name, value in counts.items()}
