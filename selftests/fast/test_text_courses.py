# SPDX-License-Identifier: GPL-2.0-or-later
"""What a text with several answers comes to: its clock, events and limits between them, guests and migrations apart."""

import gzip
import json

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.model import SEVERAL
from avocado_migdowntime.verdict.judge import judge

from ..support.recorded import RECORDINGS, recording

LINES = [json.loads(line) for line in gzip.decompress(recording("ppc64-tcg-qemu-7.2").read_bytes()).splitlines()]
ANSWERS = [line["query-migrate"] for line in LINES if line.get("query-migrate")]
"""Without those that QEMU gave before the migration had begun, which are empty."""
TEXT = (RECORDINGS / "info-migrate-7.2.txt").read_text()


def answer(total_ms, status="active", **ram):
    figures = {"remaining": 4096_000, "page-size": 4096, "normal": 10, "duplicate": 5, "mbps": 96.5, "total": 1 << 28}
    shown = {"expected-downtime": 300} if status == "active" else {"downtime": 40}
    counted = {"dirty-sync-count": 2, "dirty-pages-rate": 7}
    return {"status": status, "total-time": total_ms, "setup-time": 1, **shown, "ram": {**figures, **counted, **ram}}


def reply(total_ms, status="active", **ram):
    return json.dumps({"return": answer(total_ms, status, **ram)})


def event(name, seconds, **data):
    stamp = {"seconds": int(seconds), "microseconds": round(seconds % 1 * 1e6)}
    return json.dumps({"timestamp": stamp, "event": name, "data": data})


def logged(at_s, message, mon="0x7f0c"):
    clock = f"10:{int(at_s) // 60:02}:{at_s % 60:06.3f}"
    return f"2022-03-07 {clock}+0000: 134386: info : qemuMonitorJSONIOProcessLine:240 : {message.replace('MON', mon)}"


def text(*lines):
    return "\n".join([*lines, ""]).encode()


def test_total_time_is_the_clock_whatever_the_log_says():
    own = parse(recording("ppc64-tcg-qemu-7.2").read_bytes())
    trace = parse(text(*(json.dumps({"return": one}) for one in ANSWERS)))
    assert trace.samples.t_s.tolist() == [one["total-time"] / 1000 for one in ANSWERS]
    assert judge(trace).verdict == "accurate" and judge(trace).passes >= 2
    assert judge(trace).expected_ms == pytest.approx(judge(own).expected_ms, rel=5e-3)


def test_answers_without_a_total_time_go_by_the_log():
    bare = [{name: value for name, value in answer(0).items() if name != "total-time"} for _ in range(3)]
    lines = [logged(12.5 + 2 * number, f"x reply={json.dumps({'return': one})}") for number, one in enumerate(bare)]
    assert parse(text(*lines)).samples.t_s.tolist() == pytest.approx([0, 2, 4])


def test_a_session_has_its_release_its_limit_and_its_events():
    greeting = {"QMP": {"version": {"qemu": {"major": 9, "minor": 1, "micro": 2}, "package": ""}, "capabilities": []}}
    trace = parse(
        text(
            json.dumps(greeting),
            '{"execute": "qmp_capabilities"}',
            '{"return": {}}',
            '{"execute": "migrate-set-parameters", "arguments": {"downtime-limit": 317, "max-bandwidth": 50000000}}',
            '{"return": {}}',
            event("MIGRATION", 1000.0, status="setup"),
            event("MIGRATION_PASS", 1000.002, **{"pass": 1}),
            reply(1000),
            event("MIGRATION_PASS", 1001.5, **{"pass": 2}),
            reply(2000),
            reply(3000),
            event("STOP", 1003.25),
            event("MIGRATION", 1003.3, status="completed"),
            reply(3300, "completed", remaining=0),
        )
    )
    assert trace.subject == "QEMU 9.1.2" and trace.downtime_limit_ms == 317
    assert trace.migrate_parameters["max-bandwidth"] == 50_000_000
    at_s = {one.name: one.t_s for one in trace.events}
    assert at_s["STOP"] == pytest.approx(3.25, abs=0.06) and 1 <= at_s["MIGRATION_PASS"] <= 2
    assert trace.completed and trace.switchover_s == at_s["STOP"]


