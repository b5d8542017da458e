# SPDX-License-Identifier: GPL-2.0-or-later
"""Progress of a command, for somebody who waits."""

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .output import tell

_PROGRESS_EVERY_S = 2.0


def may_be_quiet(parser: argparse.ArgumentParser) -> None:
    """Add the option --quiet to `parser`."""
    parser.add_argument("--quiet", action="store_true", help="print no progress on standard error")


def teller(command: str, arguments: argparse.Namespace) -> Callable[[str], None]:
    """Return a function that writes lines of `command` to standard error; with --quiet it writes nothing."""

    def say(text: str) -> None:
        if not arguments.quiet:
            tell(command, text)

    return say


@contextmanager
def lasting(say: Callable[[str], None], what: str) -> Iterator[None]:
    """Call `say` every two seconds with `what` and how long it has taken, until the block ends."""
    began_s, ended = time.monotonic(), threading.Event()

    def tell() -> None:
        while not ended.wait(_PROGRESS_EVERY_S):
            say(f"{what}, {time.monotonic() - began_s:.0f} s so far")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
