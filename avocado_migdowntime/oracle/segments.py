# SPDX-License-Identifier: GPL-2.0-or-later
"""The stretches of a trace over which reports are judged: passes, and the rest of one under another bandwidth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ..trace.model import Trace
from .fit import Fit, fit_pass
from .formulas import FORMULAS
from .passes import MIN_SAMPLES, Pass, Sync, passes
from .reports import Dropped, Report, usable

MOVED = 0.1
"""A bandwidth that differs by less than this share tells nothing of whether the report follows it."""


@dataclass(frozen=True)
class Stretch:
    """The usable reports after one sync, at least MIN_SAMPLES, and how well each formula explains them."""

    sync: Sync
    reports: Sequence[Report]
    fits: Mapping[str, Fit]

    @property
    def number(self) -> int:
        """The number of the pass."""
        return self.sync.after.number

    @property
    def reported_ms(self) -> float:
        """What QEMU said there."""
        return median(report.expected_ms for report in self.reports)

    @property
    def bytes_per_ms(self) -> float:
        """The bandwidth there."""
        return median(report.now.wire_bytes_per_ms for report in self.reports)


def stretch(trace: Trace, sync: Sync, samples: Pass, tolerance: float, dropped: Dropped) -> tuple[Stretch | None, int]:
    """The stretch that these samples after `sync` make, if it has enough usable reports, and how many it has."""
    reports = usable(samples, dropped)
    if len(reports) < MIN_SAMPLES:
        dropped.add("too few usable samples in the pass", reports)
        return None, len(reports)
    fits = {name: fit_pass(trace, sync, reports, formula, tolerance) for name, formula in FORMULAS.items()}
    return Stretch(sync, reports, fits), len(reports)


def slowed(whole: Trace, judged: Sequence[Stretch], tolerance: float) -> Stretch | None:
    """The rest of the last judged pass, if the harness gave it another bandwidth and what is right followed that."""
    rest = whole.under_another_bandwidth()
    seen = passes(rest) if rest else []
    if not seen or not judged or seen[0].number != judged[-1].number:
        return None
    found, _ = stretch(whole, judged[-1].sync, seen[0], tolerance, Dropped())
    if found is None or abs(found.bytes_per_ms / judged[-1].bytes_per_ms - 1) < MOVED:
        return None
    return found
