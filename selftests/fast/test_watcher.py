# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a migration at each moment of it."""

import json
from dataclasses import replace

import pytest

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.record.watched import WatchedTrace
from avocado_migdowntime.trace.events import LIMIT_CHANGED, Event
from avocado_migdowntime.trace.file import Writer
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement
from avocado_migdowntime.watching.histories import LENGTH, HistoryWriter
from avocado_migdowntime.watching.watcher import Watcher

from ..support.recorded import CLEAN, WRONG, parse, recording
from ..support.simulate import Simulation, random_writes, record
from ..support.traces import MBPS, Pass, made, precopy
from ..support.watching import at, watched

PAGES, BYTES_PER_MS = 6000, 12_000.0
SETUP = Sample(0.0, 0.1, "setup")


def simulated(limit_ms=300.0, **more):
    given = {"zero_pages": 2000, "duration_ms": 20_000, "workload": random_writes(PAGES, 6), **more}
    trace = record(Simulation([PAGES], BYTES_PER_MS, limit_ms, **given), switchover_ms=30)
    return replace(trace, samples=(SETUP, *trace.samples))


@pytest.mark.parametrize("name", CLEAN)
def test_of_a_real_recording_the_last_look_is_right(name):
    trace = parse(recording(name).read_bytes())
    now = at(trace, float(trace.samples.t_s[-1]))
    assert now.renewed and now.right_ms.low - 1 <= now.reported_ms <= now.right_ms.high * 1.001
    assert now.verdict.verdict is Judgement.ACCURATE
    assert now.advice == advise(trace)
    assert (now.subject, now.limit_ms, now.ended) == (trace.subject, trace.downtime_limit_ms, False)


def test_of_a_qemu_that_is_wrong_both_figures_are_told():
    trace = parse(WRONG.read_bytes())
    now = at(trace, float(trace.samples.t_s[-1]))
    assert now.reported_ms < 1100 and now.right_ms.low == pytest.approx(5495, rel=0.05)
    assert now.verdict.verdict is Judgement.INACCURATE


def test_what_was_seen_from_its_begin_is_known_as_from_the_whole_trace():
    trace = simulated()
    for t_s in (3.0, 6.5, 12.0):
        whole = replace(trace, samples=trace.samples[: int(trace.samples.t_s.searchsorted(t_s)) + 1])
        now, evidence = at(trace, t_s), Evidence.of(whole)
        assert (now.advice, now.verdict) == (advise(evidence), judge(evidence))
        assert now.number == evidence.passes[-1].number and now.ram == evidence.samples[-1].ram


def test_of_a_pass_whose_begin_was_not_seen_the_sync_counts_and_the_length_does_not():
    trace = simulated()
    second = next(s.t_s for s in trace.samples if s.ram and s.ram.dirty_sync_count == 2)
    begin = int(trace.samples.t_s.searchsorted(second + 0.8))
    late = replace(trace, samples=trace.samples[begin:])
    for number, has_course in ((3, False), (4, True)):
        end_s = next(s.t_s for s in late.samples if s.ram.dirty_sync_count == number) + 0.5
        seen = replace(late, samples=late.samples[: int(late.samples.t_s.searchsorted(end_s)) + 1])
        now = at(late, end_s)
        assert (now.advice, now.verdict) == (advise(seen), judge(seen)) and now.right_ms is not None
        assert now.advice.limit_ms == pytest.approx(at(trace, end_s).advice.limit_ms, rel=0.1)
        assert ((now.outlook is not None), (now.advised is not None)) == (has_course, has_course)


def changed(trace, t_s, limit_ms):
    event = Event(t_s, "harness", LIMIT_CHANGED, {"downtime-limit": limit_ms, "since": t_s - 0.02})
    return replace(trace, events=tuple(sorted((*trace.events, event), key=lambda event: event.t_s)))


def test_after_another_limit_what_is_known_of_the_guest_still_is():
    trace = changed(simulated(later_limits_ms={9000: 500.0}), 9.0, 500.0)
    before, after, later = (at(trace, t_s) for t_s in (8.99, 9.2, 16.0))
    assert (before.limit_ms, after.limit_ms, later.limit_ms) == (300, 500, 500)
    assert after.outlook.limit_ms == 500 and after.advice.limit_ms == before.advice.limit_ms
    assert later.verdict.verdict is Judgement.ACCURATE
    assert later.advice.limit_ms == pytest.approx(before.advice.limit_ms, rel=0.25)  # Passes are shorter now.


def test_after_two_other_limits_in_one_pass_what_is_known_of_the_guest_still_is():
    trace = simulated(later_limits_ms={9000: 500.0, 9200: 600.0})
    twice = changed(changed(trace, 9.0, 500.0), 9.2, 600.0)
    now = at(twice, 9.3)
    assert now.limit_ms == 600 and now.advice.limit_ms == at(trace, 8.99).advice.limit_ms


def test_a_limit_that_is_set_before_the_first_sample_disturbs_nothing():
    trace = simulated(limit_ms=500.0)
    trace = replace(trace, samples=trace.samples[1:])
    header = {**trace.header, "migrate-parameters": {"downtime-limit": 300}}
    set_before = Event(0.0, "harness", LIMIT_CHANGED, {"downtime-limit": 500.0})
    now, plain = at(replace(trace, header=header, events=(set_before,)), 12.0), at(trace, 12.0)
    assert (now.limit_ms, now.advice.limit_ms) == (500, plain.advice.limit_ms)
    assert (now.verdict.verdict, now.verdict.passes) == (Judgement.ACCURATE, plain.verdict.passes)
    assert now.outlook == plain.outlook


