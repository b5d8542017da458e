# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that somebody else runs, over a QMP socket of its own; it is asked, and nothing on it is changed."""

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from qemu.qmp import ConnectError, ExecuteError, QMPError

from ..errors import HarnessError, UsageError
from ..qemu.answers import documented
from ..qemu.monitor import Monitor

_GREETING_S = 5.0
_LOOK_S = 0.5
_SILENT_S = 2.0
"""Without an answer, until that is told, and told again."""
_GREATEST_PORT = 65535
"""Of a larger one the system takes the last 16 bits."""
_TCP = re.compile(r"(?P<host>[^/]*):(?P<port>\d{1,5})")
_RAM_BLOCK = re.compile(r"^\s*(?P<name>\S+)\s+(?P<size>\d+) (?P<unit>[KMG])iB\s+0x\w+\s+(?P<used>0x\w+)", re.MULTILINE)
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class ConnectionGone(HarnessError):
    """The QEMU has closed the connection, or has ended."""


class AttachedQemu:
    """The QMP connection to `address`, a UNIX socket's path or HOST:PORT, within an `async with` block.

    A QEMU that stops answering is waited for, and `say` is told every two seconds. Raises UsageError where nobody
    answers at `address`, or not as QMP does.
    """

    def __init__(self, address: str, say: Callable[[str], None]) -> None:
        self.qmp = Monitor("attached")
        self._name = address
        self._say = say
        self._teller: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        tcp = _TCP.fullmatch(self._name)
        address: str | tuple[str, int] = self._name
        if tcp and (port := int(tcp["port"])) <= _GREATEST_PORT:
            address = (tcp["host"].strip("[]") or "localhost", port)
        try:
            async with asyncio.timeout(_GREETING_S):
                await self.qmp.connect(address)
        except TimeoutError:
            raise UsageError(
                f"{self._name} sends no QMP greeting within {_GREETING_S:g} s; it serves one client at a time, so end "
                "the other one, or give QEMU a second -qmp socket, or see whether that QEMU is stopped or hangs"
            ) from None
        except ConnectError as error:
            if isinstance(error.exc, OSError):
                why = error.exc.strerror or str(error.exc)
                raise UsageError(
                    f"{self._name}: {why}; expected the QMP socket of a running QEMU, PATH or HOST:PORT"
                ) from None
            raise UsageError(
                f"{self._name} does not speak QMP ({' '.join(str(error).split())}); expected a socket of QEMU's -qmp"
            ) from None
        self._teller = asyncio.create_task(self._tell_of_silence())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._teller is not None:
            self._teller.cancel()
        with suppress(Exception):  # Its end may be what is reported here.
            await self.qmp.disconnect()

    async def _tell_of_silence(self) -> None:
        told_s = 0.0
        while True:
            await asyncio.sleep(_LOOK_S)
            silence = self.qmp.silence()
            if silence is None:
                told_s = 0.0
            elif silence.seconds >= told_s + _SILENT_S:
                told_s = silence.seconds
                self._say(f"the QEMU at {self._name} {silence}; waiting for it to go on")

    async def execute(self, command: str, arguments: Mapping[str, object] | None = None) -> Any:
        """What QMP answers to `command`, as QEMU documents it.

        Raises HarnessError where it refuses or answers something else, ConnectionGone where it is gone.
        """
        try:
            answer = await self.qmp.execute(command, dict(arguments) if arguments else None)
            return documented(self._name, command, answer)
        except ExecuteError as error:
            raise HarnessError(f"QEMU at {self._name} refused {command}: {error}") from error
        except (QMPError, EOFError, OSError) as error:
            raise ConnectionGone(f"the connection to {self._name} has gone") from error

    async def header(self) -> Mapping[str, Any]:
        """What a trace says of this QEMU at its beginning."""
        header: dict[str, Any] = {
            "qemu": await self.execute("query-version"),
            "arch": (await self.execute("query-target"))["arch"],
            "migrate-parameters": await self.execute("query-migrate-parameters"),
            "capabilities": [
                each["capability"] for each in await self.execute("query-migrate-capabilities") if each["state"]
            ],
        }
        if (await self.execute("query-kvm"))["enabled"]:
            header["accelerator"] = "kvm"
        with suppress(HarnessError):  # Not every release or machine shows these; they only add to the subject.
            machine = await self.execute("qom-get", {"path": "/machine", "property": "type"})
            header["machine"] = str(machine).removesuffix("-machine")
            blocks = await self.execute("human-monitor-command", {"command-line": "info ramblock"})
            if size := page_size_of(blocks):
                header["backing_page_size"] = size
        return header


def page_size_of(blocks: str) -> int | None:
    """The page size of the largest block that `info ramblock` shows, in bytes: that of what backs the guest's RAM.

    Source of the text: softmmu/physmem.c:ram_block_format of QEMU 7.2, system/physmem.c since 8.2.
    """
    blocks_by_use = [
        (int(match["used"], 16), int(match["size"]) * _UNITS[match["unit"]]) for match in _RAM_BLOCK.finditer(blocks)
    ]
    return max(blocks_by_use)[1] if blocks_by_use else None
