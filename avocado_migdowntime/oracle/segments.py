# SPDX-License-Identifier: GPL-2.0-or-later
"""The segments of a trace over which reports are judged: passes, and the rest of a pass under another bandwidth."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..trace.samples import Samples
from .evidence import Evidence
from .fit import Fit, fit_many, fit_reports
from .passes import MIN_SAMPLES, medians, passes
from .reports import ExcludedSamples, Reports, usable_reports
from .syncs import Sync

MOVED = 0.1
"""If a bandwidth differs by less than this share, it cannot show whether the report follows it."""


class Fits(dict[str, Fit]):
    """How well each formula, by name, explains the reports after a sync; computed on demand."""

    def __init__(self, sync: Sync, reports: Reports, tolerance: float) -> None:
        super().__init__()
        self.explained = sync, reports
        self._tolerance = tolerance

    def __missing__(self, formula: str) -> Fit:
        self[formula] = fit_reports(*self.explained, formula, self._tolerance)
        return self[formula]


@dataclass(frozen=True, eq=False)
class Segment:
    """The usable reports after one sync, at least MIN_SAMPLES, and how well each formula explains them."""

    sync: Sync
    reports: Reports
    fits: Fits

    @cached_property
    def reported_ms(self) -> float:
        """The median of QEMU's reports in ms."""
        return float(medians(self.reports.expected_ms))

    @property
    def bytes_per_ms(self) -> float:
        """The median bandwidth."""
        return float(medians(self.reports.samples.wire_bytes_per_ms[self.reports.rows]))

    @property
    def number(self) -> int:
        """The number of the pass."""
        return self.sync.after.number


def segment(sync: Sync, reports: Reports, tolerance: float, excluded: ExcludedSamples) -> Segment | None:
    """The segment of the usable `reports` after `sync`, or None if they are too few."""
    if len(reports) < MIN_SAMPLES:
        excluded.add("too few usable samples in the pass", reports.t_s)
        return None
    return Segment(sync, reports, Fits(sync, reports, tolerance))


def fit_together(segments: Sequence[Segment], formula: str, tolerance: float) -> None:
    """Compute how well a formula explains each of `segments`, all at once, which is faster than one by one."""
    fits = fit_many([segment.fits.explained for segment in segments], formula, tolerance)
    for one, fit in zip(segments, fits, strict=True):
        one.fits[formula] = fit


def slowed(evidence: Evidence, judged: Sequence[Segment], tolerance: float) -> Segment | None:
    """The rest of the last judged pass, if the harness changed the bandwidth and the right figure changed with it."""
    rest = passes(evidence.under_another_bandwidth, queued_bytes=evidence.trace.queued_bytes)
    if not rest or not judged or rest[0].number != judged[-1].number:
        return None
    bandwidth = judged[-1].bytes_per_ms
    # No sync begins it. Once QEMU shows the other bandwidth, it has updated its report too, except in a torn sample.
    moved = np.abs(rest[0].samples.wire_bytes_per_ms / bandwidth - 1) >= MOVED
    reports = usable_reports(rest[0], ExcludedSamples(), int(moved.argmax()) + 1)
    slowed_segment = segment(judged[-1].sync, reports, tolerance, ExcludedSamples())
    if slowed_segment is None or abs(slowed_segment.bytes_per_ms / bandwidth - 1) < MOVED:
        return None
    return slowed_segment


def in_later_passes(evidence: Evidence, rest: Segment) -> Samples:
    """The samples of the passes that followed the `slowed` one, until the harness next interfered."""
    samples = evidence.under_another_bandwidth
    return samples.take(np.flatnonzero(samples.dirty_sync_count > rest.number))
