# SPDX-License-Identifier: GPL-2.0-or-later
"""What a picture shows of a migration made by hand: each curve, figure by figure. A millisecond is 10 pages."""

import numpy as np
import pytest

from avocado_migdowntime.pictures.chart import Role
from avocado_migdowntime.pictures.chart_of_trace import chart
from avocado_migdowntime.verdict.judge import judge
from selftests.support.traces import PAGE_BYTES, Pass, answers, completed, event, made, precopy

FIRST = Pass(30_100, 100, 200)
BEGINS_S = (3.001, 5.002, 7.003, 9.004)


def drawn(rows, events=(), limit_ms=100, **more):
    """The chart, and its series by their names."""
    trace = made(rows, events, limit_ms, **more)
    found = chart(trace, judge(trace))
    return found, {series.name: series for panel in found.panels for series in panel.series}


def mb(*pages):
    return pytest.approx([size * PAGE_BYTES / 1e6 for size in pages])


def limit(t_s, limit_ms, name="LIMIT"):
    return event(t_s, "harness", name, {"trial": "below", "downtime-limit": limit_ms})


PASSES = [Pass(30_000, 0, 700), *[Pass(20_000, 0, 700)] * 4]


@pytest.mark.parametrize(
    ("set_to", "limits_ms"),
    [
        ({}, [30, 30, 30, 30]),
        ({4.0: 50}, [30, 50, 50, 50]),
        ({4.0: 50, 6.5: 60}, [30, 50, 60, 60]),
        ({4.0: 10, 6.5: 5000}, [30, 10, 70, 70]),
        ({0.5: 60, 9.0035: 20}, [60, 60, 60, 20]),
    ],
)
def test_what_was_left_at_a_sync_is_bounded_by_the_limit_that_held_then(set_to, limits_ms):
    """The last 700 pages of each pass are not seen to go out: of these no more were left than the limit allows."""
    events = [limit(t_s, limit_ms) for t_s, limit_ms in set_to.items()]
    _, found = drawn(precopy(*PASSES), events, 30)
    at_sync = found["left at the dirty sync"]
    assert at_sync.t_s == pytest.approx(BEGINS_S)
    assert at_sync.low == mb(20_000, 20_000, 20_000, 20_000)
    assert at_sync.high == mb(*[20_000 + 10 * ms for ms in limits_ms])
    assert at_sync.values == mb(*[20_000 + 5 * ms for ms in limits_ms])


def test_the_limits_are_steps_from_when_they_were_set_to_the_end():
    events = [limit(4.0, 300), event(4.5, "harness", "SOUNDING"), limit(6.5, 500, "FINISH")]
    _, found = drawn(precopy(*PASSES), events)
    steps = found["configured downtime-limit"]
    end_s = 9.004 + 1.93
    assert steps.t_s == pytest.approx([0, 4.0, 6.5, end_s]) and list(steps.values) == [100, 300, 500, 500]
    assert "configured downtime-limit" not in drawn(precopy(*PASSES), limit_ms=None)[1]


@pytest.mark.parametrize(("events", "until_s"), [([], 4.202), ([limit(3.5, 300)], 3.5)])
def test_the_limit_as_it_works_holds_until_another_is_set(events, until_s):
    _, found = drawn(precopy(*[Pass(20_000, 9_000, 200)] * 2, Pass(20_000)), events)
    works = found["effective downtime-limit"]
    assert works.t_s == pytest.approx([0, until_s]) and works.values == pytest.approx([960, 960])


def test_of_a_limit_that_is_set_back_the_time_is_marked_that_was_judged():
    set_back = [limit(0.5, 300, "LIMIT_CHANGED"), limit(1.0, 100, "LIMIT_CHANGED")]
    _, found = drawn(precopy(*[Pass(20_000, 9_000, 200)] * 3, Pass(20_000)), set_back)
    assert found["effective downtime-limit"].t_s[0] == pytest.approx(1.0)


def test_what_was_unsent_is_shown_with_its_bounds_in_milliseconds():
    _, found = drawn(precopy(Pass(30_000, 900, 200), Pass(20_000, 500), Pass(20_000)))
    left = found["left when a pass ended"]
    assert (left.low, left.values, left.high) == (
        pytest.approx([90, 50]),
        pytest.approx([100, 50]),
        pytest.approx([110, 50]),
    )