def test_a_log_of_libvirts_has_each_message_once_and_its_times():
    lines = []
    for number in range(3):
        at_s, message = 5 + number, reply(1000 * (number + 1))
        lines += [
            logged(at_s, f"QEMU_MONITOR_IO_PROCESS: mon=MON buf={message}\r\n len={len(message)}"),
            logged(at_s + 0.001, f"Line [{message}]"),
            logged(at_s + 0.001, f"QEMU_MONITOR_RECV_REPLY: mon=MON reply={message}"),
        ]
    set_limit = '{"execute":"migrate-set-parameters","arguments":{"downtime-limit":700},"id":"libvirt-9"}'
    lines.insert(3, logged(5.5, f"QEMU_MONITOR_SEND_MSG: mon=MON msg={set_limit}\r\n fd=-1"))
    lines.append(logged(7.4, f"QEMU_MONITOR_RECV_EVENT: mon=MON event={event('STOP', 1646650007.4)}"))
    trace = parse(text(*lines, logged(7.5, f"QEMU_MONITOR_RECV_REPLY: mon=MON reply={reply(3500, 'completed')}")))
    assert trace.samples.t_s.tolist() == [1, 2, 3, 3.5]
    assert [(one.name, round(one.t_s, 3)) for one in trace.events] == [("LIMIT_CHANGED", 1.5), ("STOP", 3.4)]
    assert trace.events[0].limit_ms == 700 and trace.downtime_limit_ms is None


def test_guests_in_one_log_are_kept_apart():
    lines = [
        logged(number, f"QEMU_MONITOR_RECV_REPLY: mon=MON reply={reply(1000 * number + 5 * which, normal=which)}", mon)
        for number in range(1, 4)
        for which, mon in enumerate(("0xaaa0", "0xbbb0"), 1)
    ]
    trace = parse(text(*lines))
    assert trace.samples.t_s.tolist() == [1.01, 2.01, 3.01]
    assert "2 guests are migrated in this text: 0xbbb0 is judged" in trace.notes


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled", "active"])
def test_of_several_migrations_the_last_is_judged(end):
    trace = parse(text(reply(1000), reply(5000, end), reply(900), reply(1900)))
    assert trace.samples.t_s.tolist() == [0.9, 1.9] and trace.notes[0] == SEVERAL


def test_what_an_ended_migration_goes_on_to_answer_is_no_news():
    trace = parse(text(reply(1000), *[reply(1500, "completed")] * 3))
    assert [one.status for one in trace.samples] == ["active", "completed"]


def test_a_stop_long_before_the_migration_is_not_of_it():
    lines = [event("STOP", 10.0), event("RESUME", 11.0), event("MIGRATION", 500.0, status="setup"), reply(1000)]
    trace = parse(text(event("STOP", 5.0), *lines, reply(2000, "completed", remaining=0)))
    assert [one.name for one in trace.events] == ["MIGRATION"]
    assert trace.switchover_stop is None


@pytest.mark.long
def test_a_recording_without_its_header_is_read_by_its_lines():
    whole = gzip.decompress(recording("ppc64-tcg-qemu-7.2").read_bytes())
    trace, own = parse(whole[whole.index(b"\n") + 1 :]), parse(whole)
    assert len(ANSWERS) - 2 <= len(trace.samples) <= len(ANSWERS) and len(trace.events) == len(own.events)
    assert judge(trace).expected_ms == pytest.approx(judge(own).expected_ms, rel=5e-3)


def test_limits_and_capabilities_above_or_below_a_text_count():
    above = "(qemu) info migrate_capabilities\nxbzrle: off\nauto-converge: on\npostcopy-ram: on\n"
    limits = "info migrate_parameters\ndowntime-limit: 317 ms\navail-switchover-bandwidth: 125000000 bytes/second\n"
    for whole in (above + limits + TEXT, TEXT + above + limits, limits + TEXT + above):
        trace = parse(whole.encode())
        assert (trace.downtime_limit_ms, trace.switchover_bytes_per_ms) == (317, 125_000)
        assert trace.capabilities == ("auto-converge", "postcopy-ram")


