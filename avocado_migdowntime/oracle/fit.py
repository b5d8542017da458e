# SPDX-License-Identifier: GPL-2.0-or-later
"""How well each formula explains what QEMU reported."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean, median

from ..basics.interval import Interval
from ..trace.model import Trace
from .formulas import Formula
from .passes import Sync
from .reports import Report

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


def fit_pass(trace: Trace, sync: Sync, reports: Sequence[Report], formula: Formula, tolerance: float) -> Fit:
    """The fit over one pass: the median over its reports, since a few samples may be torn."""
    return _median_fit(fit_report(trace, sync, report, formula, tolerance) for report in reports)


def fit_passes(fits: Iterable[Fit]) -> Fit:
    """The fit over several passes: the median of theirs."""
    return _median_fit(fits)


def fit_report(trace: Trace, sync: Sync, report: Report, formula: Formula, tolerance: float) -> Fit:
    """The fit of a single report."""
    bytes_per_ms = trace.bytes_per_ms(report.now)
    at_sync = sync.at_sync_bytes
    corners = [
        max(_LEAST_MS, formula(size, ram, bytes_per_ms))
        for size, ram in product((at_sync.low, at_sync.high), (report.now, report.earlier))
    ]
    computed = max(_LEAST_MS, formula(at_sync.middle, report.now, bytes_per_ms))
    interval = Interval(report.expected_ms / max(corners) - 1, (report.expected_ms + 1) / min(corners) - 1)
    return Fit(
        computed_ms=computed,
        error=report.expected_ms / computed - 1,
        error_interval=interval,
        share=float(interval.meets(Interval(-tolerance, tolerance))),
    )


def _median_fit(fits: Iterable[Fit]) -> Fit:
    every = list(fits)
    return Fit(
        computed_ms=median(f.computed_ms for f in every),
        error=median(f.error for f in every),
        error_interval=Interval(
            median(f.error_interval.low for f in every), median(f.error_interval.high for f in every)
        ),
        share=fmean(f.share for f in every),
    )
