# SPDX-License-Identifier: GPL-2.0-or-later
"""Any message is read as it was written; of any other packet a reaper says so, and goes on."""

import json

from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.host.journal import decode, encode
from avocado_migdowntime.host.leases import DURABLE
from avocado_migdowntime.host.protocol import REPLIES, REQUESTS, Refusal, decode_reply, decode_request
from avocado_migdowntime.host.protocol import encode as packet_of
from avocado_migdowntime.host.reaper import Reaper
from avocado_migdowntime.host.records import MalformedRecordError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
)
FIELDS = st.dictionaries(st.sampled_from(["leases", "within", "path", "count", "added", "number", "kind"]), JSON)


def of_one(kinds):
    """A record of any of these kinds, with any values of its fields' types."""
    return st.sampled_from(list(kinds.values())).flatmap(st.builds)


@given(st.integers(), of_one(REQUESTS))
def test_a_request_is_read_as_it_was_written(number, request):
    assert decode_request(packet_of(number, request)) == (number, request)


@given(st.integers(), of_one(REPLIES))
def test_a_reply_is_read_as_it_was_written(number, reply):
    assert decode_reply(packet_of(number, reply)) == (number, reply)


@given(st.lists(of_one(DURABLE)))
def test_a_journal_is_read_as_it_was_written(leases):
    assert decode(encode(leases)) == leases


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()) | FIELDS.map(lambda f: json.dumps(f).encode()))
def test_a_packet_that_is_no_request_is_refused(packet):
    _, reply = decode_reply(Reaper().answer(packet))
    assert isinstance(reply, Refusal) and "cannot be understood" in reply.message


@given(st.fixed_dictionaries({"kind": st.sampled_from([*DURABLE]) | JSON, "path": TEXT | JSON}))
def test_an_entry_is_malformed_or_a_lease_that_is_written_as_it_was_read(entry):
    try:
        (lease,) = decode(json.dumps([entry]).encode())
    except MalformedRecordError as error:
        assert str(error)
    else:
        assert json.loads(encode([lease])) == [entry]
