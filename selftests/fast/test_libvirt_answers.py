# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest's QEMU says through libvirt, which hands it on unseen."""

import asyncio

import pytest

from avocado_migdowntime.errors import HarnessError, UsageError
from avocado_migdowntime.record.libvirt_events import GuestEvents
from avocado_migdowntime.record.libvirt_guest import answer_in
from avocado_migdowntime.trace.events import event_of

ENDLESS = ("[" * 100_000, '{"a":' * 100_000, "x" * 100_000)
NO_REPLIES = ('{"error": "broken"}', '{"error": {}}', '{"error": {"desc": 1}}', "{}", "[]", "1", "null", "", "{")


def test_an_answer_is_what_qemu_returned():
    reply = '{"return": {"status": "running"}, "id": "libvirt-7"}'
    assert answer_in("vm", "query-status", reply) == {"status": "running"}


def test_a_refusal_is_told_in_qemu_s_words():
    with pytest.raises(HarnessError, match="^QEMU of vm refused query-status: not now$"):
        answer_in("vm", "query-status", '{"error": {"class": "GenericError", "desc": "not now"}}')


@pytest.mark.parametrize("reply", [*NO_REPLIES, *ENDLESS], ids=lambda text: text[:20])
def test_what_is_no_reply_ends_in_a_sentence(reply):
    says = "^QEMU of vm answers query-status with '.*', which no QEMU does; use QEMU 5.2 or later$"
    with pytest.raises(HarnessError, match=says) as caught:
        answer_in("vm", "query-status", reply)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("details", ["{", "[1]", '"x"', *ENDLESS], ids=lambda text: text[:20])
def test_an_event_without_an_object_is_none(details):
    async def taken():
        events = GuestEvents()
        with events.of_qemu.listener() as coming:
            events._qemu_event(None, None, "MIGRATION", 1, 2, details, None)
            return await anext(coming)

    with pytest.raises(UsageError, match="where a QMP event was expected"):
        event_of(0, "source", asyncio.run(taken()))
