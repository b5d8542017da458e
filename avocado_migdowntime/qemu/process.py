# SPDX-License-Identifier: GPL-2.0-or-later
"""One QEMU process with its QMP connection, which ends with whoever started it."""

import asyncio
import contextlib
import shlex
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from qemu.qmp import ExecInterruptedError, ExecuteError, QMPError

from ..basics.event_loop import to_its_end
from ..errors import HarnessError
from ..host.netns import Network
from .answers import documented
from .launching import HERE, Launcher, Running
from .monitor import Monitor
from .output import Output

START_S = 20.0
"""A QEMU speaks QMP within so long, on a busy host too."""
_END_S = 5.0
_SERIAL_LIMIT = 1 << 20
"""Bytes of serial output that are kept: a guest (or a program that is no QEMU) may print forever."""


class QemuProcess:
    """A QEMU that runs within an `async with` block.

    Beginning and end of its standard error go to `directory/NAME.stderr`, those of what comes over its serial line to
    `directory/NAME.serial`, its command line to `directory/NAME.command`; the QMP socket lies in `sockets`, whose path
    must be short. `arguments` are all but the monitor and the serial line. It runs in the `network` that is given,
    or else in the host's, where `launcher` has it run. It has to speak QMP within `speaks_within_s`.
    """

    def __init__(
        self,
        name: str,
        binary: str,
        arguments: Sequence[str],
        directory: Path,
        sockets: Path,
        network: Network | None = None,
        launcher: Launcher = HERE,
        speaks_within_s: float = START_S,
    ) -> None:
        self.name = name
        self._speaks_within_s = speaks_within_s
        self.qmp = Monitor(name)
        self.serial: list[str] = []
        self._socket = sockets / f"{name}.qmp"
        self._directory = directory
        self._command = [
            binary,
            *arguments,
            "-chardev",
            f"socket,id=qmp,path={launcher.path(self._socket)}",
            "-mon",
            "chardev=qmp,mode=control",
            "-chardev",
            "stdio,id=serial,signal=off",
            "-serial",
            "chardev:serial",
        ]
        self._network = network
        self._launcher = launcher
        self._process: Running | None = None
        self._outputs: list[Output] = []
        self._heard_bytes = 0
        self._partial = b""
        self._last_words = ""
        self._gone_when = ""
        self._new_line = asyncio.Event()
        self._ended: asyncio.Task[int | None] | None = None

    async def __aenter__(self) -> Self:
        try:
            # Cancelled at its first step qemu.qmp leaves a coroutine behind that was never awaited, and Python says so.
            await to_its_end(self.qmp.start_server(str(self._socket)))
            process = await to_its_end(self._spawn())
            await self._connected(process)
        except BaseException:
            await self._end()
            raise
        return self

    async def _spawn(self) -> Running:
        (self._directory / f"{self.name}.command").write_text(shlex.join(self._command) + "\n")
        for kind, hear in (("serial", self._hear), ("stderr", lambda data: None)):
            self._outputs.append(Output(self._directory / f"{self.name}.{kind}", hear))
        serial, stderr = self._outputs
        self._process = await self._launcher.launch(
            self.name, self._command, self._socket, serial.write_end, stderr.write_end, self._network
        )
        for output in self._outputs:
            output.begin()
        self._ended = asyncio.create_task(self._process.wait())
        self._ended.add_done_callback(lambda _: self._new_line.set())
        return self._process

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    async def execute(self, command: str, arguments: Mapping[str, object] | None = None) -> Any:
        """What QMP answers to `command`, as QEMU documents it.

        Raises HarnessError where it refuses or answers something else, and where the process is gone.
        """
        try:
            answer = await self.qmp.execute(command, dict(arguments) if arguments else None)
            return documented(f"the {self.name} QEMU", command, answer)
        except ExecuteError as error:
            raise HarnessError(f"{self.name} QEMU refused {command}: {error}") from error
        except (ExecInterruptedError, QMPError) as error:
            raise await self.end_error(f"during {command}") from error

    async def give(self, name: str, descriptor: int) -> None:
        """Give QEMU a copy of an open file, which it knows by `name` then; raises HarnessError."""
        self.qmp.send_fd_scm(descriptor)
        await self.execute("getfd", {"fdname": name})

    async def line(self, *beginnings: str) -> str:
        """The first line from the serial port, past or to come, that starts with one of `beginnings`.

        Raises HarnessError where the process ends before.
        """
        while True:
            if self._ended is not None and self._ended.done():
                self._outputs[0].read()
            for line in self.serial:
                if line.startswith(beginnings):
                    return line
            if self._ended is None or self._ended.done() or self._outputs[0].is_over:
                raise await self.end_error(f"before the guest had reported{self._panic()}")
            self._new_line.clear()
            await self._new_line.wait()

    async def end_error(self, when: str) -> HarnessError:
        """The error that says how the process ended, with its own last words."""
        assert self._process is not None
        self._gone_when = when
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        if self._process.loss:
            return HarnessError(f"{self._process.loss} ({self.name} QEMU, {when}: {self.last_words()})")
        return HarnessError(f"{self.name} QEMU {_ending(self._process.returncode)} {when}: {self.last_words()}")

    def silence(self, least_s: float) -> str | None:
        """Says what it has not answered, where it has answered nothing for `least_s`, and what it does meanwhile.

        One that has closed its QMP connection answers nothing any more.
        """
        if self._gone_when and self._process is not None and self._process.returncode is None:
            return f"the {self.name} QEMU {_ending(None)} {self._gone_when}{self._doing()}: {self.last_words()}"
        silence = self.qmp.silence()
        if silence is None or silence.seconds < least_s:
            return None
        return f"the {self.name} QEMU {silence}{self._doing()}: {self.last_words()}"

    def is_stopped(self) -> bool:
        """Whether a process of it was stopped by a signal, and does nothing until it is told to go on."""
        return self._process is not None and any(process.state == "T" for process in self._process.processes())

    @property
    def loss(self) -> str:
        """Why nothing is known of it any more, where that is so."""
        return self._process.loss if self._process is not None else ""

    async def _connected(self, process: Running) -> None:
        accept = asyncio.ensure_future(self.qmp.accept())
        ended = asyncio.ensure_future(process.wait())
        try:
            done, _ = await asyncio.wait(
                {accept, ended}, timeout=self._speaks_within_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in (accept, ended):
                task.cancel()
            await asyncio.gather(accept, ended, return_exceptions=True)
        if accept in done and not accept.cancelled() and accept.exception() is None:
            return
        if ended in done or accept in done:
            raise await self.end_error("at its start")
        raise HarnessError(
            f"{self.name} QEMU did not speak QMP within {self._speaks_within_s:g} s{self._doing()}: {self.last_words()}"
        )

    def _hear(self, data: bytes) -> None:
        """Take what came over the serial line; nothing says that it has ended."""
        if self._heard_bytes < _SERIAL_LIMIT:
            self._heard_bytes += len(data)
            *lines, self._partial = (self._partial + data).split(b"\n")
            self.serial += [line.decode(errors="replace").strip() for line in lines]
        self._new_line.set()

    async def _end(self) -> None:
        """End the process whatever state it is in; cancellations meanwhile are put off until that is done."""
        await to_its_end(self._end_at_once())

    async def _end_at_once(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
        with contextlib.suppress(Exception):
            await self.qmp.disconnect()
        if self._ended is not None:
            await self._ended
        self.last_words()
        while self._outputs:
            self._outputs.pop().close()
        self._socket.unlink(missing_ok=True)

    def _panic(self) -> str:
        """A remark where the guest's kernel has given up."""
        line = next((line for line in self.serial if "Kernel panic" in line), None)
        return f" ({line[line.index('Kernel panic') :]})" if line else ""

    def _doing(self) -> str:
        """What its processes do, and on which other host."""
        assert self._process is not None
        doing = "".join(f", {process}" for process in self._process.processes())
        return f"{doing} on {self._launcher.name}" if doing and self._launcher.name else doing

    def last_words(self) -> str:
        """The last line of its standard error."""
        for output in self._outputs[1:]:
            output.read()
            self._last_words = output.last_line()
        return self._last_words or "it printed nothing"


def _ending(status: int | None) -> str:
    if status is None:
        return "closed its QMP connection"
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
