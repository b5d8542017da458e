# SPDX-License-Identifier: GPL-2.0-or-later
"""The last word of a runner that is killed: Avocado 113 waits forever for one that tells no end of its test.

A process that is forked before the test begins holds one end of a pipe. The runner and the test's process, which
inherits it, hold the other. When both are gone and the runner has not said that all is told, it tells Avocado that the
test ended in an error.
"""

import json
import os
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from avocado.core.utils import messages

_TOLD_BYTE = b"t"
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
KILLED = "the test's runner was killed; the host resources that it held were released"


@contextmanager
def told_anyway(addresses: Sequence[str], names: Mapping[str, str]) -> Iterator[None]:
    """Have an end told at the `addresses` of status servers if the block is not left; `names` go into the message."""
    listening, pipe = os.pipe()
    if os.fork() == 0:
        os.close(pipe)
        _wait_and_tell(listening, addresses, names)
    os.close(listening)
    try:
        yield
    finally:
        # Left by an exception, too, the runner's own process has told what there was to tell.
        with suppress(BrokenPipeError):
            os.write(pipe, _TOLD_BYTE)
        os.close(pipe)


def _wait_and_tell(pipe: int, addresses: Sequence[str], names: Mapping[str, str]) -> None:
    try:
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        if not os.read(pipe, 1):
            for address in addresses:
                tell(address, {**messages.FinishedMessage.get("error", fail_reason=KILLED), **names})
    finally:
        os._exit(0)


def tell(address: str, message: Mapping[str, Any]) -> None:
    """Send a message to the status server at `address`; nobody may be there any more."""
    host, colon, port = address.rpartition(":")
    with suppress(OSError):
        if colon:
            connection = socket.create_connection((host, int(port)), timeout=5)
        else:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(address)
        with connection:
            connection.sendall(json.dumps(message).encode() + b"\n")
