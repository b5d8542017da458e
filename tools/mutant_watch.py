# SPDX-License-Identifier: GPL-2.0-or-later
"""Gives up a mutant that only sleeps, however slow or often halted the machine is. One that computes has a limit of CPU
time.
"""

import os
import signal
from time import process_time

LOOK_S = 60.0
"""How often the CPU time of a mutant is looked at, wall time."""
AWAKE_S = 0.001
"""What waits for a CPU has used more CPU time than this by the next look; what sleeps uses less for the look itself."""
ASLEEP_LOOKS = 15
"""A mutant that sleeps for this many looks in a row is given up. While the machine is halted, there are none."""
TIMED_OUT = 36
"""The exit status for that."""


class Watch:
    """Looks at the process in which it was made."""

    def __init__(self) -> None:
        self._used_s = process_time()
        self._asleep = 0

    def start(self) -> None:
        """Look regularly from now on."""
        signal.signal(signal.SIGALRM, lambda *_: self.look())
        signal.setitimer(signal.ITIMER_REAL, LOOK_S, LOOK_S)

    def look(self) -> None:
        """End the process if it has slept for ASLEEP_LOOKS."""
        used_s = process_time()
        self._asleep = 0 if used_s - self._used_s > AWAKE_S else self._asleep + 1
        self._used_s = used_s
        if self._asleep == ASLEEP_LOOKS:
            os._exit(TIMED_OUT)
