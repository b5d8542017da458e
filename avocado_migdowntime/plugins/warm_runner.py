# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs runners on the host where it was started, one after the other; what they all import is imported once.

It is given a test by a line on its terminal, a JSON list: the runner's module and its arguments. It forks a process for
it, and prints a line when that begins and one when that has ended. On Ctrl-C, or when the connection ends, it ends the
runner by SIGTERM: on SIGTERM a test cleans up.
"""

import importlib
import json
import os
import runpy
import signal
import sys
import termios
from collections.abc import Iterator
from types import FrameType

from .lacking import PLACE

READY, BEGUN, ENDED = "migdowntime-serves", "migdowntime-begun", "migdowntime-ended"
"""The lines that it prints; the last one is followed by the exit status, as a shell counts it."""
_RUNNER = "avocado_migdowntime.plugins.runner"
_BY_SIGNAL = 128
_SAID_BYTES = 2000
_ENDS_IT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Runner:
    """The process of the runner, while there is one."""

    pid: int | None = None

    def end(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)
        elif number != signal.SIGINT:
            raise SystemExit(_BY_SIGNAL + number)


def main() -> None:
    """Serve until the connection ends. In a process that was forked, become the runner."""
    importlib.import_module(_RUNNER).import_needed()
    PLACE.one_of_several = True
    _as_typed()
    runner = _Runner()
    for number in _ENDS_IT:
        signal.signal(number, runner.end)
    print(READY, flush=True)
    for module, *arguments in _given():
        said = os.memfd_create("said")
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS_IT)
        runner.pid = os.fork()
        if runner.pid == 0:
            _apart(said)
            sys.argv[1:] = arguments
            # It is run as the main module, which it is not yet.
            sys.modules.pop(module, None)
            runpy.run_module(module, run_name="__main__", alter_sys=True)
            return
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS_IT)
        print(BEGUN, flush=True)
        os.waitid(os.P_PID, runner.pid, os.WEXITED | os.WNOWAIT)
        # From here on its number may be another process's.
        pid, runner.pid = runner.pid, None
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(_last_of(said), ENDED, status if status >= 0 else _BY_SIGNAL - status, flush=True)
        os.close(said)


def _given() -> Iterator[list[str]]:
    while line := sys.stdin.readline():
        yield json.loads(line)


def _as_typed() -> None:
    """Take lines of any length from the terminal, without an echo; Ctrl-C remains a signal."""
    mode = termios.tcgetattr(sys.stdin)
    mode[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(sys.stdin, termios.TCSANOW, mode)


def _apart(said: int) -> None:
    """Make this process independent of the terminal: a connection that ends sends SIGHUP to all processes of it."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for own, given in ((nothing, 0), (nothing, 1), (said, 2)):
        os.dup2(own, given)
    for number in _ENDS_IT:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS_IT)


def _last_of(said: int) -> str:
    """The end of what the runner said of errors."""
    size = os.lseek(said, 0, os.SEEK_END)
    return os.pread(said, _SAID_BYTES, max(0, size - _SAID_BYTES)).decode(errors="replace")


if __name__ == "__main__":
    main()
