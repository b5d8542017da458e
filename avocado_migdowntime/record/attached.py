# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that somebody else runs, queried over one of its QMP sockets."""

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qemu.qmp import ConnectError, ExecuteError, QMPError
from qemu.qmp.error import ProtocolError

from ..basics.printable import shortened
from ..errors import HarnessError, UsageError
from ..qemu.answers import documented
from ..qemu.monitor import Monitor, Silence
from .observed_qemu import ConnectionGone, ObservedQemu

_GREETING_S = 5.0
_EXPECTED = "expected the QMP socket of a running QEMU, PATH or HOST:PORT"
_NO_QMP = ": it sent what is not QMP"
_UNEXPECTED = (ValueError, TypeError, RecursionError)
"""What the client raises on bytes that are no text, a line without end, an `id` that is a list, and deep nesting."""
_GREATEST_PORT = 65535
"""The system takes only the last 16 bits of a larger number."""
_TCP = re.compile(r"(?P<host>[^/]*):(?P<port>\d{1,5})")
_AS_OPTION = re.compile(r"(?:unix:(?=[^,]*/)|tcp:(?=[^,]*:))(?P<address>[^,]+)(?:,(?:server|wait|nowait)\b.*)?")
"""An address as QEMU's option -qmp has it."""


class AttachedQemu(ObservedQemu):
    """The QMP connection to `address`, a UNIX socket's path or HOST:PORT.

    Raises UsageError if nobody answers there, or the answer is not QMP.
    """

    def __init__(self, address: str, say: Callable[[str], None]) -> None:
        super().__init__(address, say)
        self.qmp = Monitor("attached")

    @property
    def announcing(self) -> Mapping[str, "AttachedQemu"]:
        """Only this QEMU."""
        return {"source": self}

    async def _begin(self) -> None:
        option = _AS_OPTION.fullmatch(self.name)
        place = option["address"] if option else self.name
        address: str | tuple[str, int] = place
        tcp = _TCP.fullmatch(place)
        if tcp and (port := int(tcp["port"])) <= _GREATEST_PORT:
            address = (tcp["host"].strip("[]") or "localhost", port)
        try:
            async with asyncio.timeout(_GREETING_S):
                await self.qmp.connect(address)
        except TimeoutError:
            raise UsageError(
                f"{self.name} sends no QMP greeting within {_GREETING_S:g} s; it serves one client at a time, so end "
                "the other one, or give QEMU a second -qmp socket, or check whether that QEMU is stopped or hangs"
            ) from None
        except ConnectError as error:
            if isinstance(error.exc, UnicodeError) and not isinstance(error.exc, UnicodeDecodeError):
                raise UsageError(f"{self.name} has a host name that no host can have; {_EXPECTED}") from None
            if isinstance(error.exc, OSError):
                number = error.exc.errno or 0
                why = os.strerror(number) if number > 0 else error.exc.strerror or str(error.exc)
                what = _EXPECTED
                if isinstance(error.exc, PermissionError):
                    what = "a QMP socket is for the user of its QEMU and for root; run this as one of them"
                if isinstance(address, str) and Path(address).is_file():
                    what = f"{what}; give a text to `analyze`, or to this command by `- <{address}`"
                elif isinstance(error.exc, FileNotFoundError) and isinstance(address, str) and "/" not in address:
                    what = f"{what}{_instead_of_a_path(address)}"
                raise UsageError(f"{self.name}: {why}; {what}") from None
            raise UsageError(
                f"{self.name} does not speak QMP ({' '.join(str(error).split())}); expected a socket of QEMU's -qmp; "
                "of its -monitor, pipe the output of `info migrate` into `record -`"
            ) from None

    async def _end(self) -> None:
        await self.qmp.disconnect()

    def silence(self) -> Silence | None:
        """The oldest unanswered command; None if there is none."""
        return self.qmp.silence()

    async def execute(self, command: str, arguments: Mapping[str, object] | None = None) -> Any:
        """QMP's answer to `command`, checked against QEMU's documentation.

        Raises HarnessError if QEMU refuses or answers something else, ConnectionGone if it is gone.
        """
        try:
            answer = await self.qmp.execute(command, dict(arguments) if arguments else None)
            return documented(self.name, command, answer)
        except ExecuteError as error:
            raise HarnessError(f"QEMU at {self.name} refused {command}: {shortened(str(error))}") from error
        except (QMPError, EOFError, OSError) as error:
            raise ConnectionGone(f"the connection to {self.name} was lost{await self._why_lost()}") from error

    async def _why_lost(self) -> str:
        """That something came over the connection that is no QMP; '' if it was merely closed."""
        try:
            await self.qmp.disconnect()
        except ProtocolError as error:
            return f"{_NO_QMP} ({shortened(' '.join(str(error).split()))})"
        except _UNEXPECTED:
            return _NO_QMP
        except (QMPError, EOFError, OSError):
            pass
        return ""


def _instead_of_a_path(name: str) -> str:
    """What a name may be that no socket has, and what to give then."""
    if name.isdecimal():
        return f"; of a process, `tr '\\0' '\\n' </proc/{name}/cmdline | grep -A1 qmp` shows those that it has"
    return f"; of a guest of libvirt, give its URI and name: qemu:///system {name}"
