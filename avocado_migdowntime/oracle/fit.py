# SPDX-License-Identifier: GPL-2.0-or-later
"""How well each formula explains what QEMU reported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from ..basics.interval import Interval
from ..trace.samples import Floats
from .formulas import FORMULAS
from .passes import Sync
from .reports import Reports

_LEAST_MS = 1e-6


@dataclass(frozen=True)
class Fit:
    """Reported against computed, by one formula.

    `error` is reported ÷ computed - 1; its interval spans what is not known of the bytes at the sync and of the
    moment of the last update, and that a report of n ms means anything from n up to n + 1. `share` is that of the
    reports which may be this formula's within the tolerance.
    """

    computed_ms: float
    error: float
    error_interval: Interval
    share: float

    @property
    def agrees(self) -> bool:
        """Whether most reports may be this formula's: a median may agree by chance as one figure passes another."""
        return self.share > 0.5


def fit_reports(sync: Sync, reports: Reports, tolerance: float) -> Mapping[str, Fit]:
    """The fit of each formula over one pass, begun by `sync`: the median over its reports, a few of which may be torn.

    There has to be at least one report.
    """
    names = list(FORMULAS)
    computed, low, high = _errors(sync, reports, names)
    shares = _within(low, high, tolerance).mean(axis=1)
    middles = _medians(np.stack([computed, reports.expected_ms / computed - 1, low, high]))
    return {
        name: Fit(computed_ms, error, Interval(least, most), float(share))
        for name, (computed_ms, error, least, most), share in zip(names, middles.T.tolist(), shares, strict=True)
    }


def share_within(sync: Sync, reports: Reports, formula: str, tolerance: float) -> float:
    """The share of at least one report which may be what `formula` gives after `sync`, within the tolerance."""
    _, low, high = _errors(sync, reports, [formula])
    return float(_within(low, high, tolerance).mean())


def fit_passes(fits: Iterable[Fit]) -> Fit:
    """The fit over several passes: the median of theirs."""
    every = list(fits)
    return Fit(
        computed_ms=median(fit.computed_ms for fit in every),
        error=median(fit.error for fit in every),
        error_interval=Interval(
            median(fit.error_interval.low for fit in every), median(fit.error_interval.high for fit in every)
        ),
        share=fmean(fit.share for fit in every),
    )


def _errors(sync: Sync, reports: Reports, names: Sequence[str]) -> tuple[Floats, Floats, Floats]:
    """What each formula gives for each report, and the least and most that a report is off that, as rows by formula."""
    now, earlier, reported = reports.now, reports.earlier, reports.expected_ms
    bytes_per_ms, sizes = sync.divisor_of(now), sync.at_sync_bytes
    shape = len(names), len(reports)
    computed, least, most = np.empty(shape), np.empty(shape), np.empty(shape)
    for row, name in enumerate(names):
        formula = FORMULAS[name]
        corners = [formula(size, ram, bytes_per_ms) for size in (sizes.low, sizes.high) for ram in (now, earlier)]
        np.maximum(np.minimum.reduce(corners), _LEAST_MS, out=least[row])
        np.maximum(np.maximum.reduce(corners), _LEAST_MS, out=most[row])
        np.maximum(formula(sizes.middle, now, bytes_per_ms), _LEAST_MS, out=computed[row])
    return computed, reported / most - 1, (reported + 1) / least - 1


def _within(low: Floats, high: Floats, tolerance: float) -> NDArray[np.bool_]:
    """Which errors, each somewhere from `low` to `high`, may lie within the tolerance."""
    possible: NDArray[np.bool_] = (low <= tolerance) & (high >= -tolerance)
    return possible


def _medians(figures: Floats) -> Floats:
    """The median over the last axis."""
    ranked, count = np.sort(figures, axis=-1), figures.shape[-1]
    middles: Floats = (ranked[..., (count - 1) // 2] + ranked[..., count // 2]) / 2
    return middles
