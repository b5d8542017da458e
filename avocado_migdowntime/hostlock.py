# SPDX-License-Identifier: GPL-2.0-or-later
"""One timing-sensitive test at a time on a host."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = Path("/tmp/avocado-migdowntime.lock")
"""In /tmp, not $TMPDIR, and never removed, so that runs of all users meet at the same file."""

_LOOK_AGAIN_S = 0.2
_SAY_AGAIN_S = 1.0


@contextmanager
def alone_on_host(say: Callable[[str], None]) -> Iterator[None]:
    """Wait, without limit, until no other process is in here; `say` gets a line a second while that lasts.

    The lock ends with its holder, however that ends. Raises OSError if the file cannot be opened.
    """
    file = _open()
    try:
        began_s = time.monotonic()
        told_s = began_s - _SAY_AGAIN_S
        while not _taken(file):
            if (now_s := time.monotonic()) >= told_s + _SAY_AGAIN_S:
                told_s = now_s
                say(f"waiting for another test on this host to end, {now_s - began_s:.0f} s so far")
            time.sleep(_LOOK_AGAIN_S)
        yield
    finally:
        # Closing alone would leave it locked by children that were forked in the meantime.
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)


def _open() -> int:
    # Opened for reading and without O_CREAT if it exists: a sticky directory lets only its owner do more
    # (sysctl fs.protected_regular), and flock needs no more.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(LOCK, flags)
    except FileNotFoundError:
        file = os.open(LOCK, flags | os.O_CREAT, 0o644)
        os.fchmod(file, 0o644)
        return file


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
