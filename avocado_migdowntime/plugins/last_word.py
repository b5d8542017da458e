# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports the end of a test whose runner was killed: Avocado 113 waits forever for a runner that reports no end.

A process is forked before the test starts and holds one end of a pipe. The runner holds the other end, and so does the
test's process, which inherits it. When both are gone and the runner has not written that everything was reported, the
forked process tells Avocado that the test ended in an error.
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
    """If the block is never left, report an end to the status servers at `addresses`, with `names` in the message."""
    listening, pipe = os.pipe()
    if os.fork() == 0:
        os.close(pipe)
        _wait_and_tell(listening, addresses, names)
    os.close(listening)
    try:
        yield
    finally:
        # Also after an exception: the runner is still alive then and reports by itself.
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
    """Send a message to the status server at `address`; ignore it if nobody listens there any more."""
    host, colon, port = address.rpartition(":")
    with suppress(OSError):
        if colon:
            connection = socket.create_connection((host, int(port)), timeout=5)
        else:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(address)
        with connection:
            connection.sendall(json.dumps(message).encode() + b"\n")
