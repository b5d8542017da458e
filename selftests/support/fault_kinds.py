# SPDX-License-Identifier: GPL-2.0-or-later
"""What can happen to a job: each fault, the job's additional arguments, and the repair afterwards."""

import atexit
import functools
import os
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from . import broken_monitor
from .moments import WatchedJob
from .ordinary_user import OrdinaryUser

PAUSE_S = 2.0
"""How long a process of ours is stopped, or the link is cut."""
TIMEOUT_S = 12
"""Longer than any moment of a job takes to come, and shorter than a stopped QEMU is waited for."""
_ROOM_MB = 16
_AN_HOUR_S = 3600
_POOL = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")


def _signal(number: signal.Signals) -> Callable[[WatchedJob, str], None]:
    def send(job: WatchedJob, target: str) -> None:
        for pid in job.targets(target):
            os.kill(pid, number)

    return send


def _pause(job: WatchedJob, target: str) -> None:
    stopped = job.targets(target)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(PAUSE_S)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)


def _ctrl_c(times: int) -> Callable[[WatchedJob, str], None]:
    def press(job: WatchedJob, target: str) -> None:
        for number in range(times):
            time.sleep(0.3 if number else 0)
            os.killpg(job.process.pid, signal.SIGINT)

    return press


def _break(kind: str) -> Callable[[WatchedJob, str], None]:
    return lambda job, target: broken_monitor.ask(job.home, target, kind)


def _fill(job: WatchedJob, target: str) -> None:
    with (job.home / "avocado" / "filling").open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))


def _take_hugepages(job: WatchedJob, target: str) -> None:
    _POOL.write_text("0")


def _link(*words: str, back: tuple[str, ...] = ()) -> Callable[[WatchedJob, str], None]:
    def change(job: WatchedJob, target: str) -> None:
        for pid in job.targets("source")[:1]:
            enter = ["nsenter", "--target", str(pid), "--net", "--"]
            [device] = (name for name in _devices(pid) if name != "lo")
            for number, command in enumerate((words, back) if back else (words,)):
                time.sleep(PAUSE_S if number else 0)
                subprocess.run([*enter, *(word.format(device) for word in command)], check=False)

    return change


def _devices(pid: int) -> list[str]:
    lines = Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
    return [line.partition(":")[0].strip() for line in lines]


def _second_job(job: WatchedJob, target: str) -> None:
    job.second = WatchedJob(job.home / "second")


@functools.cache
def _another_user() -> OrdinaryUser:
    """A user with an environment of this project, which is made once and removed with this process."""
    stack = ExitStack()
    atexit.register(stack.close)
    user = stack.enter_context(OrdinaryUser.with_home())
    user.given()
    user.set_up()
    return user


def _second_users_job(job: WatchedJob, target: str) -> None:
    user = _another_user()
    job.second = WatchedJob(user.home / job.home.name, user=user)


def _hold(job: WatchedJob, target: str) -> None:
    """Stop everything, so that the time is up at this moment."""
    for pid in job.targets("both"):
        os.kill(pid, signal.SIGSTOP)


def _set_back(job: WatchedJob, target: str) -> None:
    with (job.home / _CLOCK).open("r+b", buffering=0) as file:
        file.write(struct.pack("q", -_AN_HOUR_S))


def _nothing(directory: Path) -> tuple[str, ...]:
    return ()


