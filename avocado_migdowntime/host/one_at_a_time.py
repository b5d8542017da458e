# SPDX-License-Identifier: GPL-2.0-or-later
"""One timing-sensitive test at a time on a host."""

import errno
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NAME = "\0avocado-migdowntime"
"""A name in the abstract namespace of UNIX sockets (unix(7)).

All users of a network namespace can hold it, one at a time. It leaves no file behind and ends with its holder.
"""

_LOOK_AGAIN_S = 0.2
_SAY_AGAIN_S = 1.0


@contextmanager
def alone_on_host(say: Callable[[str], None]) -> Iterator[None]:
    """Wait, without limit, until no other process is in here; `say` gets a line a second while that lasts."""
    start_s = time.monotonic()
    last_said_s = start_s - _SAY_AGAIN_S
    with socket.socket(socket.AF_UNIX) as lock:
        while not _try_bind(lock):
            if (now_s := time.monotonic()) >= last_said_s + _SAY_AGAIN_S:
                last_said_s = now_s
                say(f"waiting for another test on this host to end, {now_s - start_s:.0f} s so far")
            time.sleep(_LOOK_AGAIN_S)
        yield


def _try_bind(lock: socket.socket) -> bool:
    try:
        lock.bind(NAME)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True
