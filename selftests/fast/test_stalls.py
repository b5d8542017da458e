# SPDX-License-Identifier: GPL-2.0-or-later
"""For how long a host kept QEMU from running, by what the link carried, by waits for a CPU, by looks that came late."""

from itertools import accumulate

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.oracle.stalls import link_idle_ms, stalled_ms
from avocado_migdowntime.verdict.judge import judge
from selftests.support.traces import Pass, completed, event, made, precopy

ROWS = precopy(Pass(30_000), Pass(20_000), Pass(20_000))
"""The last sample, which says that the migration completed, is answered at 7.0525 s."""
LATE_S = [0.1, 0.1, 0.15, 0.1, 0.3, 0.1, 0.1]
"""From 6.0 s on: after 6.2 s a look comes 50 ms late, at 6.35 s, and after 6.45 s one 200 ms late, at 6.75 s."""


def at(gaps_s):
    return accumulate(gaps_s, initial=6.0)


def used(gaps_s, *sides):
    data = {side: {"qemu_s": 1.0} for side in sides or ("source", "destination")}
    return [event(t_s, "harness", "CPU", data) for t_s in at(gaps_s)]


def waited(*queued_s, side="source", name="queued_s"):
    """Looks each eighth of a second, with what had been counted by then."""
    gaps_s = [0.125] * (len(queued_s) - 1)
    return [
        event(t_s, "harness", "CPU", {side: {"qemu_s": 1.0} if one is None else {"qemu_s": 1.0, name: one}})
        for t_s, one in zip(at(gaps_s), queued_s, strict=True)
    ]


def carried(gaps_s, megabytes):
    totals = accumulate(megabytes, initial=7.0)
    data = [{"bytes": round(1e6 * total), "packets": 1} for total in totals]
    return [event(t_s, "harness", "CARRIED", one) for t_s, one in zip(at(gaps_s), data, strict=True)]


def trace(events, **more):
    return made([*ROWS, completed(ROWS, **more)], sorted(events, key=lambda one: one["t"]))


@pytest.mark.parametrize(
    ("begin_s", "end_s", "late_ms"),
    [
        (0, 10, 250),
        (6.4, 10, 200),
        (6.3, 6.7, 50 + 200),  # Only 50 ms of the first gap are inside: they may be the late ones.
        (6.32, 6.55, 30 + 100),
        (6.75, 10, 0),
        (0, 6.2, 0),
        (8, 9, 0),
    ],
)
def test_what_is_more_than_the_usual_gap_counts_as_far_as_it_may_have_been_inside(begin_s, end_s, late_ms):
    assert stalled_ms(trace(used(LATE_S)), begin_s, end_s) == pytest.approx(late_ms)


def test_a_look_that_comes_early_makes_up_for_none():
    assert stalled_ms(trace(used([0.1, 0.1, 0.15, 0.05, 0.1])), 0, 10) == pytest.approx(50)


def test_the_looks_at_each_host_come_by_themselves_and_the_latest_count():
    events = [*used([0.1, 0.1, 0.12, 0.1], "source"), *used([0.25, 0.25, 0.28, 0.25], "destination")]
    assert stalled_ms(trace(events), 0, 10) == pytest.approx(30)


@pytest.mark.parametrize("gaps_s", [None, [], [2.0]])
def test_too_few_looks_show_nothing(gaps_s):
    assert stalled_ms(trace([] if gaps_s is None else used(gaps_s)), 0, 10) == 0
    few = [] if gaps_s is None else carried(gaps_s, [3 for _ in gaps_s])
    assert stalled_ms(trace(few), 0, 10) == 0


def test_only_regular_looks_of_the_harness_count():
    others = [event(t_s, "harness", "HEARTBEAT", {}) for t_s in at(LATE_S)]
    others += [event(t_s, "source", "CPU", {}) for t_s in at(LATE_S)]
    others += [event(t_s, "source", "CARRIED", {}) for t_s in at(LATE_S)]
    assert stalled_ms(trace(others), 0, 10) == 0


@pytest.mark.parametrize(
    ("megabytes", "begin_s", "end_s", "idle_ms"),
    [
        ([2, 2, 2, 2, 2], 0, 10, 0),
        ([2, 2, 1.5, 2, 2], 0, 10, 25),
        ([2, 0, 1, 2, 2], 0, 10, 100 + 50),
        ([2, 2, 0, 4, 2], 0, 10, 100),  # What is made up for later was idle before.
        ([2, 2, 0, 2, 2], 6.25, 10, 50),
        ([2, 2, 0, 2, 2], 0, 6.23, 30),
        ([2, 2, 1, 2, 2], 6.24, 6.3, 10),  # What it carried may all have been inside.
        ([2, 2, 0, 2, 2], 0, 6.2, 0),
        ([2, 2, 0, 2, 2], 6.3, 10, 0),
        ([0, 0, 0, 0, 2], 0, 10, 0),  # It usually carries nothing.
    ],
)
def test_a_link_is_idle_for_what_it_did_not_need_at_its_usual_rate(megabytes, begin_s, end_s, idle_ms):
    events = [*waited(0, 9, 18, 27, 36, 45), *carried([0.1] * 5, megabytes)]
    assert stalled_ms(trace(events), begin_s, end_s) == pytest.approx(idle_ms)


