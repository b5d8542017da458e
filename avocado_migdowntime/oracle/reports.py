# SPDX-License-Identifier: GPL-2.0-or-later
"""Which samples of a pass may be held against the oracle, and why the others may not."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..trace.model import Ram, Sample
from .passes import UPDATE_S, Pass

SETTLE_S = 0.2
"""The first update after a sync comes up to 150 ms later; until then the report is the pass before's."""
LEAST_WINDOW_BYTES = 10_000
"""Up to QEMU 11.0 nothing is computed when no more than this went out in a window (migration_update_counters)."""


@dataclass(frozen=True, slots=True)
class Report:
    """A usable report: when QEMU said what, beside the figures of that moment and of one update window before it."""

    t_s: float
    expected_ms: float
    now: Ram
    earlier: Ram


class Dropped:
    """The samples that do not count, by the reason."""

    def __init__(self) -> None:
        self._times_s: dict[str, list[float]] = {}

    def add(self, reason: str, samples: Iterable[Sample | Report]) -> None:
        """Put `samples` down under `reason`."""
        if times_s := [sample.t_s for sample in samples]:
            self._times_s.setdefault(reason, []).extend(times_s)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many there are for each reason."""
        return {reason: len(times_s) for reason, times_s in self._times_s.items()}

    @property
    def times_s(self) -> Mapping[str, tuple[float, ...]]:
        """When each of them was taken, `Sample.t_s`."""
        return {reason: tuple(times_s) for reason, times_s in self._times_s.items()}


def usable(one: Pass, dropped: Dropped) -> list[Report]:
    """The reports of a pass that count; the others are put down in `dropped` with their reason."""
    reports: list[Report] = []
    for report, fault in _examine(one):
        if fault:
            dropped.add(fault, (report,))
        else:
            reports.append(report)
    return reports


def _examine(one: Pass) -> Iterator[tuple[Report, str]]:
    begin_s = one.samples[0].t_s
    windowed = one.spacing_s < UPDATE_S
    before: Ram | None = None
    oldest = 0
    for sample in one.samples:
        while one.samples[oldest].t_s < sample.t_s - UPDATE_S - 0.02:
            oldest += 1
        now, earlier = sample.ram, one.samples[oldest].ram
        assert now is not None and earlier is not None
        yield (
            Report(sample.t_s, sample.expected_downtime_ms or 0, now, earlier),
            _fault(now, before if windowed else None, sample.t_s - begin_s, sample.expected_downtime_ms),
        )
        before = now


def _fault(now: Ram, before: Ram | None, into_pass_s: float, expected_ms: float | None) -> str:
    if expected_ms is None:
        return "no expected-downtime reported"
    if into_pass_s < SETTLE_S:
        return "before the first update after the sync"
    if idle := computes_nothing(now):
        return idle
    if before is not None and now.mbps != before.mbps:
        return "mbps changed since the sample before: perhaps torn"
    return ""


def computes_nothing(ram: Ram) -> str:
    """Why QEMU up to 11.0 leaves its report as it is at this moment, if it does."""
    if ram.dirty_pages_per_s == 0:
        return "dirty-pages-rate is 0: QEMU computes nothing"
    if ram.wire_bytes_per_ms * UPDATE_S * 1000 <= LEAST_WINDOW_BYTES:
        return "hardly anything was sent: QEMU computes nothing"
    return ""
