# SPDX-License-Identifier: GPL-2.0-or-later
"""The borrower's side of the reaper."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .. import errors
from ..errors import HarnessError

_PACKET_BYTES = 1 << 16
_END_TIMEOUT_S = 60.0


class HostResources:
    """Borrows from the host, and gives everything back whatever way this process ends, SIGKILL included.

        with HostResources() as resources, work_directory(resources) as sockets:
            ...

    What is borrowed is taken by a process of its own, the reaper, and given back by it: at the end of the
    `with` block that borrowed, at the end of this one, or when this process is gone. Should the reaper be
    killed as well, the next HostResources that root starts gives back what it owed. Can be used from any thread.

    Raises HarnessError where the reaper cannot be started, has gone, or could not undo something.
    """

    def __enter__(self) -> Self:
        # Packets keep their boundaries, so that there is nothing to take apart.
        self._socket, reaper = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self._asked = 0
        try:
            with reaper:
                _start_reaper(reaper)
            # Its end is closed here, or its death would go unheard. It answers when it has settled what dead
            # reapers owed.
            self.give_back([])
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
    def borrowed(self, what: str, **how: Any) -> Iterator[dict[str, Any]]:
        """Borrow for a `with` block: `what` is a key of `leases.TAKE`, `how` its function's arguments.

        Raises what the function raised in the reaper.
        """
        loan = self._ask({"take": what, "how": how})
        try:
            yield loan
        finally:
            with suppress(HarnessError):  # Not to hide what the block raised: the end of this object tells.
                self.give_back(loan["owed"])

    def give_back(self, numbers: list[int]) -> None:
        """End leases, in this order, passing over those that have ended; raises HarnessError.

        What cannot be undone is told at the end of `HostResources`.
        """
        self._ask({"give_back": numbers})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._asked += 1
            try:
                self._socket.send(json.dumps({"number": self._asked, **request}).encode())
                # An answer to an earlier question can still be there, where Ctrl-C came while it was awaited.
                while (answer := self._receive()).get("number") != self._asked:
                    pass
            except OSError as error:
                raise _gone(error) from None
        if "error" in answer:
            raise getattr(errors, answer["error"])(answer["message"])
        return answer

    def _end(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(_END_TIMEOUT_S)
            while "failures" not in (answer := self._receive()):
                pass
        except TimeoutError:
            raise HarnessError(
                "what was borrowed from the host was not given back within "
                f"{_END_TIMEOUT_S:.0f} s; that goes on in the background, and what fails will "
                "stand in the system's log"
            ) from None
        except OSError as error:
            raise _gone(error) from None
        if answer["failures"]:
            raise HarnessError("; ".join(answer["failures"]))

    def _receive(self) -> dict[str, Any]:
        if not (packet := self._socket.recv(_PACKET_BYTES)):
            raise ConnectionResetError("it hung up")
        answer: dict[str, Any] = json.loads(packet)
        return answer


def _start_reaper(its_socket: socket.socket) -> None:
    package = Path(__file__).parents[1]
    # -P: a json.py in the current directory is not to be imported for the library's. All standard streams are
    # cut off, as whoever reads the borrower's output to its end would wait for the reaper's too.
    command = [sys.executable, "-P", "-m", f"{package.name}.host.reaper"]
    try:
        subprocess.run(
            [*command, str(os.getpid()), str(its_socket.fileno())],
            check=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(package.parent)},
            start_new_session=True,
            pass_fds=[its_socket.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise HarnessError(
            f"the process that gives back what is borrowed from the host could not be started "
            f"({error}); see if `{' '.join(command)}` can run here"
        ) from None


def _gone(error: OSError) -> HarnessError:
    return HarnessError(
        f"the process that gives back what is borrowed from the host has gone ({error}); "
        "the next run as root will give it back"
    )
