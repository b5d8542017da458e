# SPDX-License-Identifier: GPL-2.0-or-later
"""From a Trace and the Verdict on it to a Chart.

Every figure is one that the verdict rests on: the same passes, syncs and formulas.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from ..basics.interval import Interval
from ..oracle.formulas import FORMULAS
from ..oracle.passes import Sync, passes, syncs
from ..trace.model import ENDED, FINISH, HARNESS, LIMIT, Ram, Sample, Trace, number
from ..verdict.verdict import Verdict
from .chart import Chart, Floats, Panel, Role, Series

MARGIN = 1.15
"""A panel is by so much higher than the highest point that it is to show."""
USUAL = 95.0
"""Percentile of a curve that is to be seen at first sight: single samples are torn, or of a low bandwidth."""


def chart(trace: Trace, verdict: Verdict) -> Chart | None:
    """The picture of a trace and the verdict on it, or None where a single look has no course to show."""
    if trace.snapshot:
        return None
    trace = trace.last_migration()
    shown = [sample for sample in trace.samples if sample.ram is not None]
    active = [sample for sample in shown if sample.status not in ENDED]
    limits = limits_ms(trace)
    found = _syncs(trace, limits)
    end_s = trace.samples[-1].t_s
    return Chart(
        panels=(
            _left(shown, found),
            _expected(trace, verdict, active, found, limits),
            _rates(active),
        ),
        begins_s=tuple((one.number, one.samples[0].t_s) for one in passes(trace)),
        down_s=_down_s(trace, end_s),
        end_s=end_s,
    )


def limits_ms(trace: Trace) -> list[tuple[float, float]]:
    """The downtime-limits that held, each with the time from which it did, seconds and milliseconds."""
    first = trace.downtime_limit_ms
    tried = [e for e in trace.events if e.side == HARNESS and e.name in (LIMIT, FINISH) and "downtime-limit" in e.data]
    return [
        *([(trace.samples[0].t_s, first)] if first is not None else []),
        *((event.t_s, number(event.data, "downtime-limit")) for event in tried),
    ]


def _syncs(trace: Trace, limits: Sequence[tuple[float, float]]) -> list[Sync]:
    """The syncs, each by the limit that held then: that bounds what was left unsent."""
    seen = passes(trace)
    if len(limits) < 2:
        return syncs(trace, seen)
    found: list[Sync] = []
    ends_s = [at_s for at_s, _ in limits[1:]] + [float("inf")]
    begins_s = [float("-inf"), *ends_s]
    for begin_s, end_s, (_, limit_ms) in zip(begins_s, ends_s, limits, strict=False):
        parameters = {**trace.migrate_parameters, "downtime-limit": limit_ms}
        part = replace(trace, header={**trace.header, "migrate-parameters": parameters})
        found += [sync for sync in syncs(part, seen) if begin_s <= sync.after.samples[0].t_s < end_s]
    return found


def _left(shown: Sequence[Sample], found: Sequence[Sync]) -> Panel:
    remaining = _series("remaining now", Role.REMAINING, shown, lambda ram: ram.remaining_bytes / 1e6)
    at_sync = _intervals(
        "left at the dirty sync",
        Role.AT_SYNC,
        [sync.after.samples[0].t_s for sync in found],
        [sync.at_sync_bytes.scaled(1e-6) for sync in found],
    )
    top = _top([at_sync], 100) or _top([remaining])
    return Panel("Left to send", "MB", _some(remaining, at_sync), MARGIN * top)


def _expected(
    trace: Trace,
    verdict: Verdict,
    active: Sequence[Sample],
    found: Sequence[Sync],
    limits: Sequence[tuple[float, float]],
) -> Panel:
    told = [sample for sample in active if sample.expected_downtime_ms is not None]
    reported = Series(
        "QEMU's expected-downtime", Role.REPORTED, _floats(s.t_s for s in told), _floats(map(_reported_ms, told))
    )
    computed = {name: _computed(trace, name, found, name == verdict.contract) for name in FORMULAS}
    contract = computed.pop(verdict.contract)
    others = [replace(series, role=Role.OTHER) for series in computed.values()]
    end_s = trace.samples[-1].t_s
    limit = _held("downtime-limit, as set", Role.LIMIT, limits, end_s)
    effective = [] if verdict.effective_limit_ms is None else [(trace.samples[0].t_s, verdict.effective_limit_ms)]
    left = _intervals(
        "left when a pass ended",
        Role.UNSENT,
        [sync.after.samples[0].t_s for sync in found],
        [sync.unsent_ms for sync in found],
    )
    down = _downtimes(trace, verdict)
    dropped = [_dropped(reason, times_s, reported) for reason, times_s in verdict.dropped_at_s.items()]
    top = max(_top([contract, reported]), _top(down, 100))
    return Panel(
        title="Expected downtime",
        unit="ms",
        series=_some(
            reported,
            contract,
            *others,
            limit,
            _held(
                "downtime-limit, as it works", Role.EFFECTIVE_LIMIT, effective, limits[1][0] if limits[1:] else end_s
            ),
            left,
            *down,
            *dropped,
        ),
        top=MARGIN * top,
    )


def _rates(active: Sequence[Sample]) -> Panel:
    bandwidth = _series("bandwidth", Role.BANDWIDTH, active, lambda ram: ram.wire_bytes_per_ms / 1000)
    dirtying = _series("dirtied, says QEMU", Role.DIRTYING, active, lambda ram: ram.dirty_bytes_per_ms / 1000)
    return Panel("Rates", "MB/s", _some(bandwidth, dirtying), MARGIN * _top([bandwidth, dirtying]))


def _series(name: str, role: Role, samples: Sequence[Sample], value: Callable[[Ram], float]) -> Series:
    values = _floats(value(sample.ram) for sample in samples if sample.ram is not None)
    return Series(name, role, _floats(sample.t_s for sample in samples), values)


def _computed(trace: Trace, name: str, found: Sequence[Sync], bounded: bool) -> Series:
    """A formula fed with what was left at each sync; `bounded`: with what is not known of that."""
    formula = FORMULAS[name]
    t_s: list[float] = []
    values: list[float] = []
    bounds: tuple[list[float], list[float]] = ([], [])
    after: Sync | None = None
    for sync in found:
        if after is not None and after.after.number != sync.before.number:
            for column in (values, *bounds):
                column.append(float("nan"))
            t_s.append(after.after.samples[-1].t_s)
        after = sync
        at_sync = sync.at_sync_bytes
        for sample in sync.after.samples:
            ram = sample.ram
            if ram is None or not (bytes_per_ms := trace.bytes_per_ms(ram)):
                continue
            t_s.append(sample.t_s)
            values.append(formula(at_sync.middle, ram, bytes_per_ms))
            if bounded:
                for column, size in zip(bounds, (at_sync.low, at_sync.high), strict=True):
                    column.append(formula(size, ram, bytes_per_ms))
    low, high = (_floats(column) if bounded else None for column in bounds)
    shown = f"{name}, computed" if bounded else name
    return Series(shown, Role.CONTRACT if bounded else Role.OTHER, _floats(t_s), _floats(values), low, high)


def _intervals(name: str, role: Role, t_s: Sequence[float], intervals: Sequence[Interval]) -> Series:
    middles, lows, highs = (
        _floats(getattr(interval, part) for interval in intervals) for part in ("middle", "low", "high")
    )
    return Series(name, role, _floats(t_s), middles, lows, highs)


def _held(name: str, role: Role, steps: Sequence[tuple[float, float]], end_s: float) -> Series:
    """Values that held from a time each, the last one until `end_s`."""
    held = [*steps, (end_s, steps[-1][1])] if steps else []
    return Series(name, role, _floats(at_s for at_s, _ in held), _floats(value for _, value in held))


def _dropped(reason: str, times_s: Sequence[float], reported: Series) -> Series:
    """The reports among samples that were dropped for `reason`."""
    inside = np.isin(reported.t_s, _floats(times_s))
    return Series(f"{len(times_s)} dropped: {reason}", Role.DROPPED, reported.t_s[inside], reported.values[inside])


def _downtimes(trace: Trace, verdict: Verdict) -> list[Series]:
    """How long the guest was down, as each party saw it, put down when it was stopped."""
    stop, down, truth = trace.switchover_stop, verdict.downtime, verdict.ground_truth
    if stop is None:
        return []
    seen: list[tuple[str, Interval]] = []
    if truth is not None:
        seen.append(("down until it could go on", Interval(truth.down_ms, truth.down_ms)))
    elif down is not None:
        if down.qemu_ms is not None:
            seen.append(("downtime, says QEMU", Interval(down.qemu_ms, down.qemu_ms)))
        if down.events_ms is not None:
            seen.append(("downtime, STOP to RESUME", Interval(down.events_ms, down.events_ms)))
        if down.guest_ms is not None:
            seen.append(("downtime, seen by the guest", down.guest_ms))
    return [_intervals(name, Role.DOWN, [stop.t_s], [ms]) for name, ms in seen]


def _down_s(trace: Trace, end_s: float) -> tuple[float, float] | None:
    stop, resume = trace.switchover_stop, trace.first_event("destination", "RESUME")
    return None if stop is None else (stop.t_s, resume.t_s if resume is not None else end_s)


def _reported_ms(sample: Sample) -> float:
    return sample.expected_downtime_ms or 0.0


def _some(*series: Series) -> tuple[Series, ...]:
    return tuple(one for one in series if len(one.t_s))


def _top(series: Iterable[Series], percentile: float = USUAL) -> float:
    """The greatest value that any of the series usually has, or 0."""
    some = [one.values[np.isfinite(one.values)] for one in series]
    return max((float(np.percentile(values, percentile)) for values in some if len(values)), default=0.0)


def _floats(values: Iterable[float]) -> Floats:
    return np.fromiter(values, dtype=np.float64)