def test_the_report_and_each_formula_are_drawn_over_the_samples():
    rows = precopy(FIRST, Pass(20_000, expected_ms=1234), Pass(25_000))
    shown, found = drawn(rows)
    reported, computed = found["QEMU's expected-downtime"], found["last-sync, computed"]
    assert len(reported.t_s) == len(rows) and set(reported.values) == {1, 1234, 2500}
    for number, (low, high) in ((2, (2000, 2020)), (3, (2500, 2500))):
        begin_s, end_s = BEGINS_S[number - 2], [*BEGINS_S, 99][number - 1]
        inside = (begin_s <= computed.t_s) & (computed.t_s < end_s)
        for curve, right in ((computed.low, low), (computed.high, high), (computed.values, (low + high) / 2)):
            assert curve[inside] == pytest.approx(np.full(inside.sum(), right))
    assert found["dirty-rate"].values == pytest.approx(np.full(len(computed.t_s), 300))
    assert found["redirty"].values == pytest.approx(1.3 * computed.values)
    assert (found["live"].values[0], found["live"].values[-1]) == pytest.approx((2000, 0))
    assert [dict(shown.begins_s)[number] for number in (1, 2, 3)] == pytest.approx([0, 3.001, 5.002])
    assert {name for name, series in found.items() if series.role is Role.OTHER} == {"dirty-rate", "redirty", "live"}


def test_formulas_divide_by_the_bandwidth_that_is_set_for_the_switchover():
    rows = precopy(FIRST, Pass(20_000, expected_ms=1000))
    _, found = drawn(rows, parameters={"avail-switchover-bandwidth": 2 * 40_960_000})
    assert set(found["dirty-rate"].values) == {150}
    assert found["last-sync, computed"].low == pytest.approx(np.full(len(found["live"].t_s), 1000))
    assert (found["live"].values[0], found["live"].values[-1]) == pytest.approx((1000, 0))


@pytest.mark.parametrize(
    ("parameters", "mbps", "left_out"),
    [({}, 0, 10), ({}, 0.5, 0), ({"avail-switchover-bandwidth": 40_960_000}, 0, 0)],
)
def test_where_there_is_no_bandwidth_to_divide_by_no_formula_is_drawn(parameters, mbps, left_out):
    rows = precopy(FIRST, Pass(20_000))
    for answer in list(answers(rows, 2))[50:60]:
        answer["ram"]["mbps"] = mbps
    _, found = drawn(rows, parameters=parameters)
    assert len(found["last-sync, computed"].t_s) == len(found["live"].t_s) == 101 - left_out
    assert np.isfinite(found["last-sync, computed"].values).all()


def test_the_panels_are_named_with_their_units_and_as_high_as_what_they_show():
    shown, found = drawn(precopy(Pass(30_000), Pass(20_000), Pass(25_000), Pass(22_000)))
    named = [(panel.title, panel.unit, [series.name for series in panel.series]) for panel in shown.panels]
    left, expected, _ = named
    assert left == ("Left to send", "MB", ["remaining now", "left at the dirty sync"])
    assert expected[:2] == ("Expected downtime", "ms")
    assert expected[2][:7] == [
        "QEMU's expected-downtime", "last-sync, computed", "dirty-rate", "redirty", "live", "configured downtime-limit",
        "left when a pass ended",
    ]  # fmt: skip
    assert named[2] == ("Rates", "MB/s", ["bandwidth", "dirtied, according to QEMU"])
    remaining = found["remaining now"]
    assert remaining.values == mb(
        *[pages for begin in (30_000, 20_000, 25_000, 22_000) for pages in range(begin, -1, -200)]
    )
    assert remaining.values[0] == 30_000 * PAGE_BYTES / 1e6
    assert shown.panels[0].top == pytest.approx(1.15 * 25_000 * PAGE_BYTES / 1e6)
    assert shown.panels[1].top == pytest.approx(1.15 * 2500)
    assert all(series.low is None for name, series in found.items() if series.role is Role.OTHER)


