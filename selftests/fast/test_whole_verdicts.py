# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole verdict on a migration, field by field, and what is remarked beside it."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.verdict.judge import judge
from selftests.support.traces import MBPS, Pass, completed, event, made, precopy

FIRST = "first pass: all of RAM is sent, nothing is predicted"
SETTLING = "before the first update after the sync"
QEMU = {"qemu": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "arch": "ppc64"}


def test_each_field_of_a_verdict_is_what_was_found():
    rows = precopy(Pass(30_000, 500), Pass(20_000, 500, expected_ms=300), Pass(25_000, expected_ms=300))
    verdict = judge(made(rows, limit_ms=317, header=QEMU))
    assert (verdict.verdict, verdict.report.code, verdict.formula) == ("inaccurate", "another-formula", "dirty-rate")
    assert (verdict.contract, verdict.tolerance, verdict.downtime_limit_ms) == ("last-sync", 0.01, 317)
    assert (verdict.passes, verdict.samples_used) == (2, 88 + 116)
    assert verdict.samples_dropped == {FIRST: 149, SETTLING: 21}
    assert {reason: len(times) for reason, times in verdict.dropped_at_s.items()} == verdict.samples_dropped
    assert (verdict.reported_ms, verdict.expected_ms) == (300, pytest.approx(2250))
    assert verdict.relative_error == pytest.approx((300 / 2000 + 300 / 2500) / 2 - 1)
    interval = verdict.relative_error_interval
    assert interval.low == pytest.approx((300 / 2000 + 300 / 2500) / 2 - 1)
    assert interval.high == pytest.approx((301 / 2000 + 301 / 2500) / 2 - 1)
    assert verdict.limit.code == "went-on-in-a-pass"
    assert (verdict.limit.unsent_ms.low, verdict.limit.unsent_ms.high) == pytest.approx((50, 50))
    assert verdict.era == (
        "dirty-rate is how QEMU 1.5 to 2.12 compute it, but this build reports 7.2.0: "
        "is 650af8907bd5 (QEMU 3.0) missing or reverted?"
    )
    assert verdict.reasons == (verdict.report.sentence, verdict.era, verdict.limit.reason)
    assert verdict.report.sentence == "the report is -86.50% off last-sync; it matches dirty-rate"
    assert verdict.subject == "QEMU 7.2.0 ppc64"
    for nothing in ("integrity", "downtime", "convergence", "predicted_downtime", "stop"):
        assert getattr(verdict, nothing) is None


def test_nothing_is_said_of_releases_where_the_formula_is_not_known_for_certain():
    rows = precopy(Pass(30_000), Pass(20_000, rate=20_000), limit_ms=1)
    alike = judge(made(rows, header=QEMU))
    assert (alike.report.code, alike.era) == ("formulas-alike", "")
    frozen = judge(
        made(precopy(Pass(30_000), Pass(20_000, expected_ms=777), Pass(25_000, expected_ms=777)), header=QEMU)
    )
    assert (frozen.formula, frozen.era) == ("frozen", "")


def test_a_formula_of_no_such_name_is_refused_with_those_that_there_are():
    with pytest.raises(UsageError) as caught:
        judge(made(precopy(Pass(20_000))), "last-snyc")
    assert str(caught.value) == "unknown formula 'last-snyc'; known are last-sync, dirty-rate, redirty, live"


@pytest.mark.parametrize(("data", "said"), [({"said": "rate=9 pages=5"}, "rate=9 pages=5"), ({}, "it says no more")])
def test_a_guest_that_lags_behind_is_remarked(data, said):
    rows = precopy(Pass(30_000), Pass(20_000))
    lagging = judge(made(rows, [event(4, "harness", "LAGGING", data)]))
    assert lagging.reasons[-1] == f"the guest could not keep to its rate: {said}"
    others = [event(4, "source", "LAGGING", data), event(4, "harness", "HEARTBEAT", {"side": "source"})]
    assert not any("rate:" in reason for reason in judge(made(rows, others)).reasons)


def test_remarks_come_in_their_order_and_the_notes_of_the_reader_last():
    """A migration that failed, in which a limit was tried and a guest lagged, of a file that was cut off."""
    rows = precopy(Pass(30_000), Pass(20_000), Pass(20_000), Pass(20_000))
    rows.append(completed(rows))
    rows[-1]["query-migrate"]["status"] = "failed"
    limit = event(8, "harness", "LIMIT", {"trial": "below", "downtime-limit": 2})
    verdict = judge(made([*rows], [limit, event(8, "harness", "LAGGING")], header={"stops_at": 0.5}))
    stopped = "the guest was not stopped: the migration ended before"
    assert verdict.reasons == (
        "the report is +0.00% off last-sync, within ±1.0%",
        "the migration ended before the chosen limit was tried",
        "the guest could not keep to its rate: it says no more",
        stopped,
    )
    assert judge(made(rows)).reasons[1:] == ("the migration failed",)
    assert verdict.stop.check.sentence == stopped and verdict.convergence.code == "chosen-not-tried"


@pytest.mark.parametrize(("stopped_at", "said"), [({}, True), ({"stops_at": 0.5}, True)])
def test_views_of_the_downtime_that_are_apart_are_remarked_unless_it_was_timed(stopped_at, said):
    rows = precopy(Pass(30_000), Pass(20_000), Pass(20_000, 10_000))
    stop_s = rows[-1]["t"] + 0.001
    rows.append(completed(rows, 2000, downtime=100))
    beats = [("source", 1.0), ("destination", 2.5)]
    events = [
        event(stop_s, "source", "STOP", stamp_s=1000.0),
        *(event(stop_s + 2, "harness", "HEARTBEAT", {"side": s, "after_s": t, "by_s": t}) for s, t in beats),
    ]
    apart = "the guest was down 1400 ms longer than QEMU reports (100 ms)"
    assert (apart in judge(made(rows, events, header=stopped_at)).reasons) is said
    timed = [
        event(stop_s - 0.001, "harness", "STOP_NOW"),
        *events,
        event(stop_s + 3, "destination", "MIGRATION", {"status": "completed"}, 1001.5),
    ]
    verdict = judge(made(rows, timed, header={"stops_at": 0.5}))
    assert verdict.ground_truth.down_ms == pytest.approx(1500) and apart not in verdict.reasons


def test_what_came_of_another_bandwidth_is_judged_too():
    """What is right follows it; a report that does not is off from then on."""
    rows = precopy(Pass(30_000), Pass(20_000), Pass(20_000))
    changed_s = 6.0
    for one in rows:
        if one["t"] > changed_s:
            one["query-migrate"]["ram"]["mbps"] = MBPS / 2
    kept = judge(made(rows, [event(changed_s, "harness", "BANDWIDTH")]))
    assert kept.reasons[0].startswith("the report is -50.00% off last-sync once the bandwidth has changed by -50%")
