# SPDX-License-Identifier: GPL-2.0-or-later
"""What a trace shows, found out once: which limit held when, which migration and which part of it is meant."""

import math
from dataclasses import replace

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.oracle.limits import Limits
from avocado_migdowntime.pictures.chart_of_trace import chart
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.prediction.converging import predict_convergence
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.mid_pass_stop import mid_pass_stop
from selftests.support.recorded import STOPPED, recording
from selftests.support.traces import MBPS, Pass, completed, event, made, precopy

FIRST = Pass(30_000)
ROWS = precopy(FIRST, Pass(20_000), Pass(20_000))
"""Passes begin at 0, 3.001 and 5.002 s; the last sample is at 7.002 s."""
BEGIN = -math.inf


def limit_event(t_s, limit_ms, name="LIMIT_CHANGED", **data):
    return event(t_s, "harness", name, {"downtime-limit": limit_ms, **data})


def limits(*events, limit_ms=100):
    return Evidence.of(made(ROWS, events, limit_ms)).limits


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ("active", ""),
        ("completed", ""),
        ("failed", "the migration failed"),
        ("cancelled", "the migration was cancelled"),
    ],
)
def test_a_migration_fails_or_is_cancelled_or_has_nothing_the_matter(status, failure):
    assert Evidence.of(made([*ROWS, completed(ROWS) | {"query-migrate": {"status": status}}])).failure == failure


@pytest.mark.parametrize(
    ("events", "steps"),
    [
        ([], [(BEGIN, 100)]),
        ([limit_event(2, 300, "LIMIT", trial="below")], [(BEGIN, 100), (2, 300)]),
        ([limit_event(2, 900)], [(BEGIN, 100), (2, 900)]),
        ([limit_event(2, 900, since=1.5)], [(BEGIN, 100), (1.5, 900)]),
        ([limit_event(2, 2_000_000, "FINISH")], [(BEGIN, 100), (2, 2_000_000)]),
        (
            [limit_event(2, 300, "LIMIT"), limit_event(3, 900, since=2.5), limit_event(4, 5, "FINISH")],
            [(BEGIN, 100), (2, 300), (2.5, 900), (4, 5)],
        ),
        # Without a figure, or of another side, they set none.
        ([event(2, "harness", "FINISH"), event(3, "source", "LIMIT", {"downtime-limit": 300})], [(BEGIN, 100)]),
        ([event(2, "harness", "BANDWIDTH", {"downtime-limit": 300})], [(BEGIN, 100)]),
    ],
)
def test_limits_are_one_timeline(events, steps):
    assert limits(*events).steps == tuple(steps)


def test_where_none_is_configured_none_is_known_until_one_is_set():
    found = limits(limit_event(2, 900), limit_ms=None)
    assert (found.steps, found.at(2), found.at(2.001)) == (((2, 900),), None, 900)
    assert Limits().at(5) is None


@pytest.mark.parametrize(
    ("t_s", "limit_ms"), [(0, 100), (1.5, 100), (1.501, 300), (4, 300), (4.001, 900), (1e9, 900), (math.inf, 900)]
)
def test_a_limit_holds_after_the_moment_at_which_it_is_set_until_the_next(t_s, limit_ms):
    assert limits(limit_event(2, 300, since=1.5), limit_event(4, 900)).at(t_s) == limit_ms


@pytest.mark.parametrize(
    ("events", "limit_ms"),
    [([limit_event(2, "much")], 100), ([limit_event(2, -1)], 100), ([limit_event(2, 300, since="then")], 100)],
)
def test_a_limit_that_is_no_number_is_refused(events, limit_ms):
    with pytest.raises(UsageError, match="where a number from 0 up was expected"):
        limits(*events, limit_ms=limit_ms)


@pytest.mark.parametrize(
    ("changed_s", "held_ms"), [(3.0, (900, 900)), (3.001, (1, 900)), (3.002, (1, 900)), (5.002, (1, 1))]
)
def test_each_sync_is_under_the_limit_that_held_when_its_pass_began(changed_s, held_ms):
    syncs = Evidence.of(made(ROWS, [limit_event(changed_s, 900)])).syncs
    assert tuple(sync.limit_ms for sync in syncs) == held_ms
    assert [sync.limit_bytes.high for sync in syncs] == [ms * MBPS * 125 for ms in held_ms]


