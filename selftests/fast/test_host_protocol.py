# SPDX-License-Identifier: GPL-2.0-or-later
"""The messages between a process and its reaper: their form, and what becomes of a packet that is none."""

import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from avocado_migdowntime.errors import HarnessError, HostRequirementError, UsageError
from avocado_migdowntime.host import resources as resources_module
from avocado_migdowntime.host.protocol import (
    PACKET_BYTES,
    REPLIES,
    REQUESTS,
    UNNUMBERED,
    AcquireDirectory,
    AcquireHugepages,
    AcquireHugetlbfs,
    Confirmation,
    DirectoryGrant,
    FinalReport,
    HugepagesGrant,
    ProtocolError,
    Refusal,
    ReleaseLeases,
    decode_reply,
    decode_request,
    encode,
)
from avocado_migdowntime.host.reaper import Reaper
from avocado_migdowntime.host.records import by_kind
from avocado_migdowntime.host.resources import HostResources

WIRE = {
    AcquireDirectory("/tmp"): '{"number": 1, "kind": "acquire-directory", "within": "/tmp"}',
    AcquireHugetlbfs(2097152): '{"number": 1, "kind": "acquire-hugetlbfs", "page_size_bytes": 2097152}',
    AcquireHugepages(2097152, 16, True): '{"number": 1, "kind": "acquire-hugepages", "page_size_bytes": 2097152, '
    '"count": 16, "allowed": true}',
    ReleaseLeases((3, 2)): '{"number": 1, "kind": "release", "leases": [3, 2]}',
    DirectoryGrant("/tmp/x", (1,)): '{"number": 1, "kind": "directory-grant", "path": "/tmp/x", "leases": [1]}',
    HugepagesGrant(4, 3, (3, 2)): '{"number": 1, "kind": "hugepages-grant", "added": 4, "hold": 3, "leases": [3, 2]}',
    Confirmation(): '{"number": 1, "kind": "confirmation"}',
    Refusal("usage", "no"): '{"number": 1, "kind": "refusal", "error": "usage", "message": "no"}',
    FinalReport(("a", "b")): '{"number": 1, "kind": "final-report", "failures": ["a", "b"]}',
}

MALFORMED = {
    b"\xff": "it is not JSON: ",
    b'{"number": 1, "kind": "rel': "it is not JSON: ",
    b"[" * 60000: "it is not JSON: ",
    b"[1]": "it has no number",
    b'{"kind": "release", "leases": []}': "it has no number",
    b'{"number": true, "kind": "release", "leases": []}': "it has no number",
    b'{"number": 7}': "the kind None is unknown",
    b'{"number": 7, "kind": "acquire-moon"}': "the kind 'acquire-moon' is unknown",
    b'{"number": 7, "kind": ["release"]}': "the kind ['release'] is unknown",
    b'{"number": 7, "kind": "release"}': "release has the fields ['leases'], not []",
    b'{"number": 7, "kind": "release", "leases": [], "when": 3}': "release has the fields ['leases'], not ['leases', ",
    b'{"number": 7, "kind": "release", "leases": 3}': "release.leases is 3, which is not a list",
    b'{"number": 7, "kind": "release", "leases": [1, "2"]}': "release.leases is '2', expected int",
    b'{"number": 7, "kind": "acquire-directory", "within": null}': "acquire-directory.within is None, expected str",
    b'{"number": 7, "kind": "acquire-hugetlbfs", "page_size_bytes": true}': "page_size_bytes is True, expected int",
}


@pytest.mark.parametrize("message", WIRE, ids=lambda message: message.kind)
def test_a_message_has_this_form_and_is_read_from_it(message):
    decode = decode_request if message.kind in REQUESTS else decode_reply
    assert encode(1, message).decode() == WIRE[message]
    assert decode(WIRE[message].encode()) == (1, message)


def test_each_kind_of_message_is_among_them():
    assert {message.kind for message in WIRE} == REQUESTS.keys() | REPLIES.keys()


@pytest.mark.parametrize("packet", MALFORMED, ids=range(len(MALFORMED)))
def test_a_packet_that_is_no_request_is_refused_in_one_sentence(packet):
    number, refusal = decode_reply(Reaper().answer(packet))
    assert number == (7 if b'"number": 7' in packet else UNNUMBERED)
    error = refusal.exception()
    assert type(error) is HarnessError
    assert MALFORMED[packet] in str(error)
    assert re.fullmatch(r"the message .* cannot be understood \(.*\); start again, .* replaced meanwhile", str(error))
    assert len(str(error)) < 400


def test_a_reply_is_no_request():
    with pytest.raises(ProtocolError, match="the kind 'confirmation' is unknown"):
        decode_request(encode(1, Confirmation()))


