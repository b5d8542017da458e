# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection to another host by SSH, with the agent running there."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ..basics.event_loop import to_its_end
from ..errors import HarnessError, HostRequirementError
from ..parameters.host_address import HostAddress
from .agent_code import command, program
from .conversation import SILENCE_S, UNEXPECTED, Conversation

_CONNECT_S = 20.0
_PYTHON = "python3"
_LAST_WORDS_BYTES = 4096
_LAST_WORDS_S = 2.0


@dataclass(frozen=True)
class Connected:
    """A host that answers, and the addresses at which the two hosts see each other over that connection."""

    conversation: Conversation
    its_address: str
    """That host's address as seen from here."""
    own_address: str
    """That host's own address, which differs behind network address translation."""
    address_here: str
    """This host's address as seen from there."""
    own_address_here: str
    """This host's own address."""


@asynccontextmanager
async def connected(address: HostAddress) -> AsyncIterator[Connected]:
    """Connect to a host for the block; on leaving, everything that it lent is returned.

    Keys and known hosts are those of the user's SSH. Raises HostRequirementError if it cannot be reached or used, or
    has no python3; HarnessError if not everything was returned there.
    """
    asyncssh = _asyncssh()
    name = str(address)
    connection = await _connection(asyncssh, address)
    try:
        process = await connection.create_process(command(_PYTHON, SILENCE_S), encoding=None)
        process.stdin.write(program())
        conversation = Conversation(name, _Reader(asyncssh, process.stdout), _Writer(asyncssh, process.stdin))
        try:
            try:
                await conversation.begin()
            except HarnessError:
                if UNEXPECTED in conversation.loss:
                    raise HostRequirementError(
                        f"{conversation.loss}; let what its shell runs at its start, such as ~/.bashrc, print nothing "
                        "when a command is run over SSH"
                    ) from None
                raise HostRequirementError(
                    f"{name} cannot run what was sent to it: {await _last_words(process)}; it needs python3, 3.9 or "
                    "later, on the PATH of commands over SSH"
                ) from None
            client, _, server, _ = (*str(conversation.facts["ssh_connection"]).split(), "", "", "", "")[:4]
            peer, own = (connection.get_extra_info(f"{end}name") for end in ("peer", "sock"))
            here = own[0] if own else client
            yield Connected(
                conversation, peer[0] if peer else address.host, server or address.host, client or here, here
            )
        finally:
            failures = await to_its_end(conversation.end())
        if failures:
            raise HarnessError(f"not all that {name} lent was released: {'; '.join(failures)}")
    finally:
        connection.abort()
        with suppress(Exception):
            await connection.wait_closed()


def _asyncssh() -> Any:
    try:
        import asyncssh
    except ImportError:
        raise HostRequirementError(
            "another host is reached by the package asyncssh, which is not installed; install it: pip install asyncssh"
        ) from None
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    return asyncssh


async def _connection(asyncssh: Any, address: HostAddress) -> Any:
    login = {name: value for name, value in (("username", address.user), ("port", address.port)) if value is not None}
    try:
        async with asyncio.timeout(_CONNECT_S):
            return await asyncssh.connect(address.host, **login)
    except TimeoutError:
        why = f"nobody answered within {_CONNECT_S:g} s; check its name, and that sshd runs there"
    except asyncssh.HostKeyNotVerifiable as error:
        why = f"its key is not known here ({error.reason}); see it with ssh-keyscan, or connect by ssh once"
    except asyncssh.PermissionDenied as error:
        why = f"it accepts none of the keys of this host ({error.reason}); give it one of them with ssh-copy-id"
    except asyncssh.Error as error:
        why = str(error.reason)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
    except ValueError as error:
        why = str(error)
    raise HostRequirementError(f"the host {address} cannot be reached by SSH: {why}")


async def _last_words(process: Any) -> str:
    text = b""
    with suppress(Exception):
        async with asyncio.timeout(_LAST_WORDS_S):
            text = await process.stderr.read(_LAST_WORDS_BYTES)
    lines = text.decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


class _Reader:
    """Reports errors of the connection as OSErrors."""

    def __init__(self, asyncssh: Any, reader: Any) -> None:
        self._asyncssh = asyncssh
        self._reader = reader

    async def read(self, n: int) -> bytes:
        """Some bytes; none at the end."""
        try:
            data: bytes = await self._reader.read(n)
        except self._asyncssh.Error as error:
            raise ConnectionError(error.reason) from None
        return data


class _Writer:
    """The same for sending."""

    def __init__(self, asyncssh: Any, writer: Any) -> None:
        self._asyncssh = asyncssh
        self._writer = writer

    def write(self, data: bytes) -> None:
        """Queue the bytes for sending."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait while too many bytes are unsent."""
        try:
            await self._writer.drain()
        except self._asyncssh.Error as error:
            raise ConnectionError(error.reason) from None
