# SPDX-License-Identifier: GPL-2.0-or-later
"""What a downtime-limit does from now on, held against simulated migrations whose course is known."""

from dataclasses import replace

import pytest

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.outlook import outlook
from avocado_migdowntime.trace.events import Event

from ..support.simulate import Simulation, random_writes, record, sweep
from ..support.traces import MBPS, Pass, made, precopy
from ..support.watching import at, with_capabilities

PAGES, BYTES_PER_MS = 6000, 12_000.0


def simulated(workload, limit_ms, **more):
    # No more may be left than there is, which a guest that dirties more and more would need.
    given = {"zero_pages": 100_000, "duration_ms": 60_000, **more}
    simulation = Simulation([PAGES], BYTES_PER_MS, limit_ms, workload=workload, **given)
    return with_capabilities(record(simulation, switchover_ms=30)), simulation


def steady(ms, unsent):
    """All of it is dirty again, however long a pass was."""
    return PAGES


def growing(ms, unsent):
    """It dirties twice as fast as is sent, always other pages."""
    return unsent + 6 * ms


WORKLOADS = {
    "more and more": (growing, 300),
    "all of it": (steady, 300),
    "all of it, a larger limit": (steady, 2100),
    "at random": (random_writes(PAGES, 6), 300),
    "at random, slowly": (random_writes(PAGES, 2.4), 200),
    "one after the other": (sweep(PAGES, 3.2), 300),
    "one after the other, slowly": (sweep(PAGES, 2.4), 200),
}


@pytest.mark.long
@pytest.mark.parametrize("name", WORKLOADS)
def test_what_is_said_for_sure_comes_true(name):
    workload, limit_ms = WORKLOADS[name]
    trace, _ = simulated(workload, limit_ms)
    said = {at(trace, t_s).outlook for t_s in (3, 5, 8, 15, 30) if t_s < trace.switchover_s} - {None}
    sure = {outlook.converges for outlook in said} - {None}
    assert sure <= {trace.completed}


def test_a_guest_that_dirties_faster_than_is_sent_never_finishes_and_that_is_sure():
    trace, _ = simulated(growing, 300)
    assert not trace.completed
    outlook = at(trace, 20).outlook
    assert (outlook.limit_ms, outlook.converges, outlook.likely) == (300, False, False)
    assert (outlook.in_ms, outlook.down_ms) == (None, None)


@pytest.mark.parametrize("capability", ["auto-converge", "dirty-limit", "postcopy-ram"])
def test_what_may_end_it_all_the_same_leaves_it_open(capability):
    trace, _ = simulated(steady, 300)
    assert at(with_capabilities(trace, capability), 8).outlook is None


def test_without_knowing_which_capabilities_are_on_it_is_not_sure():
    trace, _ = simulated(steady, 300)
    header = {name: value for name, value in trace.header.items() if name != "capabilities"}
    outlook = at(replace(trace, header=header), 8).outlook
    assert (outlook.converges, outlook.likely) == (None, False)


@pytest.mark.parametrize("workload", [steady, random_writes(PAGES, 6)], ids=["all of it", "at random"])
@pytest.mark.parametrize("t_s", [6.0, 7.5, 9.1])
def test_with_the_limit_that_is_advised_it_ends_when_that_is_said_and_with_the_downtime_that_is_said(workload, t_s):
    trace, _ = simulated(workload, 300)
    now = at(trace, t_s)
    later, truth = simulated(workload, 300, later_limits_ms={round(t_s * 1000): now.advice.limit_ms})
    assert later.completed
    assert later.switchover_s == pytest.approx(now.t_s + now.advised.in_ms / 1000, abs=2.2)
    left_ms = truth.true_sync_bytes[max(truth.true_sync_bytes)] / BYTES_PER_MS
    assert left_ms <= now.advice.limit_ms and now.advised.down_ms == pytest.approx(left_ms, rel=0.2)


def test_nothing_is_said_before_a_pass_was_seen_from_end_to_end():
    trace, _ = simulated(steady, 300)
    assert at(trace, 1.0).outlook is None and at(trace, 1.0).advised is None


@pytest.mark.parametrize(("mbps", "known"), [(MBPS, True), (2 * MBPS, False)])
def test_nothing_is_said_where_it_is_not_known_at_which_bandwidth_it_goes_on(mbps, known):
    """Few samples show another bandwidth than the pages went at."""
    rows = precopy(Pass(30_000), *[Pass(20_000, mbps=mbps, period_ms=400)] * 2)
    assert (at(made(rows, limit_ms=300), rows[-1]["t"]).outlook is not None) is known


@pytest.mark.parametrize(("limit_ms", "converges"), [(2300, True), (1990, None), (300, None)])
def test_that_a_limit_ends_it_is_sure_where_each_sync_finds_less(limit_ms, converges):
    """All passes of 2 s are alike. Of a lower limit it is not known what the shorter passes would leave."""
    learnt = Evidence.of(made(precopy(Pass(30_000), *[Pass(20_000)] * 3), header={"capabilities": []}))
    found = outlook(learnt, limit_ms, learnt.passes[-1])
    assert (found.converges, found.limit_ms) == (converges, limit_ms)


def test_nothing_is_predicted_where_the_limit_does_not_decide():
    """A stopped guest dirties nothing, so its migration ends under any limit; one of a disk ends under none."""
    trace, _ = simulated(steady, 300)
    assert at(trace, 8).outlook is not None
    stopped = replace(trace, events=(*trace.events, Event(7.0, "source", "STOP", {})))
    assert (at(stopped, 8).outlook, at(stopped, 8).advice.limit_ms) == (None, None)
    beside_a_disk = replace(trace, samples=tuple(replace(one, disk_bytes=9e6) for one in trace.samples))
    assert (at(beside_a_disk, 8).outlook, at(beside_a_disk, 8).advice.finding) == (None, "none")