def series(evidence):
    drawn = chart(evidence, judge(evidence))
    return {one.name: one for panel in drawn.panels for one in panel.series}


def test_after_somebody_changed_the_limit_picture_and_verdict_have_the_same():
    """Passes that end with 900 ms unsent are right from then on, and so they are drawn."""
    rows = precopy(FIRST, Pass(20_000), *[Pass(20_000, 9_000)] * 3)
    changed = limit_event(4.0, 900, since=3.9)
    evidence = Evidence.of(made(rows, [changed], limit_ms=1))
    shown = series(evidence)
    steps, left = shown["configured downtime-limit"], shown["left when a pass ended"]
    assert list(steps.values) == [1, 900, 900]
    assert list(steps.t_s) == pytest.approx([0, 3.9, rows[-1]["t"]])
    assert left.values == pytest.approx([0, 0, 900, 900])
    assert [sync.limit_ms for sync in evidence.syncs] == [1, 900, 900, 900]
    # What is judged is what came before.
    verdict = judge(evidence)
    assert (verdict.limit.code, verdict.limit.effective_limit_ms, verdict.passed) == ("respected", None, True)
    assert judge(made(rows, limit_ms=1)).limit.code == "ended-early"
    later = judge(made(precopy(*[Pass(20_000, 9_000)] * 4), [changed], limit_ms=900))
    assert (later.limit.code, later.limit.effective_limit_ms) == ("respected", 950)


SEVERAL = "several migrations are recorded: the last one is judged"


def after_another(rows, events=(), begin_s=20.0, status="failed", **more):
    """The trace of a migration that came after another one, whose events end before `begin_s`."""
    first = precopy(Pass(30_000), Pass(20_000, expected_ms=777), limit_ms=5)
    first.append({**completed(first), "t": 6.0})
    first[-1]["query-migrate"]["status"] = status
    moved = [{**one, "t": one["t"] + begin_s} for one in rows]
    return made([*first, *moved], events, **more)


@pytest.mark.parametrize("status", ["failed", "cancelled", "completed"])
def test_the_last_of_several_migrations_is_what_everything_is_about(status):
    trace = after_another(ROWS, [event(1, "source", "STOP"), event(21, "source", "RESUME")], status=status)
    alone = made([{**one, "t": one["t"] + 20} for one in ROWS])
    evidence = Evidence.of(trace)
    assert evidence.samples == alone.samples
    assert [(one.number, one.begin_s) for one in evidence.passes] == [(1, 20), (2, 23.001), (3, 25.002)]
    assert [one.t_s for one in evidence.trace.events] == [21] and evidence.trace.notes == (SEVERAL,)
    verdict, advice = judge(trace), advise(trace)
    assert verdict == replace(judge(alone), reasons=(*judge(alone).reasons, SEVERAL))
    assert advice == replace(advise(alone), reasons=(*advise(alone).reasons, SEVERAL))
    assert predict_convergence(trace, 300) == predict_convergence(alone, 300)
    drawn = chart(trace, verdict)
    assert [number for number, _ in drawn.begins_s] == [1, 2, 3] and drawn.begins_s[0][1] == 20
    assert series(evidence).keys() == series(Evidence.of(alone)).keys()


@pytest.mark.parametrize("name", ["ppc64-tcg-qemu-7.2", "x86_64-kvm-qemu-7.2-limit-700ms"])
def test_from_its_evidence_comes_the_same_as_from_the_trace(name):
    trace = read(str(recording(name)))
    evidence = Evidence.of(trace)
    assert Evidence.of(evidence) is evidence
    assert judge(evidence) == judge(trace) and judge(evidence).passed
    assert advise(evidence) == advise(trace)
    assert predict_convergence(evidence, 300) == predict_convergence(trace, 300)
    from_trace, from_evidence = (chart(one, judge(trace)) for one in (trace, evidence))
    assert from_trace.begins_s == from_evidence.begins_s and from_trace.end_s == from_evidence.end_s
    assert [[list(one.t_s) for one in panel.series] for panel in from_trace.panels] == [
        [list(one.t_s) for one in panel.series] for panel in from_evidence.panels
    ]


