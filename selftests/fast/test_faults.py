# SPDX-License-Identifier: GPL-2.0-or-later
"""Each fault on made-up QMP conversations."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.faults.catalogue import KINDS, named_fault
from avocado_migdowntime.faults.fault import Conversation

QUERY = {"execute": "query-migrate"}
PARAMETERS = {"execute": "query-migrate-parameters"}
MBPS = 96.0
"""12 000 bytes a millisecond."""


def talk(fault):
    return Conversation(named_fault(fault).make())


def answer(expected, number=2, remaining=12_000_000, rate=2000, mbps=MBPS):
    return {
        "status": "active",
        "expected-downtime": expected,
        "ram": {
            "remaining": remaining,
            "page-size": 4096,
            "normal": 7,
            "duplicate": 1,
            "dirty-sync-count": number,
            "dirty-pages-rate": rate,
            "mbps": mbps,
        },
    }


def query(conversation, reply):
    """What QEMU's user gets to see of its answer to query-migrate."""
    assert conversation.to_qemu(QUERY) is QUERY
    message, late_ms = conversation.from_qemu({"return": reply})
    assert late_ms == 0
    return message["return"]


def shown(fault, replies):
    """The expected-downtime that is shown for each of QEMU's answers, all else being as it was."""
    conversation, figures = talk(fault), []
    for reply in replies:
        seen = query(conversation, reply)
        figures.append(seen["expected-downtime"])
        assert {**seen, "expected-downtime": reply["expected-downtime"]} == reply
    return figures


@pytest.mark.parametrize(
    ("fault", "figure"),
    [
        ("none", 1500),
        ("factor=1.1", 1650),
        ("factor=0.5", 750),
        ("kb", 1464),  # 1500 × 1000 ÷ 1024
        ("live", 1000),  # 12 MB ÷ 12 000 B/ms
        ("dirty-rate", 682),  # 2000 × 4096 B/s ÷ 12 MB/s
        ("redirty", 2524),  # 1500 ms, in each of which 2000 × 4096 ÷ 1000 B are dirtied: 1500 × (1 + 8192 ÷ 12 000)
    ],
)
def test_a_figure_is_computed_in_another_way(fault, figure):
    assert shown(fault, [answer(1500)]) == [figure]


@pytest.mark.parametrize("fault", ["dirty-rate", "redirty", "live"])
def test_a_formula_computes_nothing_where_qemu_does_not(fault):
    assert shown(fault, [answer(1, rate=0), answer(1, mbps=0.0)]) == [1, 1]


def test_frozen_keeps_the_first_figure_that_was_computed():
    assert shown("frozen", map(answer, [1, 1, 1500, 1501, 2000, 1])) == [1, 1, 1500, 1500, 1500, 1500]


def test_stale_shows_in_each_pass_what_was_right_at_the_end_of_the_one_before():
    replies = [answer(1, 1), answer(1, 1), answer(1400, 2), answer(1500, 2), answer(1600, 3), answer(1700, 4)]
    assert shown("stale", replies) == [1, 1, 1, 1, 1500, 1600]


def test_once_a_pass_is_renewed_when_a_third_is_sent():
    replies = [
        answer(1, 1, 90),
        answer(2, 1, 50),
        answer(3, 1, 10),
        answer(1498, 2, 1),  # The count was raised before the sync had found what remains.
        answer(1499, 2, 90),
        answer(1500, 2, 61),
        answer(1501, 2, 59),
        answer(1502, 2, 10),
        answer(1600, 3, 90),
    ]
    assert shown("once-a-pass", replies) == [1, 2, 2, 2, 2, 2, 1501, 1501, 1501]


@pytest.mark.parametrize("number", [0, 2])
def test_a_pass_is_not_a_third_sent_before_its_sync_has_found_what_remains(number):
    replies = [answer(5, number, 0), answer(6, number, 90), answer(7, number, 50), answer(8, number, 10)]
    assert shown("once-a-pass", replies) == [5, 5, 7, 7]
    assert shown("once-a-pass", [answer(5, number, 3), answer(6, number, 2), answer(7, number, 1)]) == [5, 5, 7]


