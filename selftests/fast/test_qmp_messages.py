# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages of QMP wherever they stand: which are some, and when a sample of a recording was taken."""

import json

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.qmp_messages import is_of_qmp
from avocado_migdowntime.trace.model import SEVERAL
from avocado_migdowntime.trace.reading import Happening, Setting, Stamp

from ..support.log_readings import of, readings

ANSWER = {"status": "active", "ram": {"remaining": 5}}


@pytest.mark.parametrize("name", ["return", "execute", "QMP", "event"])
def test_a_message_of_qmp_is_known_by_its_first_word(name):
    assert is_of_qmp({name: {}}) and is_of_qmp([{"a": 1}, {name: {}, "id": 7}])


@pytest.mark.parametrize("other", [{}, [], {"status": "active"}, [{"a": 1}], "return", None, {"RETURN": {}}])
def test_what_is_no_message_of_qmp(other):
    assert not is_of_qmp(other)


@pytest.mark.parametrize(("latency", "tick_s"), [({"latency_ms": 500}, 0.5), ({}, 0)])
def test_a_sample_of_a_recording_was_taken_between_its_question_and_its_answer(latency, tick_s):
    [told] = readings(json.dumps({"t": 3.5, **latency, "query-migrate": ANSWER}).encode())
    assert (told.answer, told.stamp) == (ANSWER, Stamp(3.5, tick_s, from_begin=True))


@pytest.mark.parametrize("array", [[ANSWER], [{"return": ANSWER}], [{"id": 7}, {"return": ANSWER}]])
@pytest.mark.parametrize("written", [json.dumps, repr, lambda array: repr(array).replace("[{", "[ {")])
def test_an_answer_in_an_array_on_one_line_is_found(array, written):
    assert [told.answer for told in readings(f"{written(array)}\n".encode())] == [ANSWER]


@pytest.mark.parametrize("name", ["memory_total", "memory_remaining"])
def test_an_object_with_libvirts_names_is_a_job_of_its(name):
    [told] = readings(json.dumps({name: 4096, "type": 2, "memory_iteration": 3}).encode())
    assert told.answer["ram"][name.removeprefix("memory_")] == 4096


@pytest.mark.parametrize("status", ["active", "completed"])
def test_an_answer_without_a_total_is_read_though_nothing_is_left(status):
    answer = {"status": status, "total-time": 3300, "ram": {"remaining": 0, "transferred": 5}}
    (sample,) = parse(json.dumps({"return": answer}).encode()).samples
    assert (sample.ram.remaining_bytes, sample.total_bytes) == (0, None)


@pytest.mark.parametrize("ram", [{"remaining": 5}, {"transferred": 5}, {"remaining": 5, "transferred": 7}])
def test_an_answer_is_of_a_migration_where_it_tells_of_ram_that_is_sent(ram):
    assert [told.answer for told in readings(json.dumps({"return": {"status": "active", "ram": ram}}).encode())] == [
        {"status": "active", "ram": ram}
    ]


@pytest.mark.parametrize(
    "other",
    [{"status": "active", "ram": {"total": 5}}, {"status": "active", "singlestep": False}, {"status": "busy"}],
)
def test_an_answer_of_another_command_is_none(other):
    assert readings(json.dumps({"return": other}).encode()) == []


def test_parameters_in_the_header_of_a_recording_are_of_its_line():
    header = {"qemu": {"qemu": {"major": 7}}, "migrate-parameters": {"downtime-limit": 7}, "capabilities": ["events"]}
    setting = of(Setting, f"12:00:01 {json.dumps(header)}".encode())
    assert setting == [Setting({"downtime-limit": 7}, Stamp(43_201, 1.0, 86_400), False, {"events": True}, "", 0.0)]


@pytest.mark.parametrize("width", range(60, 120))
def test_a_reply_that_a_terminal_has_cut_at_any_width_is_one(width):
    answer = {**ANSWER, "expected-downtime": 300, "total-time": 1234567, "error-desc": "some-words-of-what-went-wrong"}
    text = json.dumps({"return": answer})
    cut = "".join(f"{text[begin : begin + width]}\n" for begin in range(0, len(text), width))
    assert [told.answer for told in readings(cut.encode())] == [answer]


def test_of_answers_on_one_line_that_has_a_time_each_is_told_once():
    other, stopped = {**ANSWER, "total-time": 9}, {"event": "STOP"}
    line = f"12:00:01 {json.dumps([{'return': ANSWER}, {'return': ANSWER}, {'return': other}, stopped, stopped])}"
    assert [told.answer for told in readings(line.encode())] == [ANSWER, other]
    assert [told.message for told in of(Happening, line.encode())] == [stopped]


def test_an_answer_within_what_cannot_be_read_is_found():
    line = f'{{"a" oops: {json.dumps({"return": ANSWER})}}}'
    assert [told.answer for told in readings(line.encode())] == [ANSWER]


def test_ram_figures_alone_over_several_lines_are_an_answer():
    ram = {"remaining": 5, "transferred": 7, "total": 9, "dirty-sync-count": 2}
    for text in (json.dumps(ram), json.dumps(ram, indent=1)):
        assert [told.answer["ram"] for told in readings(text.encode())] == [ram]


def replies(*rams):
    """A text with replies, a second apart, that have these RAM figures."""
    answers = [{"status": "active", "total-time": 1000 * ms, "ram": ram} for ms, ram in enumerate(rams, 1)]
    return "".join(json.dumps({"return": answer}) + "\n" for answer in answers).encode()


GIB = 1 << 30
RAM = {"remaining": GIB // 2, "transferred": 7, "total": GIB, "mbps": 800.0, "dirty-sync-count": 2}


@pytest.mark.parametrize(("total", "samples"), [(GIB, 2), (2 * GIB, 1)])
def test_ram_of_another_size_is_of_another_migration(total, samples):
    trace = parse(replies(RAM, {**RAM, "transferred": 8, "total": total}))
    assert (len(trace.samples), SEVERAL in trace.notes) == (samples, samples == 1)


def test_a_last_answer_that_does_not_show_what_is_left_is_left_out():
    without = {name: value for name, value in RAM.items() if name != "remaining"}
    trace = parse(replies(RAM, {**RAM, "transferred": 8}, {**without, "transferred": 9}))
    assert len(trace.samples) == 2 and any("do not show what is left" in note for note in trace.notes)
    assert trace.lacks == parse(replies(RAM, RAM)).lacks


def test_a_number_that_a_command_sets_elsewhere_is_no_bandwidth():
    value = {"path": "/machine", "property": "x", "value": 5}
    assert of(Setting, json.dumps({"execute": "qom-set", "arguments": value}).encode()) == []
    assert of(Setting, json.dumps({"execute": "migrate_set_speed", "arguments": {"value": "5"}}).encode()) == []
    speed = of(Setting, json.dumps({"execute": "migrate_set_speed", "arguments": {"value": 5}}).encode())
    assert [one.parameters for one in speed] == [{"max-bandwidth": 5}]
