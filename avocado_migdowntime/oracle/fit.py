# SPDX-License-Identifier: GPL-2.0-or-later
"""How well each formula explains what QEMU reported."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean, median

import msgspec
import numpy as np

from ..basics.batches import by_length
from ..basics.interval import Interval
from ..trace.samples import Floats
from .formulas import FORMULAS
from .passes import medians
from .reports import NowAndEarlier, Reports
from .syncs import Sync

Explained = tuple[Sync, Reports]
"""The usable reports of a pass, and the sync that began it."""
_LEAST_MS = 1e-6


class Fit(msgspec.Struct, frozen=True, gc=False):
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
    return fit_many([(sync, reports)], formula, tolerance)[0]


def fit_many(explained: Sequence[Explained], formula: str, tolerance: float) -> list[Fit]:
    """The same for many passes at once."""

    def fits(alike: Sequence[Explained]) -> Iterator[Fit]:
        figures = _errors(alike, formula)
        shares = _share_within(figures, tolerance).tolist()
        for (computed_ms, error, least, most), share in zip(medians(figures).T.tolist(), shares, strict=True):
            yield Fit(computed_ms, error, Interval(least, most), share)

    return by_length(explained, lambda one: len(one[1]), fits)


def share_within(sync: Sync, reports: Reports, formula: str, tolerance: float) -> float:
    """The share of reports (at least one) that may be what `formula` gives after `sync`, within the tolerance."""
    return float(_share_within(_errors([(sync, reports)], formula), tolerance)[0])


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


def _errors(explained: Sequence[Explained], formula: str) -> Floats:
    """For each report: what the formula gives, the report's error, and the least and the most that this may be.

    What was left at the sync lies between two sizes, and a report may be computed from the figures beside it or from
    those one update before. The formula is evaluated for all of these, first for the likely size and the figures beside
    the report. There are as many reports of each pass, and the result has shape (4, passes, reports).
    """
    sizes = np.array([[sync.likely_bytes, sync.at_sync_bytes.low, sync.at_sync_bytes.high] for sync, _ in explained])
    every = [reports for _, reports in explained]
    bytes_per_ms = np.array([sync.divisor_of(reports.samples)[reports.rows] for sync, reports in explained])
    figures = FORMULAS[formula](sizes.T[:, np.newaxis, :, np.newaxis], NowAndEarlier(every), bytes_per_ms)
    possible_ms = np.maximum(figures, _LEAST_MS).reshape(-1, *bytes_per_ms.shape)
    share, reported = _open_share(every, formula), np.array([reports.expected_ms for reports in every])
    computed_ms = possible_ms[0]
    least_ms, most_ms = possible_ms.min(axis=0) * (1 - share), possible_ms.max(axis=0) * (1 + share)
    return np.array([computed_ms, reported / computed_ms - 1, reported / most_ms - 1, (reported + 1) / least_ms - 1])


def _open_share(every: Sequence[Reports], formula: str) -> Floats:
    """The relative uncertainty of a formula's result because a text rounds its inputs."""

    def beside(name: str) -> Floats:
        return np.array([getattr(reports.samples, name)[reports.rows] for reports in every])

    of_bandwidth = beside("open_mbps") / np.maximum(beside("mbps"), _LEAST_MS)
    share = of_bandwidth
    if formula in ("dirty-rate", "redirty"):
        share = share + beside("open_pages_per_s") / np.maximum(beside("dirty_pages_per_s"), 1)
    if formula == "redirty":
        share = share + of_bandwidth
    if formula == "live":
        share = share + beside("open_bytes") / np.maximum(beside("remaining_bytes"), 1)
    return np.minimum(share, 0.9)


def _share_within(figures: Floats, tolerance: float) -> Floats:
    """The share of errors that may lie within the tolerance, each between its least and its most."""
    _, _, low, high = figures
    shares: Floats = np.count_nonzero((low <= tolerance) & (high >= -tolerance), axis=-1) / low.shape[-1]
    return shares