def _with_a_clock(directory: Path) -> Mapping[str, str]:
    """An environment whose wall clock is off by what a file says; the other clocks are the host's."""
    (directory / _CLOCK).write_bytes(struct.pack("q", 0))
    library, source = directory / "wall_clock.so", Path(__file__).with_name("wall_clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library), "WALL_CLOCK": str(directory / _CLOCK)}


def _with_launcher(directory: Path) -> tuple[str, ...]:
    binary = shutil.which("qemu-system-x86_64")
    assert binary
    return ("--migdowntime-qemu", str(broken_monitor.launcher(directory, binary)))


@dataclass(frozen=True)
class Fault:
    """A fault that can happen: what is done to a job's target, and the job's additional arguments."""

    happens: Callable[[WatchedJob, str], None]
    words: Callable[[Path], tuple[str, ...]] = _nothing
    needs_root: bool = False
    prepared: str = ""
    environment: Callable[[Path], Mapping[str, str]] = lambda directory: MappingProxyType({})
    needs: str = ""
    """The program that it needs."""

    @property
    def possible(self) -> bool:
        """Whether this user can cause it on this host."""
        return (os.geteuid() == 0 or not self.needs_root) and (not self.needs or shutil.which(self.needs) is not None)


PAUSED = f"SIGSTOP for {PAUSE_S:g} s"
FULL, POOL_EMPTIED, SECOND = "disk full", "hugepages taken away", "another job is started"
SECOND_USERS, SET_BACK = "another user's job is started", "clock set back by 1 h"
TIMEOUTS = CLASS_TIMEOUT, JOB_TIMEOUT, OWN_TIMEOUT = "timeout of the class", "timeout of the job", "own time limit"
_CLOCK = "clock"
CUT, CUT_SHORTLY, SLOWED = "link cut", f"link cut for {PAUSE_S:g} s", "link slowed to 1 %"
_SHAPED = ("--migdowntime-link", "shaped", "--migdowntime-link-rate", "25000000")
_DOWN, _UP = (("ip", "link", "set", "{}", state) for state in ("down", "up"))
_SLOW = ("tc", "qdisc", "replace", "dev", "{}", "root", "tbf", "rate", "2mbit", "burst", "32k", "latency", "1s")

FAULTS: Mapping[str, Fault] = {
    "SIGKILL": Fault(_signal(signal.SIGKILL)),
    "SIGTERM": Fault(_signal(signal.SIGTERM)),
    "SIGSTOP": Fault(_signal(signal.SIGSTOP)),
    PAUSED: Fault(_pause),
    "Ctrl-C": Fault(_ctrl_c(1)),
    "Ctrl-C twice": Fault(_ctrl_c(2)),
    **{kind: Fault(_break(kind), _with_launcher) for kind in broken_monitor.KINDS},
    FULL: Fault(_fill, needs_root=True, prepared="tmpfs"),
    POOL_EMPTIED: Fault(
        _take_hugepages, lambda _: ("--migdowntime-page-size", "2M"), needs_root=True, prepared="hugepages"
    ),
    CUT: Fault(_link(*_DOWN), lambda _: _SHAPED, needs_root=True),
    CUT_SHORTLY: Fault(_link(*_DOWN, back=_UP), lambda _: _SHAPED, needs_root=True),
    SLOWED: Fault(_link(*_SLOW), lambda _: _SHAPED, needs_root=True),
    SECOND: Fault(_second_job),
    SECOND_USERS: Fault(_second_users_job, needs_root=True, prepared="user"),
    CLASS_TIMEOUT: Fault(_hold, lambda _: ("-p", f"timeout={TIMEOUT_S}")),
    JOB_TIMEOUT: Fault(_hold, lambda _: ("--job-timeout", str(TIMEOUT_S + 2))),
    OWN_TIMEOUT: Fault(_hold, lambda _: ("--migdowntime-time-limit", str(TIMEOUT_S))),
    SET_BACK: Fault(_set_back, environment=_with_a_clock, needs="cc"),
}
"""By their names on the page."""


@contextmanager
def prepared(fault: Fault, directory: Path) -> Iterator[None]:
    """Prepare the host for the fault, and restore it after the block."""
    if fault.prepared == "tmpfs":
        place = directory / "avocado"
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_ROOM_MB}m", "mdt-cell", place], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)
    elif fault.prepared == "hugepages":
        before = _POOL.read_text()
        try:
            yield
        finally:
            _POOL.write_text(before)
    else:
        if fault.prepared == "user":
            _another_user()
        yield
