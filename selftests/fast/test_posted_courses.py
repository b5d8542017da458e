# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that show a guest more than once: which figures are the last ones, and what happened between them."""

import json

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.model import SEVERAL
from avocado_migdowntime.verdict.judge import judge

from ..support.posts import JOB, SHOWN


def said(text):
    trace = parse(text.encode())
    return [*judge(trace).reasons, *advise(trace).reasons]


def completed(total_ms, down_ms, normal):
    ended = SHOWN.replace("status: active", "status: completed").replace("341207", str(total_ms))
    ended = ended.replace("expected downtime: 2950", f"downtime: {down_ms}").replace("301408", "0")
    return ended.replace("normal: 2744127", f"normal: {normal}").replace("10976508", str(4 * normal))


@pytest.mark.parametrize(("total_ms", "normal", "down_ms"), [(383, 804_127, 230), (3_830_000, 2_804_127, 230)])
def test_another_end_is_that_of_another_migration(total_ms, normal, down_ms):
    trace = parse((completed(2249, 273, 2_744_127) + completed(total_ms, down_ms, normal)).encode())
    assert [sample.downtime_ms for sample in trace.samples] == [down_ms]
    assert SEVERAL in trace.notes


def test_an_end_told_later_by_libvirt_is_the_same():
    """It counts until the destination told it, which is later."""
    (end,) = parse(completed(2249, 273, 2_744_127).encode()).readings
    reply = {**end.answer, "status": "completed", "total-time": 2249}
    job = JOB.replace("Unbounded", "Completed").replace("60000  ", "2261  ")
    normal = f"Normal pages:     {end.answer['ram']['normal']}"
    job = job.replace("Normal pages:     1716000", normal).replace("Iteration:        5", "Iteration:        11")
    job = job.replace("Constant pages:   600000", "Constant pages:   210345").replace("6.568 GiB", "10.510 GiB")
    trace = parse(f"{json.dumps(reply)}\n{job}".encode())
    assert [sample.downtime_ms for sample in trace.samples] == [273]
    assert SEVERAL not in trace.notes


LATER = JOB.replace("60000  ", "61000  ").replace("6.568", "6.677").replace("224.113", "112.056")


def test_what_is_left_is_that_of_the_last_text_though_a_limit_was_set_before_it():
    trace = parse(f"{JOB}\n$ virsh migrate-setmaxdowntime vm1 450\n\n{LATER}\n".encode())
    verdict, advice = judge(trace), advise(trace)
    assert verdict.left_now_ms == pytest.approx(1000, abs=1)
    assert advice.configured_ms == 450
    assert any(one.startswith("117.5 MB are left now (1000 ms ") for one in advice.reasons)
    assert not any("changed before the first sample" in one for one in advice.reasons)


def still(seconds, since_ms=341_207):
    texts = (SHOWN.replace("341207", str(since_ms + round(1000 * after_s))) for after_s in (0, seconds))
    return "".join(f"(qemu) info migrate\n{text}" for text in texts)


def test_what_was_sent_shows_that_a_migration_rests():
    trace = parse(still(60).encode())
    verdict, advice = judge(trace), advise(trace)
    assert (verdict.report.code, verdict.left_now_ms) == ("stalled", None)
    assert (advice.finding.value, advice.limit_ms) == ("unknown", None)
    assert advice.reasons[0].startswith("nothing was seen to be sent for the last 60 s, though RAM is left")


@pytest.mark.parametrize(("seconds", "finding"), [(1.5, "found"), (6, "unknown")])
def test_no_limit_follows_from_a_bandwidth_before_a_pause(seconds, finding):
    advice = advise(parse(still(seconds, since_ms=99_207).encode()))
    assert advice.finding.value == finding


def test_samples_far_apart_do_not_show_a_pause():
    counted = SHOWN.replace("341207", "641207").replace("normal: 2744127", "normal: 4744127")
    for later in (counted, SHOWN.replace("341207", "641207").replace("301408", "301308")):
        assert not any("nothing was seen to be sent" in one for one in said(SHOWN + later))


