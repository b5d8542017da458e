# SPDX-License-Identifier: GPL-2.0-or-later
"""Avocado-VT's logs of monitors: what is read in them is what the monitors answered."""

import json

import pytest

from avocado_migdowntime.forms.avocado_vt import objects
from avocado_migdowntime.forms.file import parse

from ..support.avocado_vt import answered, logged
from ..support.recorded import RECORDINGS

ANSWER = {
    "status": "active", "expected-downtime": 2086, "total-time": 3602, "setup-time": 1,
    "socket-address": [{"port": "49152", "ipv6": False, "type": "inet"}],
    "ram": {
        "total": 268435456, "remaining": 7581696, "page-size": 4096, "normal": 10451, "duplicate": 59380, "mbps": 96.53,
        "dirty-sync-count": 2, "dirty-pages-rate": 2894, "transferred": 43424768, "normal-bytes": 42807296,
    },
}  # fmt: skip
BARE = parse(json.dumps({"return": ANSWER}).encode())
AFTER = {**ANSWER, "total-time": 4102, "ram": {**ANSWER["ram"], "remaining": 1581696}}
PARAMETERS = {"downtime-limit": 317, "max-bandwidth": 12_000_000, "tls-creds": ""}
CAPABILITIES = [{"state": False, "capability": "xbzrle"}, {"state": True, "capability": "events"}]
HEADS = {
    "of 2013": ("", "19:28:45 DEBUG| "),
    "of 2022": ("", "2022-09-09 10:00:00,123 avocado.virttest.qemu_monitor qemu_monitor     L0450 DEBUG| "),
    "of a test alone": (
        "[stdlog] ",
        "2022-09-09 10:00:00,123 avocado.virttest.qemu_monitor qemu_monitor L0450 DEBUG| ",
    ),
}
OF_2019 = "2019-08-23 13:50:33,000 qemu_monitor     L1876 DEBUG| "


@pytest.mark.parametrize("head", HEADS)
def test_an_answer_is_read_behind_each_head(head):
    text = answered("query-migrate", ANSWER, 0.0).replace(OF_2019, "".join(HEADS[head]))
    trace = parse(text.encode())
    assert trace.samples == BARE.samples and not trace.lacks
    assert trace.readings[0].answer["socket-address"] == {"port": 49152, "ipv6": False, "type": "inet"}


def test_parameters_capabilities_and_release_are_read():
    version = {"qemu": {"micro": 0, "minor": 2, "major": 4}, "package": ""}
    asked = {"query-version": version, "query-migrate-parameters": PARAMETERS}
    asked |= {"query-migrate-capabilities": CAPABILITIES, "query-migrate": ANSWER}
    header = parse("".join(answered(name, answer, 0.0) for name, answer in asked.items()).encode()).header
    assert header["qemu"]["qemu"] == version["qemu"] and header["capabilities"] == ["events"]
    assert header["migrate-parameters"] == {"downtime-limit": 317, "max-bandwidth": 12_000_000, "tls-creds": ""}


def test_a_limit_that_is_sent_counts_from_then_on():
    sent = "Send command: {'execute': 'migrate-set-parameters', 'arguments': {'downtime-limit': 800}, 'id': 'eSF01GvB'}"
    text = answered("query-migrate-parameters", PARAMETERS, 0.0) + answered("query-migrate", ANSWER, 3.6)
    text += logged(sent, 3.8) + answered("query-migrate", AFTER, 4.1)
    trace = parse(text.encode())
    assert trace.downtime_limit_ms == 317 and [event.limit_ms for event in trace.events] == [800]


def test_answers_far_apart_in_a_long_log_are_found():
    between = "".join(logged(f"Attempting to log into 'avocado-vt-vm1' (try {number})", 3.7) for number in range(3000))
    text = between + answered("query-migrate", ANSWER, 3.6) + between + answered("query-migrate", AFTER, 4.1)
    trace = parse((text + between).encode())
    assert trace.samples.t_s.tolist() == [3.602, 4.102] and not trace.lacks
    assert trace.samples.remaining_bytes.tolist() == [7581696, 1581696]


def interleaved(one, other):
    return "".join(line for pair in zip(one.splitlines(True), other.splitlines(True), strict=True) for line in pair)


def test_two_guests_that_are_asked_at_once_are_told_apart():
    other = {**AFTER, "ram": {**AFTER["ram"], "remaining": 4096}}
    texts = answered("query-migrate", ANSWER, 3.6, "vm1.qmp1"), answered("query-migrate", other, 3.6, "vm2.qmp1")
    trace = parse(interleaved(*texts).encode())
    assert trace.samples.remaining_bytes.tolist() == [4096] and not trace.lacks
    assert "2 guests are migrated in this text: vm2 is judged" in trace.notes


def test_the_text_of_two_human_monitors_is_told_apart():
    shown = (RECORDINGS / "info-migrate-7.2.txt").read_text()
    less = shown.replace("7404 kbytes", "4 kbytes")
    texts = [
        "".join(logged(f"(monitor {guest}.hmp1)    {line}", 3.6) for line in text.splitlines())
        for guest, text in (("vm1", shown), ("vm2", less))
    ]
    trace = parse(interleaved(*texts).encode())
    assert trace.samples.remaining_bytes.tolist() == [4 * 1024 + 511.5] and not trace.lacks
    assert "2 guests are migrated in this text: vm2 is judged" in trace.notes


def test_the_log_that_a_monitor_has_by_itself_is_read():
    text = "".join(
        f"2019-08-23 13:50:3{number}: {json.dumps({'return': one})}\n" for number, one in ((5, ANSWER), (6, AFTER))
    )
    assert parse(text.encode()).samples.t_s.tolist() == [3.602, 4.102]


def test_another_command_has_no_answer_of_a_migration():
    other = answered("query-block", {"remaining": 7, "status": "active"}, 3.5)
    assert parse((other + answered("query-migrate", ANSWER, 3.6)).encode()).samples == BARE.samples


@pytest.mark.parametrize(
    ("fields", "made"),
    [
        ([], [{}]),
        ([(0, "a", "1"), (0, "b", "-2.5e3")], [{"a": 1, "b": -2500.0}]),
        ([(0, "a", ""), (4, "b", "True"), (4, "c", ""), (8, "d", "None"), (0, "e", "nan")],
         [{"a": {"b": True, "c": {"d": None}}, "e": "nan"}]),
        ([(4, "a", "1"), (4, "b", "x"), (4, "a", "2")], [{"a": 1, "b": "x"}, {"a": 2}]),
        ([(0, "a", ""), (4, "b", "1"), (0, "a", ""), (4, "b", "2")], [{"a": {"b": 1}}, {"a": {"b": 2}}]),
    ],
)  # fmt: skip
def test_fields_make_objects_by_how_far_they_are_indented(fields, made):
    assert objects(fields) == made
