# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions to the agent on another host, and its unasked messages."""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from ..agent.frames import Frames, encode
from ..basics.interval import Interval
from ..basics.printable import quoted
from ..errors import HarnessError, HostRequirementError
from .clock import Reading, ahead_s

SILENCE_S = 10.0
"""After this much silence each side considers the other gone: far longer than a busy host takes to answer."""
UNEXPECTED = "it sent something unexpected"
"""How the reason of a loss begins if what arrived was no message."""
_CLOCK_S = 0.5
_LATE_S = 1.0
_KEPT_READINGS = 1000
_CHUNK_BYTES = 1 << 20
_END_S = 20.0
"""Time for that host to return everything: pages that are being allocated are waited for."""

Listener = Callable[[str, dict[str, Any], bytes], None]
"""Called with what is reported of a program: the part, the message, its bytes."""


class Reader(Protocol):
    """A source of bytes."""

    async def read(self, n: int) -> bytes:
        """Some bytes; none at the end."""


class Writer(Protocol):
    """A sink of bytes."""

    def write(self, data: bytes) -> None:
        """Queue the bytes for sending."""

    async def drain(self) -> None:
        """Wait while too many bytes are unsent."""


class Conversation:
    """The conversation with the host `name`, while the connection lasts."""

    def __init__(self, name: str, reader: Reader, writer: Writer) -> None:
        self.name = name
        self.facts: dict[str, Any] = {}
        self.states: dict[str, list[tuple[int, str, str]]] = {}
        """The states of each program's processes: process id, name and the kernel's letter."""
        self.loss = ""
        """Why nobody there can be asked any more; empty while the connection lasts."""
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[tuple[dict[str, Any], bytes]]] = {}
        self._programs: dict[str, Listener] = {}
        self._readings: deque[tuple[Reading, Reading]] = deque(maxlen=_KEPT_READINGS)
        self._heard_s = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Start; raises HarnessError if nobody answers."""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._ask_the_time())]
        self.facts, _ = await self.ask("facts")

    async def ask(self, do: str, data: bytes = b"", **arguments: Any) -> tuple[Any, bytes]:
        """The value and the bytes of an answer.

        Raises HostRequirementError if the host lacks something, HarnessError if the question fails or nobody answers.
        """
        self._check()
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send({"do": do, "id": number, **arguments}, data)
            message, content = await answer
        finally:
            self._answers.pop(number, None)
        if "lacking" in message:
            raise HostRequirementError(f"on {self.name}: {message['lacking']}")
        if "failed" in message:
            raise HarnessError(f"{self.name} could not do what it was asked ({do}): {message['failed']}")
        return message["value"], content

    def hear(self, name: str, listener: Listener) -> None:
        """Call `listener` with what is reported of the program `name`; the part is `lost` when nothing will follow."""
        self._programs[name] = listener

    async def say(self, name: str, data: bytes) -> None:
        """Pass bytes on to a program; do nothing if it cannot be reached."""
        with suppress(HarnessError):
            await self._send({"to": name}, data)

    def ahead_s(self, at_s: float) -> Interval | None:
        """How far the host's monotonic clock is ahead of ours at `at_s` of that clock; None if it was never read."""
        return ahead_s((monotonic for monotonic, _ in self._readings), at_s, at_s)

    def wall_ahead_s(self, since_s: float) -> Interval | None:
        """The same for the real-time clocks, from a time until now; None if one of them was set meanwhile."""
        return ahead_s((wall for _, wall in self._readings), since_s, time.time())

    @property
    def clock_readings(self) -> int:
        """How often the clocks were read."""
        return len(self._readings)

    async def end(self) -> list[str]:
        """End everything there and have it returned; list what could not be returned."""
        failures: list[str] = []
        try:
            async with asyncio.timeout(_END_S):
                with suppress(HarnessError):
                    failures, _ = await self.ask("end")
        except TimeoutError:
            failures = [f"what was released there is unknown: no answer for {_END_S:g} s"]
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        return failures

    async def _listen(self) -> None:
        frames, why = Frames(), "it has closed the connection"
        try:
            while data := await self._reader.read(_CHUNK_BYTES):
                self._heard_s = time.monotonic()
                for message, content in frames.feed(data):
                    self._take(message, content)
        except (OSError, EOFError) as error:
            why = str(error) or type(error).__name__
        except ValueError as error:
            why = f"{UNEXPECTED}: {error}"
        except asyncio.CancelledError:
            why = "the run has ended"
            raise
        finally:
            self._lose(why)

    def _take(self, message: dict[str, Any], content: bytes) -> None:
        match message:
            case {"of": str(program), "part": str(part)}:
                if listener := self._programs.get(program):
                    listener(part, message, content)
            case {"id": int(number), "value": _} | {"id": int(number), "lacking": _} | {"id": int(number), "failed": _}:
                if (answer := self._answers.get(number)) and not answer.done():
                    answer.set_result((message, content))
            case _:
                raise ValueError(f"{quoted(message)} is no answer")

    async def _ask_the_time(self) -> None:
        asking: asyncio.Task[None] | None = None
        while not self.loss:
            if asking is None or asking.done():
                asking = asyncio.create_task(self._read_clock())
            begun_s = time.monotonic()
            await asyncio.sleep(_CLOCK_S)
            now_s = time.monotonic()
            # This process itself was stopped, and did not listen.
            stood_still = now_s > begun_s + _CLOCK_S + _LATE_S
            if now_s > self._heard_s + SILENCE_S and not stood_still:
                asking.cancel()
                self._lose(f"no answer for {SILENCE_S:g} s")

    async def _read_clock(self) -> None:
        wall_s, asked_s = time.time(), time.monotonic()
        with suppress(HarnessError):
            answer, _ = await self.ask("clock")
            answered_s, wall_after_s = time.monotonic(), time.time()
            monotonic_s, real_s = answer["times"]
            self.states = {name: [tuple(state) for state in each] for name, each in answer["states"].items()}
            if wall_after_s >= wall_s:
                readings = Reading(asked_s, monotonic_s, answered_s), Reading(wall_s, real_s, wall_after_s)
                self._readings.append(readings)

    async def _send(self, message: dict[str, Any], data: bytes) -> None:
        self._check()
        try:
            self._writer.write(encode(message, data))
            await self._writer.drain()
        except (OSError, EOFError) as error:
            self._lose(str(error) or type(error).__name__)
            self._check()

    def _lose(self, why: str) -> None:
        if self.loss:
            return
        self.loss = f"the connection to {self.name} is gone: {why}"
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(HarnessError(self.loss))
        for listener in self._programs.values():
            listener("lost", {}, b"")

    def _check(self) -> None:
        if self.loss:
            raise HarnessError(self.loss)
