# SPDX-License-Identifier: GPL-2.0-or-later
"""The segments of a trace over which reports are judged: passes, and the rest of one under another bandwidth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .evidence import Evidence
from .fit import Fit, fit_reports
from .passes import MIN_SAMPLES, Pass, Sync, passes
from .reports import ExcludedSamples, Reports, usable_reports

MOVED = 0.1
"""A bandwidth that differs by less than this share tells nothing of whether the report follows it."""


@dataclass(frozen=True, eq=False)
class Segment:
    """The usable reports after one sync, at least MIN_SAMPLES, and how well each formula explains them.

    `reported_ms` is what QEMU said there, `bytes_per_ms` the bandwidth: medians.
    """

    sync: Sync
    reports: Reports
    fits: Mapping[str, Fit]
    reported_ms: float
    bytes_per_ms: float

    @property
    def number(self) -> int:
        """The number of the pass."""
        return self.sync.after.number


def segment(sync: Sync, one: Pass, tolerance: float, excluded: ExcludedSamples) -> tuple[Segment | None, int]:
    """The segment that the samples of `one` make after `sync`, if enough of them are usable, and how many are."""
    reports = usable_reports(one, excluded)
    if len(reports) < MIN_SAMPLES:
        excluded.add("too few usable samples in the pass", reports.t_s)
        return None, len(reports)
    wire = reports.samples.wire_bytes_per_ms[reports.rows]
    made = Segment(
        sync=sync,
        reports=reports,
        fits=fit_reports(sync, reports, tolerance),
        reported_ms=median(reports.expected_ms.tolist()),
        bytes_per_ms=median(wire.tolist()),
    )
    return made, len(reports)


def slowed(evidence: Evidence, judged: Sequence[Segment], tolerance: float) -> Segment | None:
    """The rest of the last judged pass, if the harness gave it another bandwidth and what is right followed that."""
    rest = passes(evidence.under_another_bandwidth, evidence.stopped_s)
    if not rest or not judged or rest[0].number != judged[-1].number:
        return None
    made, _ = segment(judged[-1].sync, rest[0], tolerance, ExcludedSamples())
    if made is None or abs(made.bytes_per_ms / judged[-1].bytes_per_ms - 1) < MOVED:
        return None
    return made