@pytest.mark.parametrize(
    ("error", "kind"),
    [(UsageError("a"), "usage"), (HostRequirementError("b"), "host-requirement"), (HarnessError("c"), "harness")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_error_keeps_its_class_and_its_sentence(error, kind):
    refusal = Refusal.of(error)
    assert refusal == Refusal(kind, str(error))
    assert (type(refusal.exception()), str(refusal.exception())) == (type(error), str(error))


def test_an_error_of_a_kind_to_come_still_says_its_sentence():
    error = Refusal("moon", "it is full").exception()
    assert (type(error), str(error)) == (HarnessError, "it is full")


def test_two_classes_of_one_kind_are_an_error():
    @dataclass(frozen=True)
    class Again:
        kind: ClassVar[str] = "release"

    with pytest.raises(ValueError, match="^Again and ReleaseLeases are both of the kind 'release'$"):
        by_kind((ReleaseLeases, Again))


def test_a_reaper_does_what_it_is_asked_for_and_gives_it_back(tmp_path):
    reaper = Reaper()
    number, grant = decode_reply(reaper.answer(encode(5, AcquireDirectory(str(tmp_path)))))
    assert number == 5 and Path(grant.path).parent == tmp_path and os.listdir(tmp_path)
    assert decode_reply(reaper.answer(encode(6, ReleaseLeases(grant.leases)))) == (6, Confirmation())
    assert not os.listdir(tmp_path)
    assert reaper.reply(ReleaseLeases(grant.leases)) == Confirmation()


def test_what_the_host_refuses_unforeseen_is_a_sentence(tmp_path):
    refusal = Reaper().reply(AcquireDirectory(str(tmp_path / "absent")))
    assert refusal.error == "harness"
    assert refusal.message.startswith("the request acquire-directory ended in FileNotFoundError(")


@pytest.fixture
def other_end(monkeypatch):
    """A reaper's end of the socket, with the replies already in it that the test gives."""
    ends = []

    def start(its_socket, replies):
        ends.append(its_socket.dup())
        for reply in replies:
            ends[0].send(reply)

    yield lambda *replies: monkeypatch.setattr(resources_module, "_start_reaper", lambda end: start(end, replies))
    for end in ends:
        end.close()


START, END = encode(1, Confirmation()), encode(UNNUMBERED, FinalReport(()))


def test_a_reply_that_is_none_is_told_in_one_sentence(other_end):
    other_end(b'{"number": 1, "granted": true}')
    with pytest.raises(HarnessError, match=r"^the message .*cannot be understood \(the kind None is unknown\); start "):
        HostResources().__enter__()


def test_a_request_that_the_reaper_could_not_number_fails(other_end):
    other_end(START, encode(UNNUMBERED, Refusal("harness", "the message cannot be understood")), END)
    with (
        HostResources() as resources,
        pytest.raises(HarnessError, match="^the message cannot be understood$"),
        resources.lease(AcquireDirectory("/tmp"), DirectoryGrant),
    ):
        pass


def test_a_reply_of_another_kind_is_told(other_end):
    other_end(START, encode(2, Confirmation()), END)
    sentence = "answered acquire-directory by confirmation, not directory-grant; start again, as the package"
    with (
        HostResources() as resources,
        pytest.raises(HarnessError, match=sentence),
        resources.lease(AcquireDirectory("/tmp"), DirectoryGrant),
    ):
        pass


def test_a_reply_to_an_earlier_request_is_passed_over(other_end):
    late, grant, confirmation = Refusal("usage", "late"), DirectoryGrant("/x", (9,)), Confirmation()
    other_end(START, encode(1, late), encode(2, grant), encode(3, confirmation), END)
    with HostResources() as resources, resources.lease(AcquireDirectory("/tmp"), DirectoryGrant) as reply:
        assert reply == grant


def test_what_could_not_be_given_back_is_told_at_the_end(other_end):
    other_end(START, encode(UNNUMBERED, FinalReport(("the first", "the second"))))
    with pytest.raises(HarnessError, match="^the first; the second$"), HostResources():
        pass


def test_the_final_report_names_what_could_not_be_given_back(tmp_path):
    reaper, (client, its_end) = Reaper(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    grant = reaper.reply(AcquireDirectory(str(tmp_path)))
    os.rmdir(grant.path)
    with client, its_end:
        reaper.end(its_end)
        number, report = decode_reply(client.recv(PACKET_BYTES))
    assert number == UNNUMBERED
    (failure,) = report.failures
    assert re.fullmatch(
        rf"the directory {grant.path} could not be released \(.*No such file.*\); release it by hand", failure
    )