def test_before_the_first_pass_a_stale_figure_is_the_right_one():
    assert shown("stale", [answer(5, 0), answer(6, 0), answer(7, 1), answer(8, 1), answer(9, 2)]) == [5, 6, 6, 6, 8]


def test_uncomputed_stays_at_the_limit_that_was_set_or_at_0():
    conversation = talk("uncomputed")
    assert query(conversation, answer(1500))["expected-downtime"] == 300
    setting = {"execute": "migrate-set-parameters", "arguments": {"downtime-limit": 317}}
    assert conversation.to_qemu(setting) is setting
    conversation.from_qemu({"return": {}})
    assert query(conversation, answer(1500))["expected-downtime"] == 317
    assert shown("zero", [answer(1500), answer(1600)]) == [0, 0]


@pytest.mark.parametrize(
    ("fault", "limit_ms", "used_ms"),
    [
        ("limit-ignored", 1, 300),
        ("limit-ignored", 700, 300),
        ("limit-factor=0.5", 700, 350),
        ("limit-factor=3", 700, 2100),
        ("limit-factor=3", 2_000_000, 2_000_000),  # QEMU takes no more.
    ],
)
def test_another_limit_is_used_than_was_set_and_is_said_to_be(fault, limit_ms, used_ms):
    conversation = talk(fault)
    conversation.to_qemu(PARAMETERS)
    assert conversation.from_qemu({"return": {"downtime-limit": 300}})[0] == {"return": {"downtime-limit": 300}}
    others = {"max-bandwidth": 7}
    setting = {"execute": "migrate-set-parameters", "arguments": {**others, "downtime-limit": limit_ms}, "id": 1}
    told = conversation.to_qemu(setting)
    assert told == {**setting, "arguments": {**others, "downtime-limit": used_ms}}
    assert conversation.from_qemu({"return": {}, "id": 1}) == ({"return": {}, "id": 1}, 0)
    conversation.to_qemu(PARAMETERS)
    said, _ = conversation.from_qemu({"return": {**others, "downtime-limit": used_ms}})
    assert said["return"] == {**others, "downtime-limit": limit_ms}
    bandwidth = {"execute": "migrate-set-parameters", "arguments": others}
    assert conversation.to_qemu(bandwidth) is bandwidth


@pytest.mark.parametrize(("given", "said"), [({}, 10), ({"cpu-throttle-increment": 7}, 7)])
def test_the_guest_is_slowed_in_other_steps_than_were_set_and_are_said_to_be(given, said):
    conversation = talk("throttle-step-ignored")
    conversation.to_qemu(PARAMETERS)
    assert conversation.from_qemu({"return": {"max-bandwidth": 7}})[0] == {"return": {"max-bandwidth": 7}}
    told = conversation.to_qemu({"execute": "migrate-set-parameters", "arguments": {"max-bandwidth": 7, **given}})
    assert told["arguments"] == {"max-bandwidth": 7, "cpu-throttle-increment": 15}
    conversation.from_qemu({"return": {}})
    conversation.to_qemu(PARAMETERS)
    shown, _ = conversation.from_qemu({"return": {"cpu-throttle-increment": 15, "cpu-throttle-initial": 20}})
    assert shown["return"] == {"cpu-throttle-increment": said, "cpu-throttle-initial": 20}


def test_auto_converge_is_not_switched_on():
    on = {"capability": "auto-converge", "state": True}
    events = {"capability": "events", "state": True}
    command = {"execute": "migrate-set-capabilities", "arguments": {"capabilities": [events, on]}}
    told = talk("auto-converge-ignored").to_qemu(command)
    assert told == {**command, "arguments": {"capabilities": [events]}}
    assert talk("auto-converge-ignored").to_qemu(QUERY) is QUERY


def test_a_field_is_missing_wherever_it_is():
    assert "mbps" not in query(talk("missing=mbps"), answer(1500))["ram"]
    assert query(talk("missing=ram"), answer(1500)) == {"status": "active", "expected-downtime": 1500}
    conversation = talk("missing=downtime-limit")
    conversation.to_qemu(PARAMETERS)
    assert conversation.from_qemu({"return": {"downtime-limit": 1, "x": 2}})[0] == {"return": {"x": 2}}
    conversation.to_qemu({"execute": "query-status"})
    assert conversation.from_qemu({"return": {"downtime-limit": 1}})[0] == {"return": {"downtime-limit": 1}}


