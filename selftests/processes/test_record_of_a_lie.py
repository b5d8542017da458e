# SPDX-License-Identifier: GPL-2.0-or-later
"""A migration that is recorded from a QEMU that lies while it migrates: a sentence, and a trace that can be read."""

import asyncio
import contextlib
import json
import socket

import pytest

from avocado_migdowntime.errors import MigDowntimeError
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.record import live
from avocado_migdowntime.record.attached import AttachedQemu
from avocado_migdowntime.record.new_trace import NewTrace
from avocado_migdowntime.record.observed_qemu import ConnectionGone

from ..support.made_up_monitor import GREETING, MIGRATING, RAM, answering, served
from ..support.waiting import HANGS_S

ACTIVE = MIGRATING["query-migrate"]
NO_QMP = ": it sent what is not QMP"
DONE = {"status": "completed", "total-time": 2000, "downtime": 5, "ram": RAM}


class Lying(dict):
    """Answers that change: those to query-migrate come one after another, the last of them again and again."""

    def __init__(self, *migrations, **others):
        super().__init__({**MIGRATING, **{name.replace("_", "-"): answer for name, answer in others.items()}})
        self._migrations = list(migrations)

    def get(self, command, otherwise=None):
        if command != "query-migrate":
            return super().get(command, otherwise)
        return self._migrations.pop(0) if len(self._migrations) > 1 else self._migrations[0]


def recorded(tmp_path, sockets, talk):
    """What was said, and how many samples were recorded of what `talk` tells; they can be read, if there are any."""
    new_trace = NewTrace(str(tmp_path / "trace.jsonl"))

    async def record():
        async with asyncio.timeout(HANGS_S):
            qemu = live.qemu_at(str(sockets / "qmp"), None, print)
            await live.follow(qemu, new_trace, 500, 5, print, lambda _: None)

    said = ""
    with served(sockets / "qmp", talk):
        try:
            asyncio.run(record())
        except MigDowntimeError as error:
            said = str(error)
    assert "\n" not in said and len(said) < 600
    assert (tmp_path / "trace.jsonl").exists() == bool(new_trace.samples)
    assert not new_trace.samples or len(read(new_trace.file).samples) == new_trace.samples
    return said, new_trace.samples


def answers(tmp_path, sockets, *migrations, **others):
    return recorded(tmp_path, sockets, lambda client: answering(client, Lying(*migrations, **others)))


def test_one_that_tells_the_truth_is_recorded(tmp_path, sockets):
    assert answers(tmp_path, sockets, ACTIVE, ACTIVE, ACTIVE, DONE) == ("", 3)  # The first says that it has begun.


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        ([], "answers query-migrate with [], which no QEMU does: expected `object`, got `array`"),
        (5, "expected `object`, got `int`"),
        ("active", "expected `object`, got `str`"),
        ({"status": 7}, "expected `str`, got `int` at `$.status`"),
        ({"status": ["active"]}, "expected `str`, got `array` at `$.status`"),
        ({"status": "x" * 1000}, "expected `str` of length <= 200 at `$.status`"),
        ({**ACTIVE, "ram": []}, "'ram' is [] where an object was expected"),
        (
            {**ACTIVE, "ram": {**RAM, "remaining": "many"}},
            "'remaining' is 'many' where a number from 0 up was expected",
        ),
        ({**ACTIVE, "ram": {**RAM, "remaining": 10**400}}, "'remaining' is 1000"),
        ({**ACTIVE, "ram": {**RAM, "normal": -1}}, "'normal' is -1 where a number from 0 up was expected"),
        ({**ACTIVE, "ram": {**RAM, "page-size": 0}}, "'page-size' is 0"),
        ({**ACTIVE, "ram": {**RAM, "mbps": float("nan")}}, "'mbps' is nan where a number from 0 up was expected"),
        ({**ACTIVE, "ram": {**RAM, "mbps": float("inf")}}, "'mbps' is inf where a number up to 1.8e+19 was expected"),
        ({**ACTIVE, "expected-downtime": {}}, "'expected-downtime' is {} where a number"),
        ({**ACTIVE, "x": "x" * 5_000_000}, "the source QEMU sent 5 MB in one message, which no QEMU does"),
        ({"status": "active"}, "has no 'ram', as that of an active migration should"),
        ({"error": {"class": "GenericError", "desc": "not now"}}, "refused query-migrate: not now"),
    ],
)
def test_a_lie_amidst_of_the_migration_ends_the_recording(tmp_path, sockets, lie, says):
    said, samples = answers(tmp_path, sockets, ACTIVE, ACTIVE, ACTIVE, lie)
    assert says in said and samples == 2


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"hello\n", f"{NO_QMP} (Failed to deserialize QMP message"),
        (b"[1]\n", f"{NO_QMP} (QMP message is not a JSON object"),
        (b"\x00\xff\n", NO_QMP),
        (b"[" * 100_000 + b"\n", NO_QMP),
        (b"x" * 12_000_000, NO_QMP),
        (b"", ""),
    ],
    ids=["words", "array", "no text", "nested", "endless", "closed"],
)
def test_what_is_no_qmp_amidst_of_the_migration_is_told(tmp_path, sockets, raw, why):
    said, samples = recorded(tmp_path, sockets, lambda client: answering(client, Lying(ACTIVE, ACTIVE, ACTIVE, raw)))
    assert said.startswith(f"the connection to {sockets / 'qmp'} was lost{why}") and samples == 2
    assert why or said.endswith("was lost")


