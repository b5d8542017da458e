# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that behaves like a real QEMU, except that its QMP traffic goes through a fault.

The process becomes QEMU by exec. So it keeps its process id, its limits and its signal settings. The QMP relay is a
child in the same process group, and ends when QEMU does.
"""

import asyncio
import os
import shlex
import signal
import socket
import sys
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from ..basics import whole_file
from ..errors import UsageError
from ..faults.catalogue import NamedFault, named_fault
from . import monitors, relay

_BEGINNING_BYTES = 200
MARK = "# A QEMU with a fault; made by `avocado migdowntime faulty`."
_START = "import sys; sys.path.insert(0, {top!r}); from avocado_migdowntime.faulty.launcher import main; main()"


def script(fault: NamedFault, binary: str) -> str:
    """The text of an executable that runs `binary` with a fault."""
    top = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-P", "-c", _START.format(top=top), str(fault), binary]
    return f'#!/bin/sh\n{MARK}\nexec {shlex.join(command)} "$@"\n'


def write(path: Path, fault: NamedFault, binary: str) -> None:
    """Write that executable; raises UsageError if that fails, or if something else is there already."""
    try:
        text = script(fault, binary).encode()
        if not os.path.lexists(path):
            whole_file.write_new(path, text, 0o755)
        elif _is_launcher(path):
            whole_file.write(str(path), text)
        else:
            raise UsageError(f"{path} exists and was not written by this command; give another name with --output")
    except OSError as error:
        instead = "name a file in a directory that you can write to"
        raise UsageError(f"{path}: the launcher cannot be written: {error.strerror}; {instead}") from None


def _is_launcher(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return MARK.encode() in file.read(_BEGINNING_BYTES)


def main() -> NoReturn:
    """Become the QEMU that the command line names, with its fault: FAULT BINARY ARGUMENT…"""
    fault, binary, *arguments = sys.argv[1:]
    try:
        monitor = monitors.find(arguments)
        if monitor is not None:
            arguments = _interpose(monitor, named_fault(fault))
        os.execv(binary, [binary, *arguments])
    except UsageError as error:
        sys.exit(f"{binary} with the fault {fault}: {error}")
    except OSError as error:
        sys.exit(f"{binary} with the fault {fault}: {error.strerror}")


def _interpose(monitor: monitors.MonitorOption, fault: NamedFault) -> list[str]:
    """Start the relay; return the QEMU arguments that connect QEMU to it."""
    for_qemu = _between_clients(monitor.path, fault) if monitor.listens else _beside_server(monitor.path, fault)
    for_qemu.set_inheritable(True)
    return monitor.with_descriptor(for_qemu.detach())


def _beside_server(path: str, fault: NamedFault) -> socket.socket:
    """QEMU's user listens: connect in place of QEMU, and give QEMU one end of a socket pair."""
    user = socket.socket(socket.AF_UNIX)
    try:
        user.connect(path)
    except OSError as error:
        raise UsageError(f"the QMP socket {path} cannot be connected to: {error.strerror or error}") from None
    ours, for_qemu = socket.socketpair()
    if _forked():
        for_qemu.close()
        _hand_on(relay.between(user, ours, fault), keep=(user, ours))
    return for_qemu


def _between_clients(path: str, fault: NamedFault) -> socket.socket:
    """QEMU's user connects: listen in place of QEMU, which listens at an address without a file."""
    user = socket.socket(socket.AF_UNIX)
    Path(path).unlink(missing_ok=True)  # As QEMU does (util/qemu-sockets.c: unix_listen_saddr).
    try:
        user.bind(path)
    except OSError as error:
        raise UsageError(f"the QMP socket {path} cannot be made: {error.strerror or error}") from None
    user.listen()
    for_qemu = socket.socket(socket.AF_UNIX)
    for_qemu.bind("")  # The kernel chooses the name (unix(7): autobind).
    for_qemu.listen()
    address = for_qemu.getsockname()
    # QEMU inherits one end, so the other one shows when QEMU ends, even if it daemonizes.
    ended, alive = os.pipe()
    if _forked():
        for_qemu.close()
        _hand_on(relay.serve(user, address, ended, fault), keep=(user, ended))
    os.set_inheritable(alive, True)
    return for_qemu


def _forked() -> bool:
    return os.fork() == 0


def _hand_on(relaying: Coroutine[Any, Any, None], keep: Iterable[socket.socket | int]) -> NoReturn:
    """In the child: relay until QEMU ends, whatever signals its group gets; of other files, only standard error stays
    open.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    kept_descriptors = {2, *(each if isinstance(each, int) else each.fileno() for each in keep)}
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor not in kept_descriptors:
            with suppress(OSError):
                os.close(descriptor)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    try:
        asyncio.run(relaying)
    finally:
        os._exit(0)
