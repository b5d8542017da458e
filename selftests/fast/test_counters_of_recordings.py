# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings whose counters fall or jump: what falls begins another migration, what no link carries proves nothing."""

import copy

import pytest

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.oracle.growing import GrowingEvidence
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.model import SEVERAL
from avocado_migdowntime.verdict.judge import judge
from selftests.support.growing import differences, fed, grown
from selftests.support.traces import PAGE_BYTES, Pass, answers, completed, event, made, precopy

PASSES = [Pass(30_000), Pass(20_000), Pass(25_000), Pass(20_000), Pass(22_000)]


def counted(by_pages, names=("normal", "transferred"), since=200):
    """Five passes, at whose sample number `since`, in the second one, these counters change `by_pages`."""
    rows = copy.deepcopy(precopy(*PASSES))
    for number, answer in enumerate(row["query-migrate"]["ram"] for row in rows):
        answer["transferred"] = answer["normal"] * PAGE_BYTES
        for name in names if number >= since else ():
            answer[name] = max(0, answer[name] + by_pages * (PAGE_BYTES if name == "transferred" else 1))
    return rows


@pytest.mark.parametrize("names", [("normal", "transferred"), ("normal",), ("transferred",)])
def test_a_counter_that_falls_begins_another_migration(names):
    trace = made(counted(-30_000, names))
    assert trace.last_migration().samples.t_s[0] == trace.samples.t_s[200]
    assert SEVERAL in judge(trace).reasons and SEVERAL in advise(trace).reasons
    whole = judge(made(counted(0)))
    assert (judge(trace).report.code, whole.report.code) == ("accurate", "accurate")
    assert judge(trace).bandwidth.code == whole.bandwidth.code
    assert differences(grown(trace), trace) == []


def test_what_qemu_shows_at_the_switchover_and_at_the_end_begins_none():
    rows = counted(0)
    end = completed(rows)
    end["query-migrate"]["ram"] |= {"normal": 9, "transferred": 9 * PAGE_BYTES}
    device = copy.deepcopy(rows[-1])
    device["query-migrate"]["status"] = "device"
    device["query-migrate"]["ram"]["normal"] = 7
    trace = made([*rows, device, end])
    assert trace.last_migration() is trace


def test_a_migration_that_is_set_up_after_the_end_of_another_begins_once():
    rows = counted(0)
    later = [{**row, "t": row["t"] + 30} for row in rows]
    setup = {"t": 29.9, "latency_ms": 0.1, "query-migrate": {"status": "setup"}}
    trace = made([*rows, completed(rows), setup, *later])
    assert trace.last_migration().samples.t_s[0] == 29.9
    assert differences(grown(trace), trace) == []


def test_a_limit_set_before_a_counter_fell_is_that_of_the_next_migration():
    changed = event(3.1, "harness", "LIMIT_CHANGED", {"downtime-limit": 700})
    assert made(counted(-30_000), [changed]).last_migration().downtime_limit_ms == 700


@pytest.mark.parametrize("names", [("normal", "transferred"), ("normal",), ("transferred",)])
def test_more_than_any_link_carries_between_two_samples_proves_nothing(names):
    trace = made(counted(10**9, names))
    verdict, advice = judge(trace), advise(trace)
    assert (verdict.verdict, verdict.report.code, advice.limit_ms) == ("inconclusive", "too-fast", None)
    said = "4.1e+12 bytes were sent in at most 0.121 s between two looks, more than any link carries"
    assert any(reason.startswith(said) for reason in verdict.reasons)
    assert any(reason.startswith(said) for reason in advice.reasons)


def test_a_migration_that_had_sent_much_before_its_recording_began_is_judged():
    rows = counted(10**9, since=0)
    assert judge(made(rows)).report.code == "accurate"


def test_such_a_jump_in_a_migration_that_is_not_judged_counts_for_nothing():
    rows = counted(10**9)
    later = [{**row, "t": row["t"] + 30} for row in counted(0)]
    assert judge(made([*rows, completed(rows), *later])).report.code == "accurate"


def test_a_recording_of_which_nothing_is_counted_has_no_doubt():
    rows = counted(0)
    for answer in answers(rows, 1):
        del answer["ram"]
    assert not Evidence.of(made(rows)).trace.doubt


@pytest.mark.parametrize("name", ["normal", "duplicate", "transferred", "dirty-sync-count"])
def test_one_sample_with_a_counter_above_the_next_is_left_out(name):
    rows = copy.deepcopy(counted(0))
    rows[200]["query-migrate"]["ram"][name] += 1 if name == "dirty-sync-count" else 30_000 * PAGE_BYTES
    trace, whole = made(rows), made([*rows[:200], *rows[201:]])
    verdict, expected = judge(trace), judge(whole)
    assert [*trace.last_migration().samples] == [*whole.samples]
    assert (verdict.report, verdict.limit, verdict.bandwidth) == (expected.report, expected.limit, expected.bandwidth)
    note = "the sample at 3.98 s is left out: a counter in it does not fit those of the samples around it"
    assert note in verdict.reasons and note in advise(trace).reasons and SEVERAL not in verdict.reasons