def test_of_several_it_is_the_last_one_whose_stop_is_timed():
    stopped = read(str(STOPPED))
    before = made([*ROWS, {**completed(ROWS), "t": 8.0}]).samples
    shifted = [replace(one, t_s=one.t_s + 10) for one in stopped.samples]
    events = tuple(replace(one, t_s=one.t_s + 10) for one in stopped.events)
    both = replace(stopped, samples=(*before, *shifted), events=events)
    truth = mid_pass_stop(Evidence.of(both)).truth
    assert truth.down_ms == mid_pass_stop(Evidence.of(stopped)).truth.down_ms == pytest.approx(4474.69, abs=0.01)
    assert (truth.number, judge(both).ground_truth) == (7, truth)


def test_a_limit_that_was_set_in_an_earlier_migration_still_holds():
    """It is QEMU's, not the migration's: passes end by it, and nobody has disturbed this one."""
    rows = precopy(*[Pass(20_000, 9_000)] * 4, limit_ms=900)
    trace = after_another(rows, [limit_event(2, 300), limit_event(4, 900), limit_event(40, 7)])
    evidence = Evidence.of(trace)
    assert evidence.limits.steps == ((BEGIN, 900), (40, 7)) and evidence.limit_ms == 900
    verdict = judge(trace)
    assert (verdict.limit.code, verdict.limit.effective_limit_ms, verdict.downtime_limit_ms) == ("respected", 950, 900)
    assert (verdict.passes, advise(trace).configured_ms) == (3, 900)
    assert judge(after_another(rows)).limit.code == "ended-early"
    # The header is otherwise as it was.
    header = {"migrate-parameters": {"max-bandwidth": 5}, "arch": "s390x", "qemu": {}}
    kept = Evidence.of(after_another(rows, [limit_event(4, 900)], header=header)).trace.header
    assert kept == {**header, "migrate-parameters": {"max-bandwidth": 5, "downtime-limit": 900}}


@pytest.mark.parametrize(("begin_s", "mine"), [(20.0, True), (20.001, False)])
def test_what_happened_as_the_first_sample_was_asked_for_belongs_to_the_migration(begin_s, mine):
    trace = after_another(ROWS, [limit_event(20.0, 900)], begin_s=begin_s)
    evidence = Evidence.of(trace)
    assert evidence.limits.steps == (((BEGIN, 1), (20, 900)) if mine else ((BEGIN, 900),))


def test_until_something_is_changed_a_migration_is_undisturbed():
    evidence = Evidence.of(made(ROWS, [event(5, "harness", "HEARTBEAT"), limit_event(6.0, 900, since=5.9)]))
    before = evidence.undisturbed
    assert before.samples == evidence.samples[: len(before.samples)] and before.samples[-1].t_s == 5.882
    assert evidence.samples[len(before.samples)].t_s == 5.902
    assert [len(one.samples) for one in before.passes] == [151, 101, 45]
    assert (before.trace, before.limits) == (evidence.trace, evidence.limits)
    assert before.undisturbed.samples == before.samples
    calm = Evidence.of(made(ROWS))
    assert calm.undisturbed is calm


@pytest.mark.parametrize(("change_s", "whole"), [(7.01, False), (7.02, False), (7.021, True)])
def test_what_is_changed_after_the_switchover_disturbs_nothing(change_s, whole):
    rows = [*ROWS, completed(ROWS)]
    events = sorted([event(7.02, "source", "STOP"), limit_event(change_s, 900)], key=lambda one: one["t"])
    evidence = Evidence.of(made(rows, events))
    assert evidence.stopped_s == 7.02
    assert (evidence.undisturbed is evidence) == whole
    assert evidence.undisturbed.status == ("completed" if whole else "active")
    # It may have been so for longer than it is known.
    noted = [event(7.02, "source", "STOP"), limit_event(7.5, 900, since=change_s)]
    later = Evidence.of(made(rows, noted))
    assert (later.undisturbed is later) == whole


def test_what_was_changed_before_all_samples_leaves_the_first():
    part = Evidence.of(made(ROWS, [limit_event(0.0, 900)])).undisturbed
    assert [one.t_s for one in part.samples] == [0] and part.limit_ms == 1


