# SPDX-License-Identifier: GPL-2.0-or-later
"""Evidence that grows sample by sample is that of the trace so far, and goes through no sample twice."""

import math
from dataclasses import replace

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle import evidence as evidence_module
from avocado_migdowntime.oracle import growing as growing_module
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.oracle.growing import GrowingEvidence
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.verdict.judge import judge
from selftests.support.growing import differences, fed, grown, prefix
from selftests.support.recorded import recording
from selftests.support.simulate import Simulation, record
from selftests.support.traces import Pass, answers, completed, event, made, precopy, row

ROWS = precopy(Pass(30_000), Pass(20_000), Pass(25_000), Pass(20_000))
"""Passes begin at 0, 3.001, 5.002 and 7.503 s."""
EVERY = 37
"""Samples from one look to the next, so that looks come at different places of passes."""


def assert_the_same_at_each_look(trace, every=EVERY):
    """At each look, and at the end, as good as a trace of what there was until then."""
    evidence = GrowingEvidence(trace.header)
    counts = [*range(every, len(trace.samples), every), len(trace.samples)]
    done = 0
    for count in counts:
        fed(evidence, trace, done, count)
        assert differences(evidence.evidence(), prefix(trace, count)) == [], count
        done = count


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [
        "ppc64-tcg-qemu-7.2",
        "x86_64-kvm-qemu-7.2-limit-700ms",
        "ppc64-tcg-qemu-7.2-with-dirty-rate-formula",
        "ppc64-tcg-qemu-7.2-slowed-at-the-end",
        "ppc64-tcg-qemu-7.2-stopped-in-mid-pass",
        "ppc64-tcg-qemu-7.2-asked-while-it-switched-over",
        "x86_64-tcg-qemu-11.1-auto-converge",
    ],
)
def test_of_a_real_migration_each_look_is_as_good_as_a_trace(name):
    trace = read(str(recording(name)))
    assert_the_same_at_each_look(trace, max(1, len(trace.samples) // 10))
    # All of it, sample by sample, with a look at the end alone.
    assert differences(grown(trace), trace) == []


def test_at_each_sample_of_a_migration_it_is_as_good_as_a_trace():
    trace = record(Simulation([400, 200, 300], 12_000.0, zero_pages=100, duration_ms=500), period_ms=20)
    assert len(trace.samples) > 20
    assert_the_same_at_each_look(trace, 1)


def test_a_count_without_what_its_sync_found_is_of_no_pass_until_the_next_sync():
    rows = [row(0.1, 1, 90, 5), row(0.2, 2, 90, 5), row(0.3, 3, 90, 5), row(0.4, 3, 95, 6), row(0.5, 4, 95, 6)]
    trace = made(rows)
    numbers = [[one.number for one in grown(prefix(trace, count)).passes] for count in range(1, 6)]
    assert numbers == [[1], [1], [1, 2], [1, 2, 3], [1, 2, 3]]
    assert_the_same_at_each_look(trace, 1)


@pytest.mark.parametrize(("to", "more"), [(2, (5, 0)), (3, (0, 5))])
def test_a_dirty_sync_count_that_falls_puts_samples_back_into_their_pass(to, more):
    """A torn answer, or a QEMU that counts anew: passes are by their number, wherever its samples stand."""
    rows = precopy(Pass(30_000), Pass(20_000), Pass(25_000), Pass(20_000))
    for answer in list(answers(rows, 4))[10:15]:
        answer["ram"]["dirty-sync-count"] = to
    trace = made(rows)
    assert [len(one.samples) for one in grown(trace).passes] == [151, 101 + more[0], 126 + more[1], 96]
    assert_the_same_at_each_look(trace)
    # In the next migration passes that have ended are known again.
    ended = {**completed(rows), "t": 11.0}
    again = grown(made([*rows, ended, *({**one, "t": one["t"] + 20} for one in ROWS)]))
    assert len(grown(trace).ended_passes) == 0 and [one.number for one in again.ended_passes] == [1, 2, 3]


def test_after_the_switchover_what_was_taken_for_a_pass_is_none():
    """That it has completed tells that its guest was stopped for that, and which samples came after."""
    rows = precopy(Pass(30_000), Pass(20_000), Pass(20_000), Pass(2_000))
    stop = event(6.9, "source", "STOP")
    trace = made([*rows, completed(rows)], [stop])
    assert [one.number for one in grown(prefix(trace, len(rows))).passes] == [1, 2, 3, 4]
    assert [(one.number, len(one.samples)) for one in grown(trace).passes] == [(1, 151), (2, 101), (3, 95)]
    assert_the_same_at_each_look(trace)


def test_an_event_that_comes_after_the_last_sample_counts():
    trace = made([*ROWS, completed(ROWS)], [event(9.6, "source", "STOP")])
    evidence = GrowingEvidence(trace.header)
    fed(evidence, replace(trace, events=()), 0, len(trace.samples))
    assert evidence.evidence().stopped_s == math.inf
    evidence.event(trace.events[0])
    assert evidence.evidence().stopped_s == 9.6
    assert differences(evidence.evidence(), trace) == []


@pytest.mark.parametrize("since_s", [3.9, 4.1])
def test_a_limit_that_is_changed_holds_from_then_on(since_s):
    changed = event(4.1, "harness", "LIMIT_CHANGED", {"downtime-limit": 900, "since": since_s})
    trace = made(ROWS, [changed])
    assert [sync.limit_ms for sync in grown(trace).syncs] == [1, 900, 900]
    assert grown(trace).undisturbed.samples[-1].t_s < since_s
    assert_the_same_at_each_look(trace)


def test_limits_that_are_tried_are_judged_as_they_are_tried():
    limits = {8_000: ("default", 300.0), 16_000: ("below", 1000.0), 24_000: ("chosen", 2500.0)}
    later = {at_ms: ms for at_ms, (_, ms) in limits.items()}
    trace = record(Simulation([6_000], 12_000.0, later_limits_ms=later, duration_ms=34_000), switchover_ms=30)
    tried = [
        Event(at_ms / 1000, "harness", "LIMIT", {"trial": name, "downtime-limit": ms})
        for at_ms, (name, ms) in limits.items()
    ]
    trace = replace(trace, events=tuple(sorted((*trace.events, *tried), key=lambda one: one.t_s)))
    assert judge(grown(trace)).convergence.code == "right"
    assert_the_same_at_each_look(trace, 311)


def test_a_part_of_it_has_the_passes_of_that_part_alone():
    trace = replace(made(ROWS), events=(Event(5.5, "harness", "LIMIT_CHANGED", {"downtime-limit": 5}),))
    parts = grown(trace).undisturbed, Evidence.of(trace).undisturbed
    assert [[one.number for one in part.passes] for part in parts] == [[1, 2, 3]] * 2


@pytest.mark.long
@pytest.mark.parametrize("status", ["failed", "cancelled", "completed"])
def test_a_migration_that_begins_after_one_has_ended_is_another(status):
    rows = precopy(Pass(30_000), Pass(20_000, expected_ms=777), limit_ms=5)
    rows += [{**completed(rows), "t": t_s} for t_s in (6.0, 6.5)]
    for one in rows[-2:]:
        one["query-migrate"]["status"] = status
    later = [{**one, "t": one["t"] + 20} for one in ROWS]
    events = [
        event(4.0, "harness", "LIMIT_CHANGED", {"downtime-limit": 900}),
        event(5.9, "source", "STOP"),
        event(20.0, "source", "MIGRATION_PASS", {"pass": 1}),
        event(26.0, "harness", "LIMIT_CHANGED", {"downtime-limit": 300}),
    ]
    trace = made([*rows, *later], events)
    evidence = grown(trace)
    assert [one.begin_s for one in evidence.passes] == pytest.approx([20, 23.001, 25.002, 27.503])
    assert evidence.limits.steps[0][1] == 900 and [one.t_s for one in evidence.trace.events] == [20, 26]
    assert_the_same_at_each_look(trace)


def test_what_was_had_before_does_not_change_with_what_is_added():
    trace = made(ROWS)
    evidence = GrowingEvidence(trace.header)
    fed(evidence, trace, 0, 200)
    early = evidence.evidence()
    fed(evidence, trace, 200, len(trace.samples))
    assert len(early.samples) == 200 and differences(early, prefix(trace, 200)) == []


@pytest.mark.parametrize("status", ["active", "device"])
def test_an_answer_without_figures_or_of_another_status_ends_no_pass(status):
    """What RAM figures it has may be of the switchover."""
    rows = precopy(Pass(30_000), Pass(20_000), Pass(25_000))
    bare = {"t": 3.0005, "latency_ms": 0.1, "query-migrate": {"status": status}}
    rows.insert(151, bare)
    rows.insert(200, {**rows[200], "t": rows[199]["t"], "query-migrate": {**rows[200]["query-migrate"]}})
    ram = {**rows[200]["query-migrate"]["ram"], "dirty-sync-count": 9}
    rows[200]["query-migrate"] |= {"status": "device", "ram": ram}
    trace = made(rows)
    assert [one.number for one in grown(trace).ended_passes] == [1, 2]
    assert_the_same_at_each_look(trace)


def test_before_the_first_sample_there_is_no_evidence():
    evidence = GrowingEvidence(made(ROWS).header)
    evidence.event(Event(0.0, "source", "MIGRATION", {"status": "setup"}))
    with pytest.raises(UsageError, match="^holds no sample yet; add an answer to query-migrate first$"):
        evidence.evidence()


def test_each_sample_of_a_pass_that_has_ended_is_gone_through_once(monkeypatch):
    gone_through = []

    def counted(samples, *more, **named):
        gone_through.extend(samples.t_s.tolist())
        return passes(samples, *more, **named)

    passes = growing_module.passes
    monkeypatch.setattr(growing_module, "passes", counted)
    monkeypatch.setattr(evidence_module, "passes", counted)
    trace = made(precopy(*[Pass(4_000)] * 30))
    evidence = GrowingEvidence(trace.header)
    fed(evidence, trace, 0, len(trace.samples))
    last = len(trace.samples) - 21
    assert gone_through == trace.samples.t_s[:last].tolist()
    # A look goes through the pass under way alone, whatever is asked for of it.
    gone_through.clear()
    seen = evidence.evidence()
    assert gone_through == []
    assert len(seen.passes) == 30 and len(seen.syncs) == 29 and seen.undisturbed is seen
    assert gone_through == trace.samples.t_s[last:].tolist()
    # Where the same is made of the trace, all samples are.
    gone_through.clear()
    assert len(Evidence.of(trace).passes) == 30
    assert gone_through == trace.samples.t_s.tolist()
