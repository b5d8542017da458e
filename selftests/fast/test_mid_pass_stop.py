# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that is stopped in mid-pass, in a migration made figure by figure: the truth, and each estimate of it.

A millisecond is 10 pages. The guest is stopped 800 ms into the third pass, of which 12000 of 20000 pages are left.
"""

import pytest

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.verdict.mid_pass_stop import mid_pass_stop
from selftests.support.traces import PAGE_BYTES, Pass, completed, event, made, precopy

REST, DIRTIED = 12_000, 5_000
DOWN_MS = 1_600.0


def stopped(rest=REST, period_ms=20, said_ms=None, alter=None, **more):
    """What comes of it, with so many pages left."""
    last = Pass(20_000, rest, period_ms=period_ms, expected_ms=said_ms)
    rows = precopy(Pass(30_000), Pass(20_000), last)
    if alter:
        alter(rows)
    stop_s = rows[-1]["t"] + 0.004
    events = [
        event(rows[-1]["t"] + 0.002, "harness", "STOP_NOW"),
        event(stop_s, "source", "STOP", stamp_s=1000.25),
        event(stop_s + 1, "destination", "MIGRATION", {"status": "completed"}, stamp_s=1000.25 + DOWN_MS / 1000),
    ]
    rows.append(completed(rows, 1700, DIRTIED))
    return mid_pass_stop(Evidence.of(made(rows, events, header={"stops_at": 0.4}, **more)))


def estimates(stop):
    return {estimate.name: estimate.ms for estimate in stop.truth.estimates}


def test_the_truth_is_timed_and_counted():
    truth = stopped().truth
    assert truth.down_ms == pytest.approx(DOWN_MS)
    assert (truth.number, truth.in_pass) == (3, pytest.approx(1 - REST / 20_000))
    assert (truth.rest_bytes, truth.dirtied_bytes) == (REST * PAGE_BYTES, DIRTIED * PAGE_BYTES)
    assert truth.dirty_ratio == pytest.approx(20_000 / 2000 / 10, rel=0.01)


def test_each_estimate_is_of_the_last_sample_before_the_stop():
    found = stopped(said_ms=2010.0)
    assert estimates(found) == {
        "reported": 2010.0,
        "last-sync": pytest.approx(2000),
        "dirty-rate": pytest.approx(300),
        "redirty": pytest.approx(2000 * 1.3),
        "live": pytest.approx(REST / 10),
        # Passes of 2 s and of 3 s made as much dirty, so that all of it may have been within 0.8 s.
        "rest-and-dirtied": pytest.approx((REST + 20_000) / 10),
    }
    errors = {estimate.name: estimate.error for estimate in found.truth.estimates}
    assert errors["live"] == pytest.approx(REST / 10 / DOWN_MS - 1)
    assert found.truth.ranked[0].error == min(errors.values(), key=abs)


def test_what_was_said_last_is_reported_and_nothing_where_that_sample_has_none():
    def at_the_end(figure):
        def alter(rows):
            rows[-1]["query-migrate"]["expected-downtime"] = figure
            if figure is None:
                del rows[-1]["query-migrate"]["expected-downtime"]

        return estimates(stopped(alter=alter))["reported"]

    assert (at_the_end(1777), at_the_end(None)) == (1777, 0)


def test_avail_switchover_bandwidth_is_what_all_but_the_report_divide_by():
    given = {"avail-switchover-bandwidth": 2 * 10 * PAGE_BYTES * 1000}
    found = estimates(stopped(parameters=given, said_ms=1000.0))
    assert (found["last-sync"], found["live"], found["reported"]) == (
        pytest.approx(1000),
        pytest.approx(REST / 20),
        1000,
    )


@pytest.mark.parametrize(("period_ms", "code"), [(400, "timed"), (800, "too-little-seen")])
def test_three_samples_of_the_last_pass_are_enough(period_ms, code):
    """At 0, 400 and 800 ms; or at 0 and 800."""
    found = stopped(period_ms=period_ms)
    assert (found.check.code, found.check.outcome) == (code, "passed" if code == "timed" else "undecided")
    assert (found.truth is None) == (code != "timed")