def test_each_curve_has_its_role_and_the_picture_ends_with_the_last_sample():
    rows = precopy(*[Pass(20_000, 9_000, 200)] * 2, Pass(20_000))
    shown, found = drawn(rows)
    assert {name: one.role for name, one in found.items() if one.role not in (Role.OTHER, Role.DROPPED)} == {
        "remaining now": Role.REMAINING,
        "left at the dirty sync": Role.AT_SYNC,
        "QEMU's expected-downtime": Role.REPORTED,
        "last-sync, computed": Role.CONTRACT,
        "configured downtime-limit": Role.LIMIT,
        "effective downtime-limit": Role.EFFECTIVE_LIMIT,
        "left when a pass ended": Role.UNSENT,
        "bandwidth": Role.BANDWIDTH,
        "dirtied, according to QEMU": Role.DIRTYING,
    }
    assert shown.end_s == rows[-1]["t"]


def test_without_a_sync_the_picture_is_as_high_as_what_is_usually_left():
    """95 of 100 samples of a pass of 30000 pages have no more than 28500 left."""
    shown, found = drawn(precopy(Pass(30_000)))
    assert [series.name for series in shown.panels[0].series] == ["remaining now"]
    assert shown.panels[0].top == pytest.approx(1.15 * 28_500 * PAGE_BYTES / 1e6)
    assert set(found) == {
        "remaining now",
        "QEMU's expected-downtime",
        "configured downtime-limit",
        "bandwidth",
        "dirtied, according to QEMU",
        "151 dropped: first pass: all of RAM is sent, nothing is predicted",
    }


def test_a_pass_that_was_missed_is_a_gap():
    rows = [row for row in precopy(*PASSES) if row["query-migrate"]["ram"]["dirty-sync-count"] != 3]
    _, found = drawn(rows)
    computed = found["last-sync, computed"]
    (gap,) = np.flatnonzero(np.isnan(computed.values))
    assert computed.t_s[gap - 1] == computed.t_s[gap] == pytest.approx(3.001 + 1.93)
    assert np.isnan(computed.low[gap]) and np.isnan(computed.high[gap])
    assert computed.t_s[gap + 1] == pytest.approx(9.004)


def test_rates_are_megabytes_a_second():
    shown, found = drawn(precopy(FIRST, Pass(20_000)))
    assert set(found["bandwidth"].values) == {40.96}
    assert set(found["dirtied, according to QEMU"].values) == {0, 12.288}
    assert shown.panels[2].unit == "MB/s" and shown.panels[2].top == pytest.approx(1.15 * 40.96)


@pytest.mark.parametrize(("resumed", "down_s"), [(True, (5.003, 5.2)), (False, (5.003, 5.302))])
def test_each_view_of_the_downtime_is_put_where_the_guest_was_stopped(resumed, down_s):
    rows = precopy(FIRST, Pass(20_000))
    rows.append({**completed(rows, downtime=150), "t": 5.302})
    events = [event(5.003, "source", "STOP", stamp_s=1000.0)]
    if resumed:
        events.append(event(5.2, "destination", "RESUME", stamp_s=1000.25))
    for side, after_s in (("source", 1.0), ("destination", 1.2)):
        events.append(event(6, "harness", "HEARTBEAT", {"side": side, "after_s": after_s, "by_s": after_s + 0.01}))
    shown, found = drawn(rows, events)
    assert shown.down_s == down_s
    down = {name: series for name, series in found.items() if series.role is Role.DOWN}
    seen = {name: (one.t_s[0], one.low[0], one.values[0], one.high[0]) for name, one in down.items()}
    assert seen.pop("downtime, says QEMU") == (5.003, 150, 150, 150)
    assert seen.pop("downtime, seen by the guest") == pytest.approx((5.003, 190, 200, 210))
    if resumed:
        assert seen.pop("downtime, STOP to RESUME") == pytest.approx((5.003, 250, 250, 250))
    assert seen == {}


def test_samples_that_do_not_count_are_shown_by_their_reason():
    _, found = drawn(precopy(FIRST, Pass(20_000)))
    settling = found["10 dropped: before the first update after the sync"]
    assert settling.t_s == pytest.approx([3.001 + 0.02 * number for number in range(10)])
    assert list(settling.values) == [1] * 5 + [2000] * 5