def test_parameters_of_2_8_are_on_one_line():
    line = (
        "parameters: compress-level: 1 cpu-throttle-initial: 20 tls-creds: '' max-bandwidth: 33554432 bytes/second "
        "downtime-limit: 300 milliseconds x-checkpoint-delay: 200\n"
    )
    trace = parse((line + TEXT).encode())
    assert (trace.downtime_limit_ms, trace.migrate_parameters["max-bandwidth"]) == (300, 33_554_432)


@pytest.mark.parametrize(
    ("command", "limit_ms"),
    [
        ("(qemu) migrate_set_parameter downtime-limit 700", 700),
        ("(qemu) migrate_set_downtime 0.7", 700),
        ("(qemu) migrate_set_downtime 30ms", 30),
        (">>> {'execute': 'migrate_set_downtime', 'arguments': {'value': 0.25}}", 250),
    ],
)
def test_a_limit_that_is_set_on_the_way_is_one_from_then_on(command, limit_ms):
    trace = parse(f"{command}\n{TEXT}".encode())
    assert trace.downtime_limit_ms == limit_ms
    trace = parse(f"{TEXT}\n{command}\n{TEXT.replace('3602', '4602')}".encode())
    (changed,) = trace.events
    assert (trace.downtime_limit_ms, changed.limit_ms, 3.602 <= changed.t_s <= 4.602) == (None, limit_ms, True)


def test_texts_without_a_clock_are_not_taken_for_a_trace():
    trimmed = TEXT.replace("total time: 3602 ms\n", "")
    trace = parse((trimmed + "\n(qemu) info migrate\n" + trimmed).encode())
    assert trace.snapshot and "the texts show no time, so only the last one is judged" in trace.notes


def test_an_error_of_qemus_is_said_where_nothing_else_is():
    error = '{"error": {"class": "CommandNotFound", "desc": "The command query-migrate has not been found"}}'
    with pytest.raises(UsageError, match="QEMU answered with the error The command query-migrate has not been found"):
        parse(text(error))
    assert len(parse(text(error, reply(1000))).samples) == 1


def test_a_limit_that_is_set_to_what_it_was_is_no_change():
    commands = [
        f'{{"execute": "migrate-set-parameters", "arguments": {{"downtime-limit": {ms}}}}}'
        for ms in (317, 317, 900, 900)
    ]
    trace = parse(text(commands[0], reply(1000), *commands[1:], reply(2000)))
    assert [one.limit_ms for one in trace.events] == [900] and trace.downtime_limit_ms == 317


def test_what_happens_between_the_setup_of_a_migration_and_its_first_answer_is_of_it():
    before = [event("STOP", 5.0), event("RESUME", 6.0)]
    lines = [*before, event("MIGRATION", 500.0, status="setup"), event("STOP", 500.5), reply(1000)]
    assert [one.name for one in parse(text(*lines)).events] == ["MIGRATION", "STOP"]
    without = [*before, event("MIGRATION_PASS", 500.0), reply(1000)]
    assert [one.name for one in parse(text(*without)).events] == ["MIGRATION_PASS"]


@pytest.mark.parametrize(
    ("statuses", "last"),
    [
        (["completed"], "completed"),
        (["pre-switchover", "device", "completed"], "completed"),
        (["failing", "failed"], "failed"),
        (["cancelling", "cancelled"], "cancelled"),
        (["postcopy-active"], "postcopy-active"),
        (["postcopy-active", "completed"], "completed"),
        (["completed", "setup", "active"], "active"),
        (["pre-switchover"], "active"),
    ],
)
def test_an_event_may_tell_how_a_migration_goes_on_where_no_answer_does(statuses, last):
    told = [event("MIGRATION", 1000 + number, status=status) for number, status in enumerate(statuses)]
    trace = parse(text(reply(1000), *told))
    assert trace.samples[-1].status == last
    said = advise(trace).reasons[0]
    assert said.startswith(("the migration", "postcopy has begun")) == (last != "active")
