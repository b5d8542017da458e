# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGTERM as a flag instead of an exception.

An exception from a signal handler can be raised anywhere: after a lock was taken, which is then never released, or
within a logging handler, which swallows it.
"""

import signal
from types import FrameType


class Termination:
    """Whether this process, or the one that forked it, received SIGTERM since `listen`."""

    def __init__(self) -> None:
        self.came = False

    def listen(self) -> None:
        """Start to listen; call this in the main thread."""
        signal.signal(signal.SIGTERM, self.note)

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        self.came = True


TERMINATION = Termination()
"""The flag of this process: a signal is sent to the whole process."""
WHY_TERMINATED = "Test interrupted by a signal: Ctrl-C, the timeout of the job, or the end of its runner"