def test_answers_come_late_and_events_do_not():
    conversation = talk("late=200")
    conversation.from_qemu({"QMP": {}})
    conversation.to_qemu(QUERY)
    assert conversation.from_qemu({"event": "STOP"}) == ({"event": "STOP"}, 0)
    assert conversation.from_qemu({"return": 1}) == ({"return": 1}, 200)
    conversation.to_qemu({"execute": "nonsense"})
    assert conversation.from_qemu({"error": {}}) == ({"error": {}}, 200)


@pytest.mark.parametrize("fault", ["none", *(k for k in KINDS if k != "none" and not KINDS[k].takes), "factor=2"])
def test_what_has_no_figure_passes_through_as_it_is(fault):
    conversation = talk(fault)
    for message in (
        {"QMP": {"version": {}}},
        {"event": "MIGRATION_PASS", "data": {"pass": 1}},
        {"return": {}},
        None,
        7,
    ):
        assert conversation.from_qemu(message) == (message, 0)
    assert conversation.to_qemu(None) is None
    for reply in ({"return": {}}, {"return": {"status": "setup"}}, {"error": {"class": "GenericError"}}):
        conversation.to_qemu(QUERY)
        assert conversation.from_qemu(reply)[0] is reply


def test_events_before_the_greeting_are_kept_back():
    conversation = talk("none")
    assert conversation.from_qemu({"event": "RESUME"}) is None
    assert conversation.from_qemu({"QMP": {}}) == ({"QMP": {}}, 0)
    assert conversation.from_qemu({"event": "RESUME"}) == ({"event": "RESUME"}, 0)


@pytest.mark.parametrize("fault", ["uncomputed", "limit-ignored"])
def test_setting_no_parameter_at_all_passes_through(fault):
    setting = {"execute": "migrate-set-parameters"}
    assert talk(fault).to_qemu(setting) is setting


def test_answers_are_told_apart_by_their_ids_where_they_have_some():
    conversation = talk("factor=2")
    conversation.to_qemu({"execute": "query-migrate", "id": "a"})
    conversation.to_qemu({"exec-oob": "migrate-pause", "id": "b"})
    other = {"return": answer(5), "id": "b"}
    assert conversation.from_qemu(other)[0] is other
    assert conversation.from_qemu({"return": answer(5), "id": "a"})[0]["return"]["expected-downtime"] == 10


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("frost", "unknown fault 'frost'; known are none, dirty-rate"),
        ("factr=2", "unknown fault 'factr'; did you mean factor?"),
        ("", "unknown fault ''"),
        ("frozen=3", "the fault 'frozen=3' cannot be used: frozen takes no value"),
        ("factor", "the fault 'factor' cannot be used: factor takes a value: factor=FACTOR"),
        ("factor=", "the fault 'factor=' cannot be used: '' is not a number above 0"),
        ("factor=nan", "'nan' is not a number above 0"),
        ("limit-factor=-1", "'-1' is not a number above 0"),
        ("late=inf", "'inf' is not a number above 0"),
        ("late=0", "'0' is not a number above 0"),
        ("missing=", "no field is named; give one such as missing=mbps"),
    ],
)
def test_what_is_no_fault_is_said_in_a_sentence(text, says):
    with pytest.raises(UsageError) as caught:
        named_fault(text)
    assert says in str(caught.value)


def test_a_fault_without_its_field_is_refused_in_one_sentence():
    with pytest.raises(UsageError) as caught:
        named_fault("missing=")
    says = "the fault 'missing=' cannot be used: no field is named; give one such as missing=mbps"
    assert str(caught.value) == says


def test_a_fault_is_written_as_it_was_asked_for():
    assert [str(named_fault(text)) for text in ("frozen", "factor=1.10")] == ["frozen", "factor=1.10"]
