# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody changes max-bandwidth while a migration is recorded: the advice is for the bandwidth since then.

What limits the bandwidth until the switchover, and not then, is the max-bandwidth in force.
"""

from dataclasses import replace

import pytest

from avocado_migdowntime.prediction.advice import Finding
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.report.verdict_text import summary
from avocado_migdowntime.trace.events import CAP_CHANGED, Event
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.verdict.judge import judge
from selftests.support.migrations import of, with_header
from selftests.support.simulate import Simulation, random_writes, record
from selftests.support.watching import at

BEFORE, CHANGED_MS, PAGES = 50_000.0, 11_000, 30_000
CAPPED = {"migrate-parameters": {"downtime-limit": 100, "max-bandwidth": 12e6}}
POSTCOPY = Sample(8.0, 0.5, "postcopy-active")


def changed(bytes_per_ms, until_ms, parameters=True):
    """A migration whose max-bandwidth is changed from BEFORE, and the most that its syncs find."""
    later = {CHANGED_MS: bytes_per_ms}
    guest = random_writes(PAGES, 60)
    simulation = Simulation([40_000], BEFORE, duration_ms=until_ms, later_bytes_per_ms=later, workload=guest)
    trace = record(simulation)
    since_s = CHANGED_MS / 1000
    event = Event(since_s + 0.02, "harness", CAP_CHANGED, {"max-bandwidth": 1000 * bytes_per_ms, "since": since_s})
    caps = {"max-bandwidth": 1000 * BEFORE} if parameters else {}
    trace = with_header(trace, **{"migrate-parameters": {"downtime-limit": 1, **caps}})
    return replace(trace, events=(*trace.events, event)), max(simulation.true_sync_bytes.values())


@pytest.mark.parametrize("bytes_per_ms", [25_000.0, 45_000.0, 55_000.0, 100_000.0])
@pytest.mark.parametrize("seen_ms", [100, 300, 500, 1_000, 2_000, 5_000])
def test_the_limit_is_for_the_bandwidth_since_the_change(bytes_per_ms, seen_ms):
    trace, most_bytes = changed(bytes_per_ms, CHANGED_MS + seen_ms)
    advice = advise(trace)
    if seen_ms < 500 and advice.finding is Finding.UNKNOWN:
        assert (advice.limit_ms, advice.range_ms, advice.down, advice.steps_ms) == (None, None, None, ())
    else:
        assert advice.limit_ms == pytest.approx(1.01 * most_bytes / bytes_per_ms, rel=0.02)
        assert advice.down.capped is True


def test_right_after_the_change_it_is_not_known():
    trace, _ = changed(25_000.0, CHANGED_MS + 100)
    assert advise(trace).reasons == (
        "max-bandwidth was changed just before the end, and QEMU has hardly shown its bandwidth since",
    )


@pytest.mark.parametrize(("bytes_per_ms", "capped"), [(0.0, False), (1e9, False), (BEFORE, True)])
def test_whether_max_bandwidth_limits_the_downtime_is_by_the_one_in_force(bytes_per_ms, capped):
    """Nothing is sent faster than before, as on a link that carries no more."""
    trace, _ = changed(BEFORE, CHANGED_MS + 3_000, parameters=False)
    *events, event = trace.events
    assert advise(replace(trace, events=tuple(events))).down.capped is None
    data = {**event.data, "max-bandwidth": 1000 * bytes_per_ms}
    assert advise(replace(trace, events=(*events, replace(event, data=data)))).down.capped is capped


@pytest.mark.parametrize(
    ("bytes_per_s", "told"), [(12_000_000, True), (13_000_000, True), (14_000_000, False), (0, False), (None, False)]
)
def test_only_a_cap_that_limited_qemu_is_a_reason_for_a_short_downtime(bytes_per_s, told):
    """It sends 12 MB/s, and is down for 7 ms where passes find 2 s."""
    parameters = {"downtime-limit": 300} | ({} if bytes_per_s is None else {"max-bandwidth": bytes_per_s})
    trace = with_header(of([2000, 2000, 10], 300.0), **{"migrate-parameters": parameters})
    assert ("QEMU lifts max-bandwidth at the switchover" in summary(judge(trace))) is told
    by_postcopy = replace(trace, samples=(*trace.samples[:-1], POSTCOPY, trace.samples[-1]))
    assert "QEMU lifts max-bandwidth" not in summary(judge(by_postcopy))


def test_it_counts_in_watch_too_if_the_count_before_it_was_wrong():
    trace = with_header(of([2000], 100.0, duration_ms=20_000), **CAPPED)
    first, second, *others = trace.samples
    damaged = replace(second, ram=replace(second.ram, dirty_sync_count=9))
    event = Event(second.t_s + 0.001, "harness", CAP_CHANGED, {"max-bandwidth": 0})
    trace = replace(trace, samples=(first, damaged, *others), events=(event, *trace.events))
    assert at(trace, 19.0).advice.down.capped is False