@pytest.mark.parametrize("size", [12_000_000, 70_000_000])
def test_an_answer_without_end_ends_it_too(tmp_path, sockets, size):
    said, samples = answers(tmp_path, sockets, ACTIVE, ACTIVE, {**ACTIVE, "x": "x" * size})
    assert (said, samples) == (
        f"the connection to {sockets / 'qmp'} was lost{NO_QMP}",
        1,
    ) or "at once, which no QEMU does" in said


def test_statuses_that_change_back_and_forth_are_recorded_as_they_come(tmp_path, sockets):
    statuses = ["active", "setup", "none", "device", "wait-unplug", "active"]
    states = [{**ACTIVE, "status": status} for status in statuses]
    assert answers(tmp_path, sockets, ACTIVE, *states, DONE) == ("", 7)
    assert [sample.status for sample in read(str(tmp_path / "trace.jsonl")).samples] == [*statuses, "completed"]


@pytest.mark.parametrize(
    ("command", "answer", "says"),
    [
        ("query_version", {"qemu": {"major": [], "minor": 0, "micro": 0}, "package": ""}, "at `$.qemu.major`"),
        ("query_target", {}, "object missing required field `arch`"),
        ("query_kvm", {"enabled": 1}, "at `$.enabled`"),
        ("query_migrate_parameters", {"downtime-limit": {}}, "at `$.downtime-limit`"),
        ("query_migrate_parameters", "none", "expected `object`, got `str`"),
        ("query_migrate_capabilities", {"events": True}, "expected `array`, got `object`"),
        ("query_migrate_capabilities", [{"capability": 1, "state": True}], "at `$[0].capability`"),
        ("query_status", [], "expected `object`, got `array`"),
    ],
)
def test_what_it_says_of_itself_is_looked_at(tmp_path, sockets, command, answer, says):
    said, samples = answers(tmp_path, sockets, ACTIVE, **{command: answer})
    assert says in said and command.replace("_", "-") in said and not samples


def test_a_limit_that_no_trace_can_hold_is_a_fault_of_the_qemu(tmp_path, sockets):
    said, samples = answers(tmp_path, sockets, ACTIVE, query_migrate_parameters={"downtime-limit": 10**30})
    assert said.startswith(f"what the QEMU at {sockets / 'qmp'} says of itself differs from QEMU's documentation: ")
    assert "'downtime-limit' is 10" in said and not samples


def test_of_a_refusal_no_more_is_told_than_a_sentence_holds(tmp_path, sockets):
    refusal = {"error": {"class": "GenericError", "desc": "x" * 1_000_000}}
    said, samples = answers(tmp_path, sockets, ACTIVE, query_target=refusal)
    assert said.endswith(f"refused query-target: {'x' * 240}...") and not samples


