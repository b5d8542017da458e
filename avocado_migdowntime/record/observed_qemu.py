# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that somebody else runs: it is queried, and never changed."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from ..errors import HarnessError
from ..qemu.monitor import Silence
from .sampler import Announcing

_LOOK_S = 0.5
_SILENT_S = 2.0
"""How long a missing answer is waited for before each message about it."""
_RAM_BLOCK = re.compile(
    r"^\s*(?P<name>\S+)\s+(?P<size>\d{1,9}) (?P<unit>[KMG])iB\s+0x\w+\s+0x(?P<used>[0-9a-f]{1,16})\b", re.MULTILINE
)
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class ConnectionGone(HarnessError):
    """The QEMU has closed the connection, or has ended."""


class ObservedQemu(ABC):
    """A QEMU that answers QMP's commands within an `async with` block; `name` is what messages call it.

    If it stops answering, it is waited for, with a message to `say` every two seconds.
    """

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self.name = name
        self._say = say
        self._teller: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._begin()
        self._teller = asyncio.create_task(self._tell_of_silence())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._teller is not None:
            self._teller.cancel()
        with suppress(Exception):  # The block may end because it is gone.
            await self._end()

    @abstractmethod
    async def _begin(self) -> None:
        """Connect; raises UsageError if there is no such QEMU."""

    @abstractmethod
    async def _end(self) -> None:
        """Disconnect."""

    @property
    @abstractmethod
    def announcing(self) -> Mapping[str, Announcing]:
        """The sources of the trace's events, by side."""

    @abstractmethod
    def silence(self) -> Silence | None:
        """The oldest unanswered command; None if there is none."""

    @abstractmethod
    async def execute(self, command: str, arguments: Mapping[str, object] | None = None) -> Any:
        """QMP's answer to `command`, checked against QEMU's documentation.

        Raises HarnessError if QEMU refuses or answers something else, ConnectionGone if it is gone.
        """

    async def header(self) -> Mapping[str, Any]:
        """The trace's header for this QEMU, from query-* commands only."""
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
        return header

    async def details(self) -> Mapping[str, Any]:
        """Further fields for a recording, from other commands that change nothing."""
        details: dict[str, Any] = {}
        with suppress(HarnessError):  # Not every release or machine shows these; they only add to the subject.
            machine = await self.execute("qom-get", {"path": "/machine", "property": "type"})
            details["machine"] = str(machine).removesuffix("-machine")
            blocks = await self.execute("human-monitor-command", {"command-line": "info ramblock"})
            if size := page_size_of(blocks):
                details["backing_page_size"] = size
        return details

    async def _tell_of_silence(self) -> None:
        told_s = 0.0
        while True:
            await asyncio.sleep(_LOOK_S)
            silence = self.silence()
            if silence is None:
                told_s = 0.0
            elif silence.seconds >= told_s + _SILENT_S:
                told_s = silence.seconds
                self._say(f"the QEMU at {self.name} {silence}; waiting")


def page_size_of(blocks: str) -> int | None:
    """The page size of the largest block in `info ramblock`, in bytes: that of the guest's RAM.

    Source of the text: softmmu/physmem.c:ram_block_format of QEMU 7.2, system/physmem.c since 8.2.
    """
    blocks_by_use = [
        (int(match["used"], 16), int(match["size"]) * _UNITS[match["unit"]]) for match in _RAM_BLOCK.finditer(blocks)
    ]
    return max(blocks_by_use)[1] if blocks_by_use else None
