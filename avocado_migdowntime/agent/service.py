# SPDX-License-Identifier: GPL-2.0-or-later
"""The questions that the other end can ask this host."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from . import look, memory, rate, turn
from .hugepages import Hugepages
from .keeper import Keeper
from .qemus import Program, Tell

_FILL_BYTES = 16 << 20


class Service:
    """Answers questions: each method `do_…` returns a value, or bytes, or raises.

    A KeeperError means that the host lacks something; anything else is a failure.
    """

    def __init__(self, keeper: Keeper, tell: Tell) -> None:
        self._keeper = keeper
        self._tell = tell
        self._directory: str = keeper.take("directory")
        self._programs: dict[str, Program] = {}
        self._pages: Hugepages | None = None
        self._files: list[int] = []
        self._logs: dict[str, memory.BeatLog] = {}
        self._turn: socket.socket | None = None
        self._over = False

    async def answer(self, question: Mapping[str, Any], data: bytes) -> tuple[Any, bytes]:
        """The answer to a question; raises what its method raises."""
        arguments = {key: value for key, value in question.items() if key not in ("do", "id", "bytes")}
        if data:
            arguments["data"] = data
        method: Callable[..., Any] = getattr(self, f"do_{question['do']}")
        result = await method(**arguments)
        return (None, result) if isinstance(result, bytes) else (result, b"")

    def hear(self, name: str, data: bytes) -> None:
        """Forward data from the other end to a program."""
        if name in self._programs:
            self._programs[name].hear(data)

    def end(self) -> list[str]:
        """End all programs and return everything that was taken; list what could not be returned."""
        self._over = True
        for program in self._programs.values():
            program.kill()
        for log in self._logs.values():
            log.end()
        return self._keeper.release()

    async def do_facts(self) -> Any:
        """What the other end needs to know about this host."""
        return {
            "directory": self._directory,
            "identity": turn.identity(),
            "python": platform.python_version(),
            "page_bytes": os.sysconf("SC_PAGE_SIZE"),
            "machine": platform.machine(),
            "kvm": os.access("/dev/kvm", os.R_OK | os.W_OK),
            "filters": look.has_filters(),
            "byte_order": sys.byteorder,
            "ssh_connection": os.environ.get("SSH_CONNECTION", ""),
        }

    async def do_clock(self) -> Any:
        """The times of this host's clocks; and, because this is asked repeatedly, the states of its programs."""
        times = [time.monotonic(), time.time()]
        return {"times": times, "states": {name: each.states() for name, each in self._programs.items()}}

    async def do_look(self) -> Any:
        """What this host shows of itself, and who has its turn."""
        return {
            **look.cpus(),
            "available_bytes": look.memory_available(),
            "pools": look.pools(),
            "kvm_exists": os.path.exists("/dev/kvm"),
            "root": os.geteuid() == 0,
            "turn": turn.holder(),
        }

    async def do_cpu(self, pid: int, threads: list[int]) -> Any:
        """CPU seconds used by a process and these of its threads, and how long it waited for a CPU."""
        return look.cpu_seconds(pid, threads)

    async def do_find(self, names: list[str]) -> Any:
        """The first of these programs that exists, else None."""
        return next(filter(None, map(shutil.which, names)), None)

    async def do_is_directory(self, path: str) -> Any:
        """Whether this is a directory."""
        return os.path.isdir(path)

    async def do_put(self, name: str, below: str = "", data: bytes = b"") -> Any:
        """Store a file with this content, readable by this user only, in a directory below its own; return its path."""
        directory = os.path.join(self._directory, os.path.basename(below))
        os.makedirs(directory, 0o700, exist_ok=True)
        path = os.path.join(directory, os.path.basename(name))
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        return path

    async def do_launch(self, name: str, command: list[str]) -> Any:
        """Start a program; return its process id."""
        self._programs[name] = Program(name, self._tell)
        socket_path = os.path.join(self._directory, f"{name}.qmp")
        return await self._programs[name].start(command, socket_path, self._keeper)

    async def do_kill(self, name: str) -> Any:
        """Kill a program."""
        if name in self._programs:
            self._programs[name].kill()

    async def do_hugetlbfs(self, page_bytes: int) -> Any:
        """A directory on hugetlbfs."""
        return Hugepages(self._keeper, page_bytes).hugetlbfs(self._directory)

    async def do_reserve(self, page_bytes: int, count: int, allowed: bool) -> Any:
        """Hold `count` free hugepages; return the number that the pool was grown by."""
        self._pages = Hugepages(self._keeper, page_bytes)
        return await _in_thread(self._pages.reserve, count, allowed)

    async def do_hand_over(self) -> Any:
        """Let the program that is launched next take the pages."""
        if self._pages is not None:
            await _in_thread(self._pages.hand_over)

    async def do_handed_over(self) -> Any:
        """Note that the program has taken the pages."""
        if self._pages is not None:
            self._pages.handed_over()

    async def do_ram(self, name: str, ram_bytes: int) -> Any:
        """The number of the file that backs a guest's RAM."""
        return self._opened(memory.backing_file(self._programs[name].pids(), ram_bytes, os.O_RDONLY))

    async def do_open(self, path: str) -> Any:
        """The number of the opened file."""
        return self._opened(os.open(path, os.O_RDONLY | os.O_CLOEXEC))

    async def do_close(self, file: int, path: str = "") -> Any:
        """Close a file by its number, and delete it if its path is given."""
        os.close(file)
        self._files.remove(file)
        if path:
            os.unlink(path)

    async def do_read(self, file: int, offset: int, size: int) -> Any:
        """Bytes of a file."""
        return await _in_thread(memory.read, file, offset, size)

    async def do_sums(self, file: int, offset: int, size: int, seed: str = "") -> Any:
        """Checksums of a file's pages; or, given a seed in hexadecimal digits, records of the pages with that seed."""
        if seed:
            return await _in_thread(memory.seeded, file, offset, size, bytes.fromhex(seed))
        return await _in_thread(memory.sums, file, offset, size)

    async def do_fill(self, name: str, ram_bytes: int, step: int) -> Any:
        """Allocate all of a guest's hugepages."""
        file = memory.backing_file(self._programs[name].pids(), ram_bytes, os.O_RDWR)
        try:
            await _in_thread(self._fill, file, ram_bytes, max(step, _FILL_BYTES))
        finally:
            os.close(file)

    async def do_watch(self, file: int, offset: int, byte_order: str) -> Any:
        """Log the beats of a heart."""
        log = memory.BeatLog(memory.word(byte_order, lambda: memory.read(file, offset, 8)))
        self._logs[str(file)] = log
        log.begin()

    async def do_last_beat(self, file: int) -> Any:
        """The last beat, on this host's clock."""
        return self._logs[str(file)].last()

    async def do_first_beat(self, file: int, count: int) -> Any:
        """The first beat above a count, on this host's clock."""
        return self._logs[str(file)].first_above(count)

    async def do_listen(self, address: str) -> Any:
        """Listen for the measurement of the link; return the port."""
        self._listener = rate.listen(address)
        return self._listener.getsockname()[1]

    async def do_receive(self) -> Any:
        """Measure the bytes per second that arrive at that port."""
        return await _in_thread(rate.receive, self._listener)

    async def do_send(self, address: str, port: int) -> Any:
        """Send to a host that measures."""
        await _in_thread(rate.send, address, port)

    async def do_turn(self) -> Any:
        """Take the turn of this host; return an empty text, or else who has it."""
        self._turn, holder = turn.take()
        return holder

    def _opened(self, file: int) -> int:
        self._files.append(file)
        return file

    def _fill(self, file: int, ram_bytes: int, step: int) -> None:
        for offset in range(0, ram_bytes, step):
            if self._over:
                return
            os.posix_fallocate(file, offset, min(step, ram_bytes - offset))


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.get_event_loop().run_in_executor(None, function, *arguments)
