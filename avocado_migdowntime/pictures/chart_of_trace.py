# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a Chart from the Evidence and the Verdict of a migration.

Every figure is one that the verdict is based on: the same passes, syncs and formulas.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from ..basics.interval import Interval
from ..oracle.evidence import Evidence
from ..oracle.formulas import FORMULAS
from ..oracle.syncs import Sync
from ..trace.cpu import cpu_courses
from ..trace.figures import COLUMNS, Column
from ..trace.guest_progress import guest_courses
from ..trace.model import Trace
from ..trace.sample import ENDED
from ..trace.samples import Floats, Samples
from ..verdict.verdict import Verdict
from .chart import Chart, Panel, Role, Series

MARGIN = 1.15
"""The factor by which a panel is higher than the highest point that it must show."""
USUAL = 95.0
"""The percentile of a curve that must be visible at first: single samples may be torn, or have a low bandwidth."""


def chart(recorded: Trace | Evidence, verdict: Verdict) -> Chart | None:
    """The picture of a migration and its verdict; None if a single sample has no course to show."""
    evidence = Evidence.of(recorded)
    if evidence.trace.snapshot:
        return None
    with_ram = evidence.samples.take(np.flatnonzero(evidence.samples.has_ram))
    active = with_ram.take(np.flatnonzero(~with_ram.are(*ENDED)))
    end_s = float(evidence.samples.t_s[-1])
    return Chart(
        panels=(
            _left_to_send(with_ram, evidence.syncs),
            _expected(evidence, verdict, active, end_s),
            _rates(active),
            *_guest(evidence.trace),
            *_cpus(evidence.trace),
        ),
        begins_s=tuple((one.number, one.begin_s) for one in evidence.passes),
        down_s=_down_s(evidence.trace, end_s),
        end_s=end_s,
    )


def _left_to_send(samples: Samples, syncs: Sequence[Sync]) -> Panel:
    remaining = Series("remaining now", Role.REMAINING, samples.t_s, samples.remaining_bytes / 1e6)
    at_sync = _intervals(
        "left at the dirty sync",
        Role.AT_SYNC,
        [sync.after.begin_s for sync in syncs],
        [sync.at_sync_bytes.scaled(1e-6) for sync in syncs],
    )
    top = _top([at_sync], 100) or _top([remaining])
    return Panel("Left to send", "MB", _some(remaining, at_sync), MARGIN * top)


def _expected(evidence: Evidence, verdict: Verdict, active: Samples, end_s: float) -> Panel:
    with_report = active.take(np.flatnonzero(~np.isnan(active.expected_downtime_ms)))
    syncs = evidence.syncs
    if evidence.divisor_changed_s < end_s:  # What is right since then is not known.
        syncs = [sync for sync in syncs if sync.after.begin_s < evidence.divisor_changed_s]
    reported = Series("QEMU's expected-downtime", Role.REPORTED, with_report.t_s, with_report.expected_downtime_ms)
    inputs = _formula_inputs(syncs)
    contract = _computed(verdict.contract, syncs, inputs, bounded=True)
    begin_s, effective_ms = float(evidence.samples.t_s[0]), verdict.limit.effective_limit_ms
    limits = [(max(since_s, begin_s), limit_ms) for since_s, limit_ms in evidence.limits.steps]
    judged = _judged(evidence, verdict, limits)
    judged_until_s = limits[judged + 1][0] if limits[judged + 1 :] else end_s
    effective = [] if effective_ms is None else [(limits[judged][0] if limits else begin_s, effective_ms)]
    unsent = _intervals(
        "left when a pass ended",
        Role.UNSENT,
        [sync.after.begin_s for sync in syncs],
        [sync.unsent_ms for sync in syncs],
    )
    down = _downtimes(evidence.trace, verdict)
    return Panel(
        title="Expected downtime",
        unit="ms",
        series=_some(
            reported,
            contract,
            *(_computed(name, syncs, inputs, bounded=False) for name in FORMULAS if name != verdict.contract),
            _step_series("configured downtime-limit", Role.LIMIT, limits, end_s),
            _step_series("effective downtime-limit", Role.EFFECTIVE_LIMIT, effective, judged_until_s),
            unsent,
            *down,
            *(_dropped(reason, times_s, reported) for reason, times_s in verdict.dropped_at_s.items()),
        ),
        top=MARGIN * max(_top([contract, reported]), _top(down)),
    )


def _judged(evidence: Evidence, verdict: Verdict, limits: Sequence[tuple[float, float]]) -> int:
    """The row of the limit that was judged. If it was set several times, it is the one that the judged part begins
    under.
    """
    begin_s = float(evidence.latest.samples.t_s[0])
    rows = [row for row, (_, limit_ms) in enumerate(limits) if limit_ms == verdict.downtime_limit_ms]
    return next((row for row in reversed(rows) if limits[row][0] <= begin_s), min(rows, default=0))


def _rates(active: Samples) -> Panel:
    bandwidth = Series("bandwidth", Role.BANDWIDTH, active.t_s, active.wire_bytes_per_ms / 1000)
    dirtying = Series("dirtied, according to QEMU", Role.DIRTYING, active.t_s, active.dirty_bytes_per_ms / 1000)
    return Panel("Rates", "MB/s", _some(bandwidth, dirtying), MARGIN * _top([bandwidth, dirtying]))


def _guest(trace: Trace) -> tuple[Panel, ...]:
    """The guest's progress on both sides, if it was recorded."""
    roles = {"source": Role.SOURCE_GUEST, "destination": Role.DESTINATION_GUEST}
    series = tuple(
        Series(f"guest on the {course.side}", roles[course.side], course.t_s, course.pages_per_s / 1000)
        for course in guest_courses(trace)
    )
    return (Panel("Guest writes", "1000 pages/s", series, MARGIN * _top(series, 100)),) if series else ()


