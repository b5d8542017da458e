# SPDX-License-Identifier: GPL-2.0-or-later
"""A process's own side of the reaper."""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self, TypeVar

from ..errors import HarnessError
from .module_process import environment, module_command
from .protocol import (
    PACKET_BYTES,
    UNNUMBERED,
    Acquire,
    Confirmation,
    DirectoryGrant,
    FinalReport,
    HugepagesGrant,
    Refusal,
    ReleaseLeases,
    Reply,
    Request,
    decode_reply,
    encode,
)

_END_TIMEOUT_S = 60.0

G = TypeVar("G", DirectoryGrant, HugepagesGrant)
R = TypeVar("R", DirectoryGrant, HugepagesGrant, Confirmation)


class HostResources:
    """Leases of the host; they are released however this process ends, SIGKILL included.

        with HostResources() as resources, work_directory(resources) as sockets:
            ...

    A separate process, the reaper, acquires and releases them. It releases them at the end of the `with` block that
    acquired them, at the end of this block, or when this process is gone. If the reaper is killed as well, the next run
    as root releases them. Usable from any thread.

    Raises HarnessError if the reaper cannot be started, has ended, is of another release, or could not release
    something.
    """

    def __enter__(self) -> Self:
        # Packets keep their boundaries, so no message needs to be split.
        self._socket, reaper = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self._last_number = UNNUMBERED
        try:
            with reaper:
                _start_reaper(reaper)
            # This process's copy of the reaper's socket is closed here, or the reaper's death would go unnoticed. The
            # reaper answers after it has released what dead reapers left.
            self.release(())
        except BaseException:
            self._socket.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._end()
        except HarnessError as failure:
            if error is None:
                raise
            error.add_note(str(failure))
        finally:
            self._socket.close()

    @contextmanager
    def lease(self, request: Acquire, grant: type[G]) -> Iterator[G]:
        """Acquire what is requested for a `with` block; `grant` is the class of the reply that protocol.py names.

        Raises HostRequirementError if the host lacks it, else HarnessError.
        """
        granted = self._ask(request, grant)
        try:
            yield granted
        finally:
            with suppress(HarnessError):  # Do not hide what the block raised; __exit__ reports this failure.
                self.release(granted.leases)

    def release(self, leases: tuple[int, ...]) -> None:
        """Release leases by number, in this order, skipping those that have ended; raises HarnessError.

        The end of `HostResources` reports what could not be released.
        """
        self._ask(ReleaseLeases(leases), Confirmation)

    def _ask(self, request: Request, expected: type[R]) -> R:
        with self._lock:
            self._last_number += 1
            try:
                self._socket.send(encode(self._last_number, request))
                reply = self._reply_to(self._last_number)
            except OSError as error:
                raise _end_error(error) from None
        if isinstance(reply, Refusal):
            raise reply.exception()
        if not isinstance(reply, expected):
            raise HarnessError(
                f"the reaper, which releases host resources, answered {request.kind} by {reply.kind}, "
                f"not {expected.kind}; start again, as the package may have been replaced meanwhile"
            )
        return reply

    def _reply_to(self, number: int) -> Reply:
        # If Ctrl-C interrupted an earlier request, its reply may still be there.
        while True:
            its_number, reply = self._receive()
            if its_number == number or (its_number == UNNUMBERED and isinstance(reply, Refusal)):
                return reply

    def _end(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(_END_TIMEOUT_S)
            while not isinstance(report := self._receive()[1], FinalReport):
                pass
        except TimeoutError:
            raise HarnessError(
                "host resources were not released within "
                f"{_END_TIMEOUT_S:.0f} s; that continues in the background, and failures go to the system log"
            ) from None
        except OSError as error:
            raise _end_error(error) from None
        if report.failures:
            raise HarnessError("; ".join(report.failures))

    def _receive(self) -> tuple[int, Reply]:
        if not (packet := self._socket.recv(PACKET_BYTES)):
            raise ConnectionResetError("it closed the connection")
        return decode_reply(packet)


def _start_reaper(its_socket: socket.socket) -> None:
    # Cut off all standard streams: whoever reads this process's output to its end would also wait for the reaper's.
    command = module_command("host.reaper")
    try:
        subprocess.run(
            [*command, str(os.getpid()), str(its_socket.fileno())],
            check=True,
            cwd="/",
            env=environment(),
            start_new_session=True,
            pass_fds=[its_socket.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise HarnessError(
            f"the reaper, which releases host resources, could not be started "
            f"({error}); see if `{' '.join(command)}` can run here"
        ) from None


def _end_error(error: OSError) -> HarnessError:
    return HarnessError(
        f"the reaper, which releases host resources, has ended ({error}); the next run as root releases them"
    )
