# SPDX-License-Identifier: GPL-2.0-or-later
"""How well each formula explains what QEMU reported."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np

from ..basics.interval import Interval
from ..trace.samples import Floats
from .formulas import FORMULAS
from .passes import medians
from .reports import Reports
from .syncs import Sync

_LEAST_MS = 1e-6


@dataclass(frozen=True, slots=True)
class Fit:
    """A comparison of reports with one formula.

    `error` is reported ÷ computed - 1. Its interval covers what is not known about the bytes at the sync and the moment
    of the last update, and that a report of n ms means anything from n up to n + 1. `share` is the share of reports
    that may follow this formula within the tolerance.
    """

    computed_ms: float
    error: float
    error_interval: Interval
    share: float

    @property
    def agrees(self) -> bool:
        """Whether most reports may follow this formula: a median may agree by chance when one figure passes another."""
        return self.share > 0.5


def fit_reports(sync: Sync, reports: Reports, formula: str, tolerance: float) -> Fit:
    """The fit of a formula over one pass, begun by `sync`: medians over its reports, a few of which may be torn.

    At least one report is needed.
    """
    figures = _errors(sync, reports, formula)
    computed_ms, error, least, most = medians(figures).tolist()
    return Fit(computed_ms, error, Interval(least, most), _share_within(figures, tolerance))


def share_within(sync: Sync, reports: Reports, formula: str, tolerance: float) -> float:
    """The share of reports (at least one) that may be what `formula` gives after `sync`, within the tolerance."""
    return _share_within(_errors(sync, reports, formula), tolerance)


def fit_passes(fits: Iterable[Fit]) -> Fit:
    """The fit over several passes: the medians of their fits."""
    every = list(fits)
    return Fit(
        computed_ms=median(fit.computed_ms for fit in every),
        error=median(fit.error for fit in every),
        error_interval=Interval(
            median(fit.error_interval.low for fit in every), median(fit.error_interval.high for fit in every)
        ),
        share=fmean(fit.share for fit in every),
    )


def _errors(sync: Sync, reports: Reports, formula: str) -> Floats:
    """For each report: what the formula gives, the report's error, and the least and the most that this may be.

    What was left at the sync lies between two sizes, and a report may be computed from the figures beside it or from
    those one update before. The formula is evaluated for all of these, first for the likely size and the figures beside
    the report.
    """
    sizes, ram, reported = sync.at_sync_bytes, reports.now_and_earlier, reports.expected_ms
    at_sync_bytes = np.array([[sync.likely_bytes], [sizes.low], [sizes.high]])
    figures = FORMULAS[formula](at_sync_bytes, ram, sync.divisor_of(ram)[0])
    possible_ms = np.maximum(figures, _LEAST_MS).reshape(-1, len(reports))
    share = _open_share(reports, formula)
    computed_ms = possible_ms[0]
    least_ms, most_ms = possible_ms.min(axis=0) * (1 - share), possible_ms.max(axis=0) * (1 + share)
    return np.array([computed_ms, reported / computed_ms - 1, reported / most_ms - 1, (reported + 1) / least_ms - 1])


def _open_share(reports: Reports, formula: str) -> Floats:
    """The relative uncertainty of a formula's result because a text rounds its inputs."""
    ram, rows = reports.samples, reports.rows
    share = ram.open_mbps[rows] / np.maximum(ram.mbps[rows], _LEAST_MS)
    if formula in ("dirty-rate", "redirty"):
        share = share + ram.open_pages_per_s[rows] / np.maximum(ram.dirty_pages_per_s[rows], 1)
    if formula == "redirty":
        share = share + ram.open_mbps[rows] / np.maximum(ram.mbps[rows], _LEAST_MS)
    if formula == "live":
        share = share + ram.open_bytes[rows] / np.maximum(ram.remaining_bytes[rows], 1)
    return np.minimum(share, 0.9)


def _share_within(figures: Floats, tolerance: float) -> float:
    """The share of errors that may lie within the tolerance, each between its least and its most."""
    _, _, low, high = figures
    return np.count_nonzero((low <= tolerance) & (high >= -tolerance)) / len(low)