@pytest.mark.parametrize("name", ["normal", "duplicate", "transferred", "dirty-sync-count"])
def test_one_sample_with_a_counter_below_the_one_before_is_left_out(name):
    rows = copy.deepcopy(counted(0))
    for row in rows:
        row["query-migrate"]["ram"]["duplicate"] = 500
    rows[200]["query-migrate"]["ram"][name] = 1
    trace, whole = made(rows), made([*rows[:200], *rows[201:]])
    assert [*trace.last_migration().samples] == [*whole.samples]
    assert judge(trace).report == judge(whole).report
    assert differences(grown(trace), trace) == []


@pytest.mark.parametrize("name", ["normal", "duplicate", "transferred"])
@pytest.mark.parametrize("value", [0, 10**12])
def test_a_damaged_last_sample_is_left_out(name, value):
    rows = copy.deepcopy(counted(0))
    for row in rows:
        row["query-migrate"]["ram"]["duplicate"] = 500
    rows[-2]["query-migrate"]["ram"][name] = value
    trace = made([*rows, completed(rows)])
    assert len(trace.last_migration().samples) == len(rows)
    assert judge(trace).passed and differences(grown(trace), trace) == []


def test_what_was_had_before_does_not_change_if_its_last_sample_is_left_out_later():
    rows = copy.deepcopy(counted(0))
    rows[200]["query-migrate"]["ram"]["normal"] += 30_000
    trace = made(rows)
    evidence = GrowingEvidence(trace.header)
    fed(evidence, trace, 0, 201)
    early = evidence.evidence().samples
    assert early[-1] == trace.samples[200]
    for number in (202, 203, 210):
        fed(evidence, trace, number - 1 if number > 202 else 201, number)
        later = evidence.evidence().samples
        assert early[-1] == trace.samples[200] and later[-1] == trace.samples[number - 1]


def test_several_samples_with_such_a_counter_are_left_out():
    rows = copy.deepcopy(counted(0))
    for number in (200, 300):
        rows[number]["query-migrate"]["ram"]["normal"] += 30_000
    trace = made(rows)
    assert len(trace.last_migration().samples) == len(rows) - 2
    assert (
        "2 samples, from 3.98 s, are left out: a counter in each does not fit those of the samples around it"
        in judge(trace).reasons
    )


def test_where_all_that_was_sent_falls_another_migration_begins():
    rows = copy.deepcopy(counted(0))
    for name in ("normal", "transferred"):
        rows[200]["query-migrate"]["ram"][name] += 30_000 * PAGE_BYTES
    trace = made(rows)
    assert trace.last_migration().samples.t_s[0] == trace.samples.t_s[201] and SEVERAL in judge(trace).reasons


@pytest.mark.parametrize("name", ["normal", "dirty-sync-count"])
def test_of_a_counter_that_falls_on_and_on_no_sample_is_left_out(name):
    rows = counted(0)
    for number, row in enumerate(rows[1:]):
        row["query-migrate"]["ram"][name] = 10**6 - number
    verdict = judge(made(rows))
    reasons = verdict.reasons
    assert verdict.passed is not False and not any("left out" in reason for reason in reasons)
    assert any(" fell " in reason or reason == SEVERAL for reason in reasons)


@pytest.mark.parametrize(("page_bytes", "odd"), [(3, 3), (4097, 4097), (4096, 0), (65536, 0), (1, 0)])
def test_nothing_follows_from_a_page_that_no_target_has(page_bytes, odd):
    rows = counted(0)
    for row in rows:
        row["query-migrate"]["ram"]["page-size"] = page_bytes
    trace = made(rows)
    said = f"a page-size of {odd} bytes is shown, which no target has"
    assert Evidence.of(trace).trace.doubt == (said if odd else "") and (
        not odd or judge(trace).verdict == "inconclusive"
    )
    assert not odd or (advise(trace).limit_ms is None and judge(trace).passed is None)


def test_pages_that_fall_once_while_the_bytes_stand_begin_no_other_migration():
    rows = counted(0)
    before, wrong = (row["query-migrate"]["ram"] for row in rows[199:201])
    wrong |= {"normal": before["normal"] - 5_000, "transferred": before["transferred"]}
    left = made(rows).last_migration().samples
    assert len(left) == len(rows) - 1 and rows[200]["t"] not in left.t_s
