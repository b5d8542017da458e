# SPDX-License-Identifier: GPL-2.0-or-later
"""How a report is renewed that is not right, or not always: the faults that are none of a formula.

| name          | the report |
| ------------- | ---------- |
| `uncomputed`  | stays at 0, or at the downtime-limit, by which QEMU begins |
| `frozen`      | stays at one figure while what is right has moved |
| `stale`       | is what was right in the pass before |
| `once-a-pass` | is renewed only once in a pass |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..oracle.fit import fit_report
from ..oracle.formulas import FORMULAS
from ..oracle.passes import MIN_SAMPLES, Sync
from ..oracle.reports import Report
from ..oracle.segments import MOVED, Stretch
from ..prediction.precopy import WINDOW_MS
from ..trace.model import Trace

UNCOMPUTED, FROZEN, STALE, ONCE_A_PASS = "uncomputed", "frozen", "stale", "once-a-pass"

_WINDOWS = 3
"""What is sent in so many windows was not sent without a renewal."""
_WINDOWS_APART = 0.05
"""The bandwidth of a window may be so far from that of others on a busy host."""


@dataclass(frozen=True)
class Renewal:
    """The name of what is wrong with how the report is renewed, and what a reader is told of it."""

    name: str
    sentence: str


@dataclass(frozen=True)
class _Seen:
    """The judged passes, the rest of the last one under another bandwidth, and the sync that began each pass."""

    trace: Trace
    judged: Sequence[Stretch]
    rest: Stretch | None
    begun: Mapping[int, Sync]
    contract: str
    tolerance: float

    @property
    def all(self) -> list[Stretch]:
        return [*self.judged, *([self.rest] if self.rest else [])]

    @property
    def moved(self) -> bool:
        """Whether what is right differs from one stretch to another."""
        right = [one.fits[self.contract].computed_ms for one in self.all]
        return max(right) > min(right) * (1 + MOVED)

    def begins_with(self, figure: float) -> bool:
        """Whether QEMU shows this figure where it has computed none."""
        return figure in (0, self.trace.downtime_limit_ms)

    def is_right(self, sync: Sync, reports: Sequence[Report], tolerance: float | None = None) -> bool:
        """Whether most of these reports may be what the contract gives for what this sync found."""
        within = self.tolerance if tolerance is None else tolerance
        fits = [fit_report(self.trace, sync, report, FORMULAS[self.contract], within) for report in reports]
        return sum(fit.share for fit in fits) > len(reports) / 2


def renewal(
    trace: Trace,
    judged: Sequence[Stretch],
    rest: Stretch | None,
    found: Sequence[Sync],
    contract: str,
    tolerance: float,
) -> Renewal | None:
    """What is wrong with how the report is renewed, if that explains it; only for reports that are not always right.

    `judged` are passes, at least one, and `rest` what came of the last under another bandwidth.
    """
    seen = _Seen(trace, judged, rest, {sync.after.number: sync for sync in found}, contract, tolerance)
    said = {report.expected_ms for one in seen.all for report in one.reports}
    if all(map(seen.begins_with, said)):
        return Renewal(UNCOMPUTED, f"it is never computed, and stays at {_figures(said)}")
    if len(said) == 1 and seen.moved:
        return Renewal(FROZEN, f"it is never renewed, and stays at {_figures(said)}")
    if _is_stale(seen):
        return Renewal(STALE, "it is that of the pass before")
    if _is_late(seen):
        return Renewal(ONCE_A_PASS, "it is renewed once a pass, and late")
    if _is_early(seen):
        return Renewal(ONCE_A_PASS, "it is renewed once a pass, as that begins")
    return None


def _is_stale(seen: _Seen) -> bool:
    if seen.judged[-1].number == 2 or all(seen.is_right(one.sync, one.reports, _WINDOWS_APART) for one in seen.judged):
        return False
    return all(_is_of_the_pass_before(seen, one) for one in seen.judged)


def _is_of_the_pass_before(seen: _Seen, one: Stretch) -> bool:
    before, runs = seen.begun.get(one.number - 1), _runs(one)
    if before is not None and seen.is_right(before, one.reports):
        return True
    if len(runs) > 1:
        return False
    # A figure that is kept was right in one window, whose bandwidth need not be that of the others.
    if before is not None:
        return seen.is_right(before, one.reports, _WINDOWS_APART)
    return seen.begins_with(runs[0][0].expected_ms) or runs[0][0].expected_ms == _before(one)


def _is_late(seen: _Seen) -> bool:
    """Whether in some pass the report stood at the one before's while QEMU renewed its bandwidth, then changed once."""
    late = False
    for one in seen.judged:
        runs = _runs(one)
        if len(runs) > 2:
            return False
        if len(runs) == 1:
            continue
        first, last = runs
        stood = [report for report in first if report.t_s > _renewed_s(one)]
        renewed = any(seen.is_right(one.sync, [report]) for report in last[:MIN_SAMPLES])
        if first[0].expected_ms != _before(one) or len(stood) < MIN_SAMPLES or not renewed:
            return False
        late = late or not seen.is_right(one.sync, stood)
    return late


def _is_early(seen: _Seen) -> bool:
    """Whether in each pass one figure stands that was right as it began, also where the bandwidth is another one."""
    if seen.rest is None or any(len(_runs(one)) > 1 for one in seen.all):
        return False
    stands = seen.rest.reports[0].expected_ms == seen.judged[-1].reports[0].expected_ms
    return stands and all(seen.is_right(one.sync, one.reports, _WINDOWS_APART) for one in seen.judged)


def _runs(one: Stretch) -> list[list[Report]]:
    """The reports, in runs of one and the same figure."""
    return [list(run) for _, run in groupby(one.reports, key=lambda report: report.expected_ms)]


def _before(one: Stretch) -> float | None:
    """What was reported last in the pass before."""
    return one.sync.before.samples[-1].expected_downtime_ms


def _renewed_s(one: Stretch) -> float:
    """When QEMU must have renewed its figures in the pass: it renews all at once, after each window of sending."""
    first = one.sync.after.samples[0].ram
    for sample in one.sync.after.samples:
        ram = sample.ram
        if first is None or ram is None:
            continue
        sent_bytes = (ram.sent_pages - first.sent_pages) * ram.page_bytes
        if ram.mbps != first.mbps or sent_bytes > _WINDOWS * WINDOW_MS * ram.wire_bytes_per_ms:
            return sample.t_s
    return float("inf")


def _figures(said: set[float]) -> str:
    return " or ".join(f"{figure:g} ms" for figure in sorted(said))