@pytest.mark.parametrize(
    ("queued_s", "begin_s", "end_s", "queued_ms"),
    [
        ([1.0, 1.0, 1.05, 1.05, 1.07], 0, 10, 70),
        ([1.0, 1.0, 1.05, 1.05, 1.07], 6.2, 6.3, 50),
        ([1.0, 1.0, 1.05, 1.05, 1.07], 6.2, 6.4, 70),
        ([1.0, 1.0, 1.05, 1.05, 1.07], 6.25, 6.375, 0),
        ([1.0, 1.0, 1.05, 1.05, 1.07], 6.24, 6.375, 50),
        ([1.0, 1.0, 1.05, 1.05, 1.07], 6.25, 6.38, 20),
        ([1.0, 1.0, 1.05, 1.05, 1.07], 8, 9, 0),
        ([None, 1.0, 1.05, None, 1.08], 6.3, 6.31, 30),
        ([1.0, 1.0, 0.7], 0, 10, 0),  # A thread ended, and what it waited is counted no more.
        ([1.0], 0, 10, 0),
        ([None, None], 0, 10, 0),
    ],
)
def test_what_threads_waited_for_a_cpu_counts_between_the_looks_around(queued_s, begin_s, end_s, queued_ms):
    assert stalled_ms(trace(waited(*queued_s)), begin_s, end_s) == pytest.approx(queued_ms)


def test_both_sides_may_wait_but_a_cpu_is_withheld_from_their_host_once():
    first = {"queued_s": 1.0, "stolen_s": 5.0}
    last = {"source": {"queued_s": 1.01, "stolen_s": 5.04}, "destination": {"queued_s": 1.02, "stolen_s": 5.03}}
    looks = [(6.0, {"source": first, "destination": first}), (6.1, last)]
    events = [event(t_s, "harness", "CPU", data) for t_s, data in looks]
    assert stalled_ms(trace(events), 0, 10) == pytest.approx(10 + 20 + 40)


def test_what_is_more_counts_of_waits_and_looks_that_came_late():
    assert stalled_ms(trace([*used(LATE_S, "destination"), *waited(0, 0.24)]), 0, 10) == pytest.approx(250)
    assert stalled_ms(trace([*used(LATE_S, "destination"), *waited(0, 0.26)]), 0, 10) == pytest.approx(260)


def test_an_idle_link_alone_does_not_accuse_the_host():
    link = carried([0.1] * 5, [2, 2, 0, 2, 2])
    assert stalled_ms(trace(link), 0, 10) == 0
    assert link_idle_ms(trace(link), 0, 10) == pytest.approx(100) and link_idle_ms(trace([]), 0, 10) is None
    assert stalled_ms(trace([*link, *waited(0, 0.06)]), 0, 10) == pytest.approx(60)
    assert stalled_ms(trace([*link, *waited(0, 0.3)]), 0, 10) == pytest.approx(100)


def test_a_late_look_at_a_busy_link_shows_nothing_whatever_other_looks_do():
    events = [*carried(LATE_S, [20 * gap_s for gap_s in LATE_S]), *used(LATE_S)]
    assert stalled_ms(trace(events), 0, 10) == pytest.approx(0, abs=1e-6)


def test_looks_at_one_time_have_no_rate():
    assert stalled_ms(trace([*waited(0, 9), *carried([0.1, 0, 0.1, 0.1], [2, 2, 2, 1])]), 0, 10) == pytest.approx(50)
    assert stalled_ms(trace([*waited(0, 9), *carried([0, 0], [2, 2])]), 0, 10) == 0


def test_a_look_at_the_link_without_a_number_is_refused():
    with pytest.raises(UsageError, match="'bytes' is 'many' where a number from 0 up was expected"):
        stalled_ms(trace([event(6.0, "harness", "CARRIED", {"bytes": "many"})]), 0, 10)


@pytest.mark.parametrize(("qemu_ms", "late_ms"), [(1000, 250), (400, 97.5), (None, 0)])
def test_of_the_downtime_it_is_what_came_late_before_its_end(qemu_ms, late_ms):
    more = {} if qemu_ms is None else {"downtime": qemu_ms}
    assert judge(trace(used(LATE_S), **more)).downtime.stalled_ms == pytest.approx(late_ms)
