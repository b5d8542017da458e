# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the agent that is normally sent to another host, with a python3 of this host."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from avocado_migdowntime.remote.agent_code import command, program
from avocado_migdowntime.remote.conversation import SILENCE_S, Conversation

PATIENCE_S = 60


@asynccontextmanager
async def sent(silence_s: float = SILENCE_S) -> AsyncIterator[tuple[Conversation, asyncio.subprocess.Process]]:
    """A conversation with the agent, and its first process: that one returns resources, and its child answers."""
    process = await asyncio.create_subprocess_shell(
        command(sys.executable, silence_s),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        process_group=0,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(program())
    conversation = Conversation("far", process.stdout, process.stdin)
    try:
        await conversation.begin()
        yield conversation, process
    finally:
        await conversation.end()
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()
        assert not Path(conversation.facts["directory"]).exists()