def test_syncs_go_by_avail_switchover_bandwidth_where_it_is_set():
    evidence = Evidence.of(made(ROWS, limit_ms=100, parameters={"avail-switchover-bandwidth": 5_000_000}))
    assert [(sync.switchover_bytes_per_ms, sync.bytes_per_ms.high) for sync in evidence.syncs] == [(5000, 5000)] * 2
    assert [sync.limit_bytes.high for sync in evidence.syncs_between(evidence.passes[1:], evidence.others)] == [500_000]


def test_another_bandwidth_is_what_was_sampled_after_it_was_set_until_the_next_change():
    changes = [event(5.502, "harness", "BANDWIDTH"), event(6.0, "harness", "SOUNDING")]
    seen = Evidence.of(made(ROWS, changes)).under_another_bandwidth
    assert (seen.t_s[0], seen.t_s[-1]) == pytest.approx((5.522, 5.982))
    assert len(Evidence.of(made(ROWS, changes[1:])).under_another_bandwidth) == 0
    to_the_end = Evidence.of(made(ROWS, changes[:1])).under_another_bandwidth
    assert to_the_end.t_s[-1] == pytest.approx(7.002)
    # Nor does what the harness notes, or what QEMU does.
    others = [event(6.0, "harness", "HEARTBEAT"), event(6.5, "source", "LIMIT")]
    assert len(Evidence.of(made(ROWS, [changes[0], *others])).under_another_bandwidth) == len(to_the_end)
    # What was changed before does not end it; nor is it cut by the part that is judged.
    before = [event(5.1, "harness", "SOUNDING"), *changes]
    assert Evidence.of(made(ROWS, before)).under_another_bandwidth.t_s[0] == pytest.approx(5.522)


@pytest.mark.parametrize(("late_s", "last_s"), [(0, 5.962), (1e-9, 5.982)])
def test_what_is_answered_as_the_next_change_comes_is_not_of_another_bandwidth(late_s, last_s):
    answered_s = next(one.answered_s for one in Evidence.of(made(ROWS)).samples if one.t_s == 5.982)
    changes = [event(5.502, "harness", "BANDWIDTH"), event(answered_s + late_s, "harness", "SOUNDING")]
    assert Evidence.of(made(ROWS, changes)).under_another_bandwidth.t_s[-1] == last_s


def test_while_a_limit_held_it_is_the_only_one():
    evidence = Evidence.of(made(ROWS, [limit_event(2.0, 300, "LIMIT"), limit_event(6.0, 900, "LIMIT")], limit_ms=1))
    part = evidence.while_held(300, 2.0, 6.002)
    assert (part.samples[0].t_s, part.samples[-1].t_s) == (2.0, 5.982)
    assert part.limits.steps == ((BEGIN, 300),) and part.limit_ms == 300
    assert [(one.number, len(one.samples)) for one in part.passes] == [(1, 51), (2, 101), (3, 50)]
    assert [sync.limit_ms for sync in part.syncs] == [300, 300]
    assert part.trace is evidence.trace and len(evidence.while_held(300, 8, 9).samples) == 0


def test_what_is_asked_for_of_evidence_is_worked_out_once():
    evidence = Evidence.of(made(ROWS))
    assert evidence.passes is evidence.passes and evidence.syncs is evidence.syncs
    assert evidence.syncs[0].after is evidence.passes[1]


@pytest.mark.parametrize(("changes_s", "is_held_back"), [([], False), ([1], True), ([1, 2], False), ([1, 8], True)])
def test_nothing_is_advised_from_the_bandwidth_that_holds_back_the_first_pass(changes_s, is_held_back):
    trace = made(ROWS, [event(t_s, "harness", "FIRST_PASS", {"max-bandwidth": 1000}) for t_s in changes_s], 1)
    assert Evidence.of(trace).is_held_back == is_held_back
    assert (advise(trace).limit_ms is None) == is_held_back


@pytest.mark.parametrize(("status", "ended"), [("active", False), ("postcopy-paused", True), ("failed", True)])
def test_nothing_follows_once_postcopy_took_over(status, ended):
    last = {"t": 8.0, "latency_ms": 0.1, "query-migrate": {"status": status}}
    assert Evidence.of(made([*ROWS, last])).came_to_an_end == ended
