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
    assert (advice.finding.value, advice.limit_ms) == ("none", None)
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
    assert "the last figures are cut off, so those before them are judged" in trace.notes


def test_a_course_is_not_given_up_for_an_end_that_is_cut_off():
    text = course(5)
    assert not parse(text[: text.rindex("duplicate")].encode()).snapshot
    late = parse(course(2)[: course(2).rindex("duplicate")].encode())
    assert late.samples[-1].ram.remaining_bytes == pytest.approx((301_408 - 54_000) * 1024, abs=1024)


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


@pytest.mark.parametrize(
    "text",
    [
        f'{REPLY}\n{{"execute": "migrate_cancel", "id": "libvirt-7"}}\n{{"return": {{}}}}\n',
        f"{REPLY}\n{CANCELLING}cancelling" + '"}}\n',
        f"(qemu) info migrate\n{SHOWN}(qemu) migrate_cancel\n(qemu)\n",
        f"$ virsh domjobinfo vm1\n{JOB}$ virsh domjobabort vm1\n\n$\n",
    ],
)
def test_what_was_told_to_cancel_is_cancelled(text):
    assert "the migration was cancelled; QEMU predicts nothing now" in said(text)
    later = text + SHOWN.replace("341207", "342207").replace("301408", "301308").replace("2744127", "2744227")
    if not text.startswith("$"):
        assert not any("cancelled" in one for one in said(later)), "it went on"


def test_a_command_to_cancel_that_failed_or_was_for_another_guest_cancels_nothing():
    refused = "error: Requested operation is not valid: no job is active on the domain\n"
    others = f"$ virsh domjobinfo vm2\n{JOB}$ virsh domjobabort vm2\n\n$ virsh domjobinfo vm1\n{JOB}"
    for text in (f"$ virsh domjobinfo vm1\n{JOB}$ virsh domjobabort vm1\n{refused}", others):
        assert not any("cancelled" in one for one in said(text))


@pytest.mark.parametrize(
    "text",
    [
        f'{REPLY}\n{{"execute": "migrate-start-postcopy"}}\n{{"return": {{}}}}\n',
        f"(qemu) info migrate\n{SHOWN}(qemu) migrate_start_postcopy\n(qemu)\n",
        f"$ virsh domjobinfo vm1\n{JOB}$ virsh migrate-postcopy vm1\n\n$\n",
    ],
)
def test_after_a_command_to_start_postcopy_no_limit_matters(text):
    advice = advise(parse(text.encode()))
    assert (advice.limit_ms, advice.reasons[0]) == (
        None,
        "postcopy has begun, and finishes whatever the downtime-limit is",
    )


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


def libvirtd(guests, looks):
    """libvirtd's log of replies, each told twice; the second time it says whose monitor it is."""
    lines = []
    for look in range(looks):
        for number, guest in enumerate(guests):
            message = json.loads(REPLY)
            message["return"]["total-time"] += 1000 * look
            message["return"]["ram"]["normal"] += 1000 * look * (number + 1)
            head = f"2024-05-12 11:57:{10 + look}.{number}00+0000: 3021: "
            said_by = "qemuMonitorJSONIOProcessLine:213 : "
            lines.append(f"{head}debug : {said_by}Line [{json.dumps(message)}]\n")
            lines.append(f"{head}info : {said_by}QEMU_MONITOR_RECV_REPLY: mon={guest} reply={json.dumps(message)}\n")
    return lines


@pytest.mark.parametrize("guests", [["0xaaa0"], ["0xaaa0", "0xbbb0"]])
def test_a_log_that_is_cut_off_before_it_names_the_guest_has_no_other_guest(guests):
    lines = libvirtd(guests, 3)
    trace = parse("".join([*lines[:-1], lines[-1][:120]]).encode())
    whole = parse("".join(lines[: None if len(guests) == 1 else -2]).encode())
    assert [*trace.samples] == [*whole.samples]
    assert trace.notes == whole.notes


def test_an_earlier_attempt_whose_head_is_missing_is_no_other_guest():
    figures = "2024-05-12 12:0{0}:22 migration active, transferred 110.0 MiB of 4.0 GiB VM-state, 113.1 MiB/s\n"
    limit = "2024-05-12 12:0{0}:21 migration downtime limit: {1} ms\n"
    end = "2024-05-12 12:02:55 ERROR: online migrate failure - aborting\n"
    begin = "2024-05-12 12:05:20 starting migration of VM 104 to node 'b' (10.0.0.3)\n"
    reasons = said(f"{limit.format(2, 100)}{figures.format(2)}{end}{begin}{limit.format(5, 300)}{figures.format(5)}")
    assert "2 migrations are in this text: VM 104 is judged" in reasons
    assert not any("100 ms" in one for one in reasons)