@pytest.mark.parametrize("answer", [{"x": 1}, ["pc"], "\x1b[2J" * 10])
def test_what_only_adds_to_it_may_be_anything_that_is_shown(tmp_path, sockets, answer):
    assert answers(tmp_path, sockets, ACTIVE, ACTIVE, DONE, qom_get=answer) == ("", 2)
    assert read(str(tmp_path / "trace.jsonl")).subject.isprintable()


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"event": 5}, "'event' is {'event': 5} where a QMP event was expected"),
        ({"event": "STOP", "data": []}, "'event' is {'data': [], 'event': 'STOP'} where a QMP event was expected"),
        (
            {"event": "STOP", "timestamp": {"seconds": "now"}},
            "'seconds' is 'now' where a number",
        ),
        ({"event": "MIGRATION", "data": {"status": []}}, ""),
        ({"event": "\x1b[2J\udcff", "data": {"\r": "\n"}}, ""),
    ],
)
def test_an_event_that_is_none_is_no_part_of_a_trace(tmp_path, sockets, event, says):
    class Announcing(Lying):
        def get(self, command, otherwise=None):
            if command == "query-migrate":
                self.client.sendall(json.dumps(event).encode() + b"\n")
            return super().get(command, otherwise)

    def talk(client):
        said = Announcing(ACTIVE, ACTIVE, ACTIVE, DONE)
        said.client = client
        answering(client, said)

    said, samples = recorded(tmp_path, sockets, talk)
    assert (
        (said, samples) == ("", 3)
        if not says
        else f"an event of the source QEMU differs from QEMU's documentation: {says}" in said
    )


@pytest.mark.parametrize(
    "answer",
    [
        b'{"return": {}, "id": "of another"}\n',
        b'{"return": {"status": "act',
        b"[" * 200_000 + b"\n",
        b'{"return": {}, "id": []}\n',
        b'{"id": "x", "error": 5}\n',
        b"\xff\xfe\n",
        b"\n" * 1000,
    ],
)
def test_half_an_answer_or_one_to_another_question_ends_it_in_a_sentence(tmp_path, sockets, answer):
    def talk(client):
        answering(Closing(client), Lying(ACTIVE, ACTIVE, ACTIVE, None))

    class Closing:
        """The connection, over which `answer` goes when there is nothing to say, and nothing after it."""

        def __init__(self, client):
            self._client, self._asked = client, 0

        def sendall(self, data):
            self._client.sendall(data)

        def recv(self, size):
            data = self._client.recv(size)
            self._asked += data.count(b'query-migrate"')
            if self._asked == 4:
                self._client.sendall(answer)
                self._client.shutdown(socket.SHUT_WR)
                with contextlib.suppress(OSError):
                    self._client.recv(size)
                return b""
            return data

    said, samples = recorded(tmp_path, sockets, talk)
    assert "the connection to" in said and samples <= 3


def test_a_greeting_without_a_word_of_qmp_is_no_qemu(tmp_path, sockets):
    for greeting in ({}, {"QMP": 5}, {"QMP": {"version": [], "capabilities": {}}}, GREETING["QMP"]):
        (sockets / "qmp").unlink(missing_ok=True)

        def talk(client, greeting=greeting):
            client.sendall(json.dumps(greeting).encode() + b"\n")
            client.recv(1000)

        said, samples = recorded(tmp_path, sockets, talk)
        assert said and not samples


@pytest.mark.parametrize("completed", [False, True])
def test_what_asks_for_parameters_too_late_is_told_by_the_next_sample_how_it_ended(
    tmp_path, sockets, monkeypatch, completed
):
    asks = AttachedQemu.execute

    async def gone(qemu, command, arguments=None):
        parameters.append(command == "query-migrate-parameters")
        if parameters.count(True) <= 1:
            return await asks(qemu, command, arguments)
        if completed and command == "query-migrate":
            return DONE
        raise ConnectionGone(command)

    parameters = []
    monkeypatch.setattr(AttachedQemu, "execute", gone)
    said, samples = answers(tmp_path, sockets, ACTIVE)
    assert said == ("" if completed else "query-migrate") and samples
    assert (read(str(tmp_path / "trace.jsonl")).samples[-1].status == "completed") == completed
