# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs commands of the package in separate processes that need not import it first.

A Python that has imported it forks one for each command: as separate as a new Python would be, in a tenth of its time.
"""

import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO, NoReturn

from .documents import TOP
from .waiting import HANGS_S

_IMPORTED = (
    "__main__",
    "forms.file",
    "prediction.advise",
    "record.live",
    "record.piped",
    "report.screen",
    "verdict.judge",
)
_REQUEST_BYTES = 1 << 20


class Warm:
    """The process that forks; it ends with `close`, or with this process."""

    def __init__(self) -> None:
        self._requests, other_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._requests.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _REQUEST_BYTES)
        line = [sys.executable, "-m", __name__, str(other_end.fileno())]
        with other_end:
            self._process = subprocess.Popen(line, cwd=TOP, pass_fds=[other_end.fileno()])

    def run(
        self, *arguments: str, cwd: Path, environment: Mapping[str, str] | None = None, data: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """What `python -m avocado_migdowntime` with `arguments` does with `data` from a pipe."""
        request = {"arguments": arguments, "cwd": str(cwd), "environment": {**os.environ, **(environment or {})}}
        end, other_end = socket.socketpair()
        into, out = os.pipe()
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors, end:
            streams = [into, output.fileno(), errors.fileno(), other_end.fileno()]
            socket.send_fds(self._requests, [json.dumps(request).encode()], streams)
            os.close(into)
            other_end.close()
            feeder = Thread(target=_feed, args=(out, data))
            feeder.start()
            end.settimeout(HANGS_S)
            status = int(end.recv(16))
            feeder.join()
            return subprocess.CompletedProcess(arguments, status, _all_of(output), _all_of(errors))

    def close(self) -> None:
        """End it."""
        self._requests.close()
        self._process.wait()


def _feed(pipe: int, data: bytes) -> None:
    with suppress(BrokenPipeError), os.fdopen(pipe, "wb") as file:
        file.write(data)


def _all_of(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _serve(requests: socket.socket) -> None:
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, _REQUEST_BYTES, 4)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG if request else 0)[0]:
                pass
        if not request:
            return
        if os.fork():
            for descriptor in descriptors:
                os.close(descriptor)
            continue
        requests.close()
        *streams, told = descriptors
        pid = os.fork()
        if not pid:
            _become(json.loads(request), streams)
        for stream in streams:
            os.close(stream)
        os.write(told, b"%d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os._exit(0)


def _become(request: Mapping[str, Any], streams: list[int]) -> NoReturn:
    """Become the command, with the streams of a newly started Python."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    sys.argv = ["avocado_migdowntime", *request["arguments"]]
    encoding = os.environ.get("PYTHONIOENCODING", "utf-8")
    sys.stdin = os.fdopen(0, encoding=encoding, closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding=encoding, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding=encoding, errors="backslashreplace", closefd=False)
    sys.exit(import_module("avocado_migdowntime.__main__").main())


if __name__ == "__main__":
    for module in _IMPORTED:
        import_module(f"avocado_migdowntime.{module}")
    gc.freeze()  # Keep imported objects out of garbage collection, which would touch and so copy them in each process.
    _serve(socket.socket(fileno=int(sys.argv[1])))
