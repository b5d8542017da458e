# SPDX-License-Identifier: GPL-2.0-or-later
"""Stops processes by a signal, with all their threads."""

import os
import signal
from pathlib import Path

from avocado_migdowntime.host.process_group import processes

from .waiting import until


def stop(group: int) -> None:
    """Stop the processes of a group; on return none of them runs any more."""
    os.killpg(group, signal.SIGSTOP)
    for process in processes(group):
        wait_until_stopped(process.pid)


def wait_until_stopped(pid: int) -> None:
    """Wait until each thread of a process that was sent SIGSTOP has stopped; on a busy host that takes a while."""
    until(
        lambda: {_state(thread) for thread in Path(f"/proc/{pid}/task").iterdir()} == {"T"}, f"the stop of {pid}", 0.001
    )


def _state(thread: Path) -> str:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0]
