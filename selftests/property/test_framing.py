# SPDX-License-Identifier: GPL-2.0-or-later
"""QMP messages that are cut anywhere."""

import json

from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.faulty.framing import Framing

MESSAGES = st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=4), max_size=6)


@given(MESSAGES, st.sampled_from(["\r\n", "", "\n", " \n\n"]), st.integers(1, 50))
def test_messages_are_cut_anywhere_and_none_of_their_bytes_lost(messages, between, chunk):
    stream = b"".join(json.dumps(m, ensure_ascii=False).encode() + between.encode() for m in messages)
    framing, found = Framing(), []
    for begin in range(0, len(stream), chunk):
        found += framing.feed(stream[begin : begin + chunk])
    assert [message for _, message in found if message is not None] == messages
    assert b"".join(raw for raw, _ in found).strip() == stream.strip()
