# SPDX-License-Identifier: GPL-2.0-or-later
"""What a picture of a migration shows is what was judged, and thinning it loses no extreme."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.pictures.chart import Role
from avocado_migdowntime.pictures.chart_of_trace import chart
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.verdict.judge import judge

from ..support.simulate import PAGE, Simulation, record

RECORDINGS = Path(__file__).parents[1] / "recordings"


def curves(trace):
    """The chart of a trace, and its series by their names."""
    drawn = chart(trace, judge(trace))
    return drawn, {series.name: series for panel in drawn.panels for series in panel.series}


def test_the_curves_are_what_the_simulated_qemu_had():
    simulation = Simulation([9_000, 5_000, 6_000, 4_000])
    trace = record(simulation)
    drawn, found = curves(trace)
    seen = dict(drawn.begins_s)
    at_sync = found["left at the dirty sync"]
    true = [simulation.true_sync_bytes[number] / 1e6 for number in sorted(seen) if number > 1]
    assert at_sync.values == pytest.approx(true, abs=2 * PAGE / 1e6)
    assert list(at_sync.t_s) == [seen[number] for number in sorted(seen) if number > 1]
    assert all(at_sync.low <= at_sync.values) and all(at_sync.values <= at_sync.high)
    computed = found["last-sync, computed"]
    last = computed.values[computed.t_s > at_sync.t_s[-1] + 0.2]
    assert np.median(last) == pytest.approx(true[-1] * 1e6 / simulation.bytes_per_ms, rel=0.01)
    live = found["live"]
    remaining = dict(zip(found["remaining now"].t_s, found["remaining now"].values, strict=True))
    assert live.values[50] == pytest.approx(remaining[live.t_s[50]] * 1e6 / simulation.bytes_per_ms, rel=0.02)
    assert np.median(found["bandwidth"].values) == pytest.approx(simulation.bytes_per_ms / 1000, rel=0.01)
    assert set(found["configured downtime-limit"].values) == {simulation.limit_ms}


def test_each_dropped_sample_is_shown_with_its_reason():
    trace = record(Simulation([9_000, 5_000]), torn=0.05, seed=3)
    verdict = judge(trace)
    _, found = curves(trace)
    shown = {series.name: series for series in found.values() if series.role is Role.DROPPED}
    assert shown.keys() == {f"{count} dropped: {reason}" for reason, count in verdict.samples_dropped.items()}
    for reason, times_s in verdict.dropped_at_s.items():
        assert list(shown[f"{len(times_s)} dropped: {reason}"].t_s) == sorted(times_s)
    used = {sample.t_s for sample in trace.samples} - {
        t_s for times_s in verdict.dropped_at_s.values() for t_s in times_s
    }
    assert len(used) >= verdict.samples_used > 100


def test_limits_that_are_tried_are_steps_and_bound_what_was_unsent():
    limits = {9000: 300.0, 15000: 900.0}
    simulation = Simulation([9_000, 9_000], limit_ms=600, later_limits_ms=limits, duration_ms=22_000)
    trace = record(simulation)
    tried = tuple(
        Event(at_ms / 1000, "harness", "LIMIT", {"trial": "below", "downtime-limit": ms})
        for at_ms, ms in limits.items()
    )
    _, found = curves(replace(trace, events=(*trace.events, *tried)))
    set_to = found["configured downtime-limit"]
    assert list(set_to.values) == [600, 300, 900, 900] and list(set_to.t_s[1:3]) == [9, 15]
    works = found["effective downtime-limit"]
    assert works.values[0] == pytest.approx(600, abs=30) and works.t_s[-1] == 9
    left, at_sync = found["left when a pass ended"], found["left at the dirty sync"]
    for begin_s, end_s, limit_ms in ((0.5, 9, 600), (9, 15, 300), (15, 22, 900)):
        inside = (begin_s <= left.t_s) & (left.t_s < end_s)
        assert inside.any() and all(abs(left.values[inside] - limit_ms + 60) < 90), (limit_ms, left.values[inside])
        assert at_sync.values[inside] == pytest.approx(9_000 * PAGE / 1e6, rel=0.02)


def test_the_downtime_is_put_where_the_guest_was_stopped():
    drawn, found = curves(read(str(RECORDINGS / "ppc64-tcg-qemu-7.2-stopped-in-mid-pass.jsonl.gz")))
    down = found["down until it could continue"]
    assert (down.t_s[0], down.values[0]) == pytest.approx((14.303674, 4474.69), abs=0.01)
    assert drawn.down_s == pytest.approx((14.303674, 18.867958))


def test_a_single_look_has_no_course():
    trace = read(str(RECORDINGS / "info-migrate-power8.txt"))
    assert chart(trace, judge(trace)) is None


def test_thinning_a_chart_keeps_each_extreme_of_each_series():
    trace = record(Simulation([9_000, 3_000], duration_ms=30_000, noise=0.2), period_ms=2)
    drawn, _ = curves(trace)
    thin = drawn.thinned(50)
    for before, after in zip(drawn.panels, thin.panels, strict=True):
        for whole, few in zip(before.series, after.series, strict=True):
            assert len(few.t_s) <= 15 * 50 and few.name == whole.name
            assert (np.nanmin(few.values), np.nanmax(few.values)) == (np.nanmin(whole.values), np.nanmax(whole.values))
            assert (few.t_s[0], few.t_s[-1]) == (whole.t_s[0], whole.t_s[-1])
    assert len(drawn.panels[0].series[0].t_s) > 10 * len(thin.panels[0].series[0].t_s)