NOVA = (
    "2023-02-01 12:{:02}:31.123 7 INFO nova.virt.libvirt.driver [req-a] [instance: 4a4ffbd1] Migration running for {} "
    "secs, memory 17% remaining (bytes processed={}, remaining=712604672, total=4312604672)\n"
)


def test_a_log_shows_by_the_bytes_that_a_migration_rests():
    text = "".join(NOVA.format(minute, 30 + 60 * minute, 3_600_000_000) for minute in range(3))
    assert any(one.startswith("nothing was seen to be sent for the last 120 s") for one in said(text))
    text = "".join(NOVA.format(minute, 30 + 60 * minute, 3_600_000_000 + minute) for minute in range(3))
    assert not any("nothing was seen to be sent" in one for one in said(text))


def test_a_throughput_of_0_does_not_show_when_a_pass_ends():
    first = SHOWN.replace("894.12", "0.00")
    reasons = advise(parse((first + first.replace("341207", "342207")).encode())).reasons
    assert reasons[0] == "only pass 11 was seen; its end will show what the guest dirties: record until the next pass"


def test_passes_seen_one_here_and_one_there_are_not_said_to_be_one():
    later = SHOWN.replace("341207", "641207").replace("count: 11", "count: 44").replace("2744127", "4744127")
    assert any(one.startswith("in passes 11 to 44 no sync was seen from both sides") for one in said(SHOWN + later))


def course(count):
    """Outputs half a second apart, of one pass."""
    texts = []
    for number in range(count):
        figures = {"341207": 341_207 + 500 * number, "2744127": 2_744_127 + 13_500 * number}
        figures |= {"301408": 301_408 - 54_000 * number, "11020334": 11_020_334 + 54_100 * number}
        text = SHOWN
        for before, after in figures.items():
            text = text.replace(before, str(after))
        texts.append(f"(qemu) info migrate\n{text}")
    return "".join(texts)


@pytest.mark.parametrize("begin", ["setup", "transferred ram", "remaining ram"])
@pytest.mark.parametrize("count", [2, 5])
def test_what_is_cut_off_before_it_says_what_is_left_hides_nothing(count, begin):
    text = course(count)
    trace = parse(text[: text.rindex(begin)].encode())
    whole = parse(course(count - 1).encode())
    assert [*trace.samples] == [*whole.samples] and trace.lacks == ()
    assert judge(trace).left_now_ms == judge(whole).left_now_ms
    assert "the last figures do not show what is left, so those before them are judged" in trace.notes


def test_what_is_left_and_how_long_that_takes_agree():
    text = (
        "2018-11-24 12:26:44 starting migration of VM 101 to node 'pve2' (10.0.0.2)\n"
        "2018-11-24 12:26:45 migration status: active (transferred 112473120, remaining 100000000), total 1082990592)\n"
        "2018-11-24 12:26:47 migration status: active (transferred 312473120, remaining 100000000), total 1082990592)\n"
    )
    trace = parse(text.encode())
    (reason,) = [one for one in advise(trace).reasons if "are left now" in one]
    assert f"({judge(trace).left_now_ms:.0f} ms at " in reason


REPLY = json.dumps({"return": {**parse(SHOWN.encode()).readings[0].answer, "status": "active"}})
CANCELLING = '{"timestamp": {"seconds": 1715515035, "microseconds": 1}, "event": "MIGRATION", "data": {"status": "'


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_the_time_of_0_of_a_bad_end_begins_no_migration(status):
    trace = parse(
        f"(qemu) info migrate\n{SHOWN}(qemu) info migrate\nMigration status: {status}\ntotal time: 0 ms\n".encode()
    )
    assert [sample.status for sample in trace.samples] == ["active", status]
    assert SEVERAL not in trace.notes


@pytest.mark.parametrize(("set_ms", "is_enough"), [(5000, True), (2951, True), (2950, False)])
def test_a_limit_that_is_enough_already_is_said_to_be(set_ms, is_enough):
    text = f"$ virsh migrate-setmaxdowntime vm1 {set_ms}\n\n{SHOWN.replace('341207', '99207')}"
    (enough,) = [one.startswith(f"the downtime-limit of {set_ms} ms that is shown is more") for one in said(text)][-1:]
    assert enough == is_enough
