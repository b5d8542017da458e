# SPDX-License-Identifier: GPL-2.0-or-later
"""The reaper: a process that holds leases of the host for another process, its client, and releases them when that
ends.

``HostResources`` starts it. It speaks the messages of protocol.py, in packets over a UNIX socket. It leaves its parent,
session and process group, and ignores the signals by which a terminal or a runner ends a test, so that it outlives
whatever ends its client. docs/host.md shows its life.
"""

import os
import select
import signal
import socket
import sys
import syslog
from collections.abc import Iterable, Iterator

from ..errors import HarnessError, MigDowntimeError
from .acquisition import acquire
from .journal import Journal
from .leases import Lease
from .protocol import (
    PACKET_BYTES,
    UNNUMBERED,
    Acquire,
    Confirmation,
    FinalReport,
    Grant,
    ProtocolError,
    Refusal,
    ReleaseLeases,
    Reply,
    Request,
    decode_request,
    encode,
)


class Reaper:
    """Acquires, records and releases leases."""

    def __init__(self) -> None:
        self._journal = Journal()
        self._leases: dict[int, Lease] = {}
        self._last_number = 0
        self._failures: list[str] = []

    def start(self) -> None:
        """Release what killed reapers left behind; failures go to the system log."""
        orphans = self._journal.open()
        self._leases = dict(enumerate(orphans.leases, start=1))
        self._last_number = len(self._leases)
        self._release_after(0)
        _log(orphans.unreadable)
        self._log_failures()

    def answer(self, packet: bytes) -> bytes:
        """The reply to any packet: a Refusal if it is no request of this release."""
        try:
            number, request = decode_request(packet)
        except ProtocolError as error:
            return encode(error.number, Refusal.of(error))
        return encode(number, self.reply(request))

    def reply(self, request: Request) -> Reply:
        """Carry out a request completely or not at all; the reply reports what went wrong."""
        if isinstance(request, ReleaseLeases):
            for number in request.leases:
                self._release(number)
            return Confirmation()
        return self._acquire(request)

    def end(self, client: socket.socket) -> None:
        """Release everything, and report failures to the client, or to the system log if the client is gone."""
        self._release_after(0)
        self._journal.close()
        try:
            client.send(encode(UNNUMBERED, FinalReport(tuple(self._failures))))
        except OSError:
            self._log_failures()

    def _acquire(self, request: Acquire) -> Grant | Refusal:
        before = self._last_number
        try:
            return acquire(request, self._register)
        except Exception as error:  # Catch everything: if this process died, nothing would be released.
            self._release_after(before)
            if isinstance(error, MigDowntimeError):
                return Refusal.of(error)
            return Refusal.of(
                HarnessError(f"the request {request.kind} ended in {error!r}; check whether the host allows it")
            )

    def _register(self, lease: Lease) -> int:
        self._last_number += 1
        self._leases[self._last_number] = lease
        self._journal.write(self._leases.values())
        return self._last_number

    def _release_after(self, before: int) -> None:
        for number in sorted((number for number in self._leases if number > before), reverse=True):
            self._release(number)

    def _release(self, number: int) -> None:
        lease = self._leases.pop(number, None)
        if lease is None:
            return
        if not lease.idempotent:
            # Forget it first: if this process were killed in between, the lease would be released twice.
            self._journal.write(self._leases.values())
        try:
            lease.release()
        except Exception as error:
            # Do not keep it: pages released twice would be somebody else's.
            self._failures.append(f"{lease} could not be released ({error}); release it by hand")
        self._journal.write(self._leases.values())

    def _log_failures(self) -> None:
        _log(self._failures)
        self._failures.clear()


def _log(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        syslog.syslog(syslog.LOG_WARNING, f"avocado-migdowntime: {sentence}")


def _packets(client: socket.socket, pid: int) -> Iterator[bytes]:
    # The socket alone does not tell that the client ended: children that it forked keep its end open.
    try:
        client_end = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    while True:
        ready, _, _ = select.select([client.fileno(), client_end], [], [])
        if client_end in ready or not (packet := client.recv(PACKET_BYTES)):
            return
        yield packet


def main() -> None:
    """Serve the client given on the command line by its PID and the socket's file descriptor."""
    pid, client = int(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)
    if os.fork():
        os._exit(0)  # Takes the reaper out of the tree of children, which a test runner may kill one by one.
    reaper = Reaper()
    reaper.start()
    try:
        for packet in _packets(client, pid):
            reply = reaper.answer(packet)
            try:
                client.send(reply)
            except OSError:
                break
    finally:
        reaper.end(client)


if __name__ == "__main__":
    main()