def test_what_is_judged_while_it_goes_on_is_what_came_since_the_limit_was_changed():
    """Until then QEMU said half of what was right."""
    rows = precopy(Pass(30_000), *[Pass(20_000, expected_ms=1000)] * 2, *[Pass(40_000)] * 3)
    trace, last_s = changed(made(rows), 7.5, 2.0), rows[-1]["t"]
    now, ended = at(trace, last_s), replace(trace, samples=(*trace.samples, Sample(last_s + 1, 0.1, "failed")))
    assert (now.verdict.verdict, now.verdict.passes) == (Judgement.ACCURATE, 1)
    for whole in (judge(trace), at(ended, last_s + 1).verdict):
        assert (whole.verdict, whole.passes) == (Judgement.INACCURATE, 3)
    assert now.histories.remaining_bytes[-1] == now.ram.remaining_bytes == 0


def test_at_the_end_it_is_told_what_really_was():
    trace = simulated(later_limits_ms={9000: 3000.0})
    trace = changed(trace, 9.0, 3000.0)
    now = at(trace, float(trace.samples.t_s[-1]))
    assert (now.status, now.ended, now.number, now.ram) == ("completed", True, None, None)
    assert now.verdict.downtime.qemu_ms == 7 and now.verdict.verdict is Judgement.ACCURATE
    assert now.outlook is None and now.right_ms is None


def test_until_qemu_has_renewed_its_report_that_is_of_the_pass_before():
    trace = simulated()
    third = next(s.t_s for s in trace.samples if s.ram and s.ram.dirty_sync_count == 3)
    assert not at(trace, third).renewed and at(trace, third + 0.5).renewed
    assert not at(trace, 1.0).renewed


@pytest.mark.parametrize(("mbps", "right_ms"), [(0, None), (0.5, 2000 * MBPS / 0.5), (MBPS, 2000)])
def test_what_is_right_is_by_the_bandwidth_of_now(mbps, right_ms):
    rows = precopy(Pass(30_000), Pass(20_000))
    rows[-1]["query-migrate"]["ram"]["mbps"] = mbps
    found = at(made(rows), rows[-1]["t"]).right_ms
    assert found is None if right_ms is None else found.middle == pytest.approx(right_ms)


def test_a_turn_is_the_first_sample_a_new_pass_or_another_status():
    trace = simulated(later_limits_ms={9000: 3000.0})
    turns = [watcher._last.t_s for watcher, turned in watched(trace) if turned]
    numbers = {s.ram.dirty_sync_count for s in trace.samples if s.status == "active"}
    assert len(turns) == 1 + len(numbers) + 1 and turns[0] == 0.0 and turns[-1] == trace.samples[-1].t_s


def test_a_migration_that_begins_anew_is_watched_from_its_begin():
    first, second = simulated(fails=True, duration_ms=5_000), simulated()
    shift = 10.0
    again = [replace(sample, t_s=sample.t_s + shift) for sample in second.samples]
    now = at(replace(first, samples=(*first.samples, *again)), 19.0)
    assert now.verdict.verdict is Judgement.ACCURATE and now.advice.limit_ms is not None


def test_of_a_migration_that_begins_anew_the_first_pass_counts():
    first, second = (precopy(Pass(pages), Pass(20_000)) for pages in (20_000, 30_000))
    for one in second:
        one["t"] += 10
    failed = {"t": 9.0, "latency_ms": 0.1, "query-migrate": {"status": "failed"}}
    now = at(made([*first, failed, *second]), 15.0)
    assert (now.verdict.passes, now.verdict.verdict, now.number) == (1, Judgement.ACCURATE, 2)


def test_before_the_first_sample_nothing_is_known():
    watcher = Watcher()
    watcher.begin({"qemu": {}, "migrate-parameters": {}})
    assert watcher.now() is None


def test_histories_have_a_figure_for_each_second_and_gaps():
    history, trace = HistoryWriter(), simulated()
    for sample in trace.samples:
        if not 4 <= sample.t_s < 6:
            history.sample(sample)
    told = history.histories()
    assert len(told.remaining_bytes) == 20 and told.remaining_bytes[4:6] == (None, None)
    assert told.remaining_bytes[-1] == trace.samples[-1].ram.remaining_bytes
    assert told.bandwidth_bytes_per_ms[-1] == pytest.approx(BYTES_PER_MS, rel=0.01)
    ram = trace.samples[-1].ram
    history.sample(Sample(1e6, 0.1, "active", 1.0, ram))
    assert len(history.histories().dirty_bytes_per_ms) == LENGTH
    assert history.histories().remaining_bytes[-2:] == (None, ram.remaining_bytes)


def test_events_reach_the_watcher_whether_or_not_there_is_a_file(tmp_path):
    header = {"qemu": {}, "migrate-parameters": {"downtime-limit": 300}}
    for file in (None, str(tmp_path / "trace.jsonl")):
        watcher = Watcher()
        trace = WatchedTrace(file, watcher)
        writer: Writer = trace.open(header)
        answer = {"status": "active"}
        writer.sample(0.0, 0.1, answer)
        trace.count(Sample.from_query(0.0, 0.1, answer))
        watcher.sample(Sample.from_query(0.0, 0.1, answer))
        writer.event(0.5, "harness", {"event": LIMIT_CHANGED, "data": {"downtime-limit": 700, "since": 0.4}})
        watcher.sample(Sample.from_query(1.0, 0.1, answer))
        trace.close()
        assert watcher.now().limit_ms == 700
    lines = (tmp_path / "trace.jsonl").read_text().splitlines()
    assert [*map(json.loads, lines)][2]["event"]["event"] == LIMIT_CHANGED
