# SPDX-License-Identifier: GPL-2.0-or-later
"""One QEMU process with its QMP connection; it ends with the process that started it."""

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
from ..basics.printable import shortened
from ..errors import HarnessError
from ..host.netns import Network
from .answers import documented
from .launching import HERE, Launcher, Running
from .monitor import Monitor
from .output import Output

START_S = 20.0
"""Within this time a QEMU speaks QMP, even on a busy host."""
_END_S = 5.0
_SERIAL_LIMIT = 1 << 20
"""Bytes of serial output that are kept: a guest (or a program that is no QEMU) may print forever."""


class QemuProcess:
    """A QEMU that runs within an `async with` block.

    The beginning and end of its standard error go to `directory/NAME.stderr`, those of its serial output to
    `directory/NAME.serial`, its command line to `directory/NAME.command`. The QMP socket is in `sockets`, whose path
    must be short. `arguments` are all but those of the monitor and the serial port. It runs in `network`, or else in
    the host's network, on the host of `launcher`. It must speak QMP within `speaks_within_s`.
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
            # Cancelled at its first step, qemu.qmp would leave a coroutine that was never awaited, and Python would
            # warn of it.
            await to_its_end(self.qmp.start_server(str(self._socket)))
            process = await to_its_end(self._spawn())
            await self._connected(process)
        except BaseException:
            await self._end()
            raise
        return self

    async def _spawn(self) -> Running:
        (self._directory / f"{self.name}.command").write_text(
            f"{shlex.join(self._command)}\n", errors="surrogateescape"
        )
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
        """Return the QMP answer to `command`, checked against QEMU's documentation.

        Raises HarnessError if QEMU refuses, answers something else, or is gone.
        """
        try:
            answer = await self.qmp.execute(command, dict(arguments) if arguments else None)
            return documented(f"the {self.name} QEMU", command, answer)
        except ExecuteError as error:
            raise HarnessError(f"{self.name} QEMU refused {command}: {shortened(str(error))}") from error
        except (ExecInterruptedError, QMPError) as error:
            raise await self.end_error(f"during {command}") from error

    async def give(self, name: str, descriptor: int) -> None:
        """Pass a copy of an open file to QEMU, which then knows it by `name`; raises HarnessError."""
        self.qmp.send_fd_scm(descriptor)
        await self.execute("getfd", {"fdname": name})

    async def line(self, *beginnings: str) -> str:
        """The first line from the serial port, past or to come, that starts with one of `beginnings`.

        Raises HarnessError if the process ends before.
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
        """An error that says how the process ended, with its own last words."""
        assert self._process is not None
        self._gone_when = when
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        if self._process.loss:
            return HarnessError(f"{self._process.loss} ({self.name} QEMU, {when}: {self.last_words()})")
        return HarnessError(f"{self.name} QEMU {_ending(self._process.returncode)} {when}: {self.last_words()}")

    def silence(self, least_s: float) -> str | None:
        """What QEMU has not answered and what its processes are doing, if it has answered nothing for `least_s`; else
        None.

        A QEMU that has closed its QMP connection answers nothing any more.
        """
        if self._gone_when and self._process is not None and self._process.returncode is None:
            return f"the {self.name} QEMU {_ending(None)} {self._gone_when}{self._doing()}: {self.last_words()}"
        silence = self.qmp.silence()
        if silence is None or silence.seconds < least_s:
            return None
        return f"the {self.name} QEMU {silence}{self._doing()}: {self.last_words()}"

    def is_stopped(self) -> bool:
        """Whether a signal stopped one of its processes, which then does nothing until it is continued."""
        return self._process is not None and any(process.state == "T" for process in self._process.processes())

    @property
    def loss(self) -> str:
        """Why nothing is known of the process any more; empty if it can be reached."""
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
        """Take data from the serial port; empty data means that it has ended."""
        if self._heard_bytes < _SERIAL_LIMIT:
            self._heard_bytes += len(data)
            *lines, self._partial = (self._partial + data).split(b"\n")
            self.serial += [line.decode(errors="replace").strip() for line in lines]
        self._new_line.set()

    async def _end(self) -> None:
        """End the process, whatever its state; cancellations are deferred until that is done."""
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
        """A remark if the guest's kernel has panicked."""
        line = next((line for line in self.serial if "Kernel panic" in line), None)
        return f" ({line[line.index('Kernel panic') :]})" if line else ""

    def _doing(self) -> str:
        """What its processes are doing, and on which other host."""
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