def _cpus(trace: Trace) -> tuple[Panel, ...]:
    """The CPU use of both QEMUs, if it was recorded."""
    series: list[Series] = []
    for course in cpu_courses(trace):
        t_s, qemu, vcpus = course.busy
        role = Role.SOURCE_CPU if course.side == "source" else Role.DESTINATION_CPU
        series.append(Series(f"{course.side} QEMU", role, t_s, qemu))
        if course.side == "source" and not np.all(np.isnan(vcpus)):
            series.append(Series("its vCPUs", Role.VCPUS, t_s, vcpus))
    return (Panel("Busy host CPUs", "CPUs", tuple(series), MARGIN * _top(series, 100)),) if series else ()


def _formula_inputs(syncs: Sequence[Sync]) -> tuple[Samples, Floats]:
    """The samples after each sync, and for each of them what was left at the sync: likely, at least and at most.

    Missed passes leave a gap, a sample of NaN. Samples without a bandwidth to divide by are left out.
    """
    tables, sizes = [np.empty((COLUMNS, 0))], [(np.nan,) * 3]
    before: Sync | None = None
    for sync in syncs:
        if before is not None and before.after.number != sync.before.number:
            gap = np.full((COLUMNS, 1), np.nan)
            gap[Column.T] = before.after.end_s
            tables.append(gap)
            sizes.append((np.nan,) * 3)
        tables.append(sync.after.samples.table)
        sizes.append((sync.likely_bytes, sync.at_sync_bytes.low, sync.at_sync_bytes.high))
        before = sync
    samples = Samples(np.concatenate(tables, axis=1))
    repeated = np.repeat(np.array(sizes).T, [table.shape[1] for table in tables], axis=1)
    if before is None or before.switchover_bytes_per_ms is not None:
        return samples, repeated
    rows = np.flatnonzero(~(samples.mbps <= 0))
    return samples.take(rows), repeated[:, rows]


def _computed(name: str, syncs: Sequence[Sync], inputs: tuple[Samples, Floats], bounded: bool) -> Series:
    """A formula evaluated with what was left at each sync; with its uncertainty if `bounded`."""
    samples, (likely, *bounds) = inputs
    role, label = (Role.CONTRACT, f"{name}, computed") if bounded else (Role.OTHER, name)
    bytes_per_ms = syncs[0].divisor_of(samples) if syncs else samples.wire_bytes_per_ms
    values = (FORMULAS[name](size, samples, bytes_per_ms) for size in ((likely, *bounds) if bounded else (likely,)))
    return Series(label, role, samples.t_s, *values)


def _intervals(name: str, role: Role, t_s: Sequence[float], intervals: Sequence[Interval]) -> Series:
    middles, lows, highs = (
        _floats(getattr(interval, part) for interval in intervals) for part in ("middle", "low", "high")
    )
    return Series(name, role, _floats(t_s), middles, lows, highs)


def _step_series(name: str, role: Role, steps: Sequence[tuple[float, float]], end_s: float) -> Series:
    """Values that each hold from a time on, the last one until `end_s`."""
    points = [*steps, (end_s, steps[-1][1])] if steps else []
    return Series(name, role, _floats(at_s for at_s, _ in points), _floats(value for _, value in points))


def _dropped(reason: str, times_s: Floats, reported: Series) -> Series:
    """The reports in samples that were dropped for `reason`."""
    ordered = np.sort(times_s)
    inside = ordered[np.minimum(np.searchsorted(ordered, reported.t_s), len(ordered) - 1)] == reported.t_s
    return Series(f"{len(times_s)} dropped: {reason}", Role.DROPPED, reported.t_s[inside], reported.values[inside])


def _downtimes(trace: Trace, verdict: Verdict) -> list[Series]:
    """How long the guest was down according to each source, placed at the time of its stop."""
    stop, down, truth = trace.switchover_stop, verdict.downtime, verdict.ground_truth
    if stop is None:
        return []
    downtimes: list[tuple[str, Interval]] = []
    if truth is not None:
        downtimes.append(("down until it could continue", Interval(truth.down_ms, truth.down_ms)))
    elif down is not None:
        if down.qemu_ms is not None:
            downtimes.append(("downtime, says QEMU", Interval(down.qemu_ms, down.qemu_ms)))
        if down.events_ms is not None:
            ends = Interval(down.events_ms - down.events_open_ms, down.events_ms + down.events_open_ms)
            downtimes.append(("downtime, STOP to RESUME", ends))
        if down.guest_ms is not None:
            downtimes.append(("downtime, seen by the guest", down.guest_ms))
    return [_intervals(name, Role.DOWN, [stop.t_s], [ms]) for name, ms in downtimes]


def _down_s(trace: Trace, end_s: float) -> tuple[float, float] | None:
    stop, resume = trace.switchover_stop, trace.first_event("destination", "RESUME")
    return None if stop is None else (stop.t_s, resume.t_s if resume is not None else end_s)


def _some(*series: Series) -> tuple[Series, ...]:
    return tuple(one for one in series if len(one.t_s))


def _top(series: Iterable[Series], percentile: float = USUAL) -> float:
    """The greatest value that any of the series usually has, or 0."""
    some = [one.values[np.isfinite(one.values)] for one in series]
    return max((float(np.percentile(values, percentile)) for values in some if len(values)), default=0.0)


def _floats(values: Iterable[float]) -> Floats:
    return np.fromiter(values, dtype=np.float64)
