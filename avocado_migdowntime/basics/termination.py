# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGTERM as something that came, rather than as an exception.

An exception that a signal handler raises comes anywhere: where a lock was just taken, which nobody gives back then, or
within a logging handler, which goes on as if nothing had been raised.
"""

import signal
from types import FrameType


class Termination:
    """Whether this process, or the one that forked it, was sent SIGTERM since `listen`."""

    def __init__(self) -> None:
        self.came = False

    def listen(self) -> None:
        """From now on; for the main thread."""
        signal.signal(signal.SIGTERM, self.note)

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        self.came = True


TERMINATION = Termination()
"""The one of this process: a signal is sent to all of it."""
WHY_TERMINATED = "Test interrupted by a signal: Ctrl-C, the timeout of the job, or the end of its runner"
