# SPDX-License-Identifier: GPL-2.0-or-later
"""What another host sends that is no answer ends the conversation in a sentence that quotes it."""

import asyncio
import re

import pytest

from avocado_migdowntime.agent import frames
from avocado_migdowntime.agent.frames import Frames, encode
from avocado_migdowntime.errors import HarnessError
from avocado_migdowntime.remote.conversation import UNEXPECTED, Conversation

from ..support.waiting import HANGS_S


class Unheard:
    """Takes what is sent."""

    def write(self, data):
        pass

    async def drain(self):
        pass


def said_of(sent):
    """Why a conversation in which a host sends this cannot begin."""

    async def begin():
        reader = asyncio.StreamReader()
        reader.feed_data(sent)
        conversation = Conversation("far", reader, Unheard())
        try:
            async with asyncio.timeout(HANGS_S):
                await conversation.begin()
        finally:
            reader.feed_eof()
            await conversation.end()

    with pytest.raises(HarnessError) as caught:
        asyncio.run(begin())
    return str(caught.value)


@pytest.mark.parametrize(
    ("sent", "quotes"),
    [
        (b"Welcome to far!\n", "b'Welcome to far!' is not a message"),
        (b"[" * 100_000 + b"\n", "is not a message"),
        (b'{"bytes": -1}\n', "a message of -1 bytes"),
        (encode({}), "{'bytes': 0} is no answer"),
        (encode({"id": []}), "is no answer"),
        (encode({"id": 1}), "is no answer"),
        (encode({"of": "qemu"}), "is no answer"),
        (encode({"of": [], "part": "end"}), "is no answer"),
    ],
)
def test_what_is_no_answer_is_quoted(sent, quotes):
    said = said_of(sent)
    assert re.match(f"the connection to far is gone: {UNEXPECTED}: ", said) and quotes in said and len(said) < 400


def test_a_line_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(frames, "_LONGEST_LINE", 1000)
    arriving = Frames()
    assert arriving.feed(b" " * 1000) == []
    with pytest.raises(ValueError, match="a line of more than 1000 bytes"):
        arriving.feed(b" ")
