# SPDX-License-Identifier: GPL-2.0-or-later
"""The process that borrows from the host for another one, and gives everything back when that one has ended.

Started by ``HostResources``; speaks JSON in the packets of a UNIX socket. It has left its parent, session and
process group, and ignores what a terminal or a runner sends to end a test, so that it outlives whatever ends
its borrower.
"""

import json
import os
import select
import signal
import socket
import sys
import syslog
from collections.abc import Iterator
from typing import Any

from ..errors import HarnessError, MigDowntimeError
from .journal import Journal
from .leases import TAKE, Lease

_PACKET_BYTES = 1 << 16


class Reaper:
    """Takes, remembers and gives back."""

    def __init__(self) -> None:
        self._journal = Journal()
        self._owed: dict[int, Lease] = {}
        self._last = 0
        self._failures: list[str] = []

    def start(self) -> None:
        """Settle what was left behind by reapers that were killed."""
        self._owed = dict(enumerate(self._journal.open(), start=1))
        self._last = len(self._owed)
        self._give_back_since(0)
        self._log_failures()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked for, wholly or not at all; what goes wrong is the answer then."""
        before = self._last
        try:
            if "take" in request:
                return TAKE[request["take"]](self._register, **request["how"])
        except Exception as error:  # Whatever it is: dying of it would leave everything behind.
            self._give_back_since(before)
            if isinstance(error, MigDowntimeError):
                return {"error": type(error).__name__, "message": str(error)}
            surprise = f"borrowing {request['take']} ended in {error!r}"
            return {"error": HarnessError.__name__, "message": surprise}
        for number in request["give_back"]:
            self._give_back(number)
        return {}

    def end(self, borrower: socket.socket) -> None:
        """Give everything back, and tell the borrower, or the system's log if it is gone, what failed."""
        self._give_back_since(0)
        self._journal.close()
        try:
            borrower.send(json.dumps({"failures": self._failures}).encode())
        except OSError:
            self._log_failures()

    def _register(self, lease: Lease) -> int:
        self._last += 1
        self._owed[self._last] = lease
        self._journal.write(self._owed.values())
        return self._last

    def _give_back_since(self, before: int) -> None:
        for number in sorted((number for number in self._owed if number > before), reverse=True):
            self._give_back(number)

    def _give_back(self, number: int) -> None:
        lease = self._owed.pop(number, None)
        if lease is None:
            return
        try:
            lease.release()
        except Exception as error:
            # Forgotten all the same: pages given back twice would be somebody else's.
            self._failures.append(f"{lease} could not be undone ({error}); do it by hand")
        self._journal.write(self._owed.values())

    def _log_failures(self) -> None:
        for failure in self._failures:
            syslog.syslog(syslog.LOG_WARNING, f"avocado-migdowntime: {failure}")
        self._failures.clear()


def _requests(borrower: socket.socket, pid: int) -> Iterator[dict[str, Any]]:
    # The socket alone does not tell: children that the borrower forked keep its end open.
    try:
        ended = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    while True:
        ready, _, _ = select.select([borrower.fileno(), ended], [], [])
        if ended in ready or not (packet := borrower.recv(_PACKET_BYTES)):
            return
        yield json.loads(packet)


def main() -> None:
    """Serve the process and the socket named on the command line: PID and file descriptor."""
    pid, borrower = int(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)
    if os.fork():
        os._exit(0)  # Leaves the reaper out of the tree of children that a test runner may kill one by one.
    reaper = Reaper()
    reaper.start()
    try:
        for request in _requests(borrower, pid):
            answer = {"number": request["number"], **reaper.answer(request)}
            try:
                borrower.send(json.dumps(answer).encode())
            except OSError:
                break
    finally:
        reaper.end(borrower)


if __name__ == "__main__":
    main()
