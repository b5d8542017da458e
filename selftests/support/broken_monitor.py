# SPDX-License-Identifier: GPL-2.0-or-later
"""A real QEMU whose QMP traffic breaks in one way, at the moment that a file asks for it.

The process becomes QEMU; the relay of QMP is its child, in the same process group.
"""

import json
import os
import select
import shlex
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from .documents import TOP

CLOSED, STALLED, GARBAGE, HALF, HUGE, OTHER = KINDS = (
    *("QMP closed", "QMP stalled", "QMP garbage", "QMP half a line", "QMP 10 MB reply"),
    "QMP reply to another command",
)
_ASKED = "break"
"""The file next to the launcher that names a side and a kind."""
_LOOK_S = 0.005
_AT = "socket,id=qmp,path="


def launcher(directory: Path, binary: str) -> Path:
    """An executable that starts `binary` this way; its control file is in `directory`."""
    path = directory / "qemu-system-x86_64"
    code = f"import sys; sys.path.insert(0, {str(TOP)!r}); from {__name__} import main; main()"
    command = [sys.executable, "-P", "-c", code, str(directory), binary]
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    path.chmod(0o755)
    return path


def ask(directory: Path, side: str, kind: str) -> None:
    """Break the QMP connection of this side."""
    partly = directory / f"{_ASKED}.part"
    partly.write_text(f"{side},{kind}")
    partly.rename(directory / _ASKED)


def main() -> NoReturn:
    """Become the QEMU that the command line names: DIRECTORY BINARY ARGUMENT…"""
    directory, binary, *arguments = sys.argv[1:]
    number = next(number for number, word in enumerate(arguments) if word.startswith(_AT))
    path = arguments[number].removeprefix(_AT)
    user = socket.socket(socket.AF_UNIX)
    user.connect(path)
    ours, for_qemu = socket.socketpair()
    if os.fork() == 0:
        for_qemu.close()
        try:
            _hand_on(user, ours, Path(directory) / _ASKED, Path(path).stem)
        finally:
            os._exit(0)
    for_qemu.set_inheritable(True)
    arguments[number] = f"socket,id=qmp,fd={for_qemu.detach()}"
    # Those who search for a side's QEMU find it by the path.
    os.execv(binary, [binary, *arguments, "-name", path])


def _hand_on(user: socket.socket, qemu: socket.socket, asked: Path, side: str) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)  # Whoever started QEMU waits for the end of these.
    rest, kind = b"", ""
    while True:
        if not kind and asked.exists():
            wanted, _, named = asked.read_text().partition(",")
            kind = named if wanted == side else ""
            if kind == CLOSED:
                user.close()
                qemu.close()
                return
            if kind == GARBAGE:
                user.sendall(b"\0\xff{]nonsense\r\n")
        if kind == STALLED:
            time.sleep(60)
            continue
        ready, _, _ = select.select([user, qemu], [], [], _LOOK_S)
        for one in ready:
            data = one.recv(1 << 16)
            if not data:
                return
            if one is user:
                qemu.sendall(data)
                continue
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                handed = broken(line, kind)
                with suppress(BrokenPipeError):
                    user.sendall(handed)
                if kind == HALF:
                    user.close()
                    qemu.close()
                    return
                kind = "done" if kind and handed != line + b"\n" else kind


def broken(line: bytes, kind: str) -> bytes:
    """A QMP line broken in this way."""
    if kind == HALF:
        return line[: len(line) // 2]
    message = json.loads(line) if kind in (HUGE, OTHER) else {}
    if kind == OTHER and {"return", "id"} <= message.keys():
        # The answer to the greeting has no id, and no client expects one.
        message["id"] = "of another"
    elif kind == HUGE and isinstance(message.get("return"), dict):
        message["return"]["more"] = 10_000_000 * "x"
    else:
        return line + b"\n"
    return json.dumps(message).encode() + b"\n"
