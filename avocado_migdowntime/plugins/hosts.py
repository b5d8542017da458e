# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests spread over hosts by SSH: `avocado run --spawner migdowntime-hosts`.

It takes the hosts from the setting of Avocado's own remote spawner, `spawner.remote.slots`, and has shells there by the
same library. What it does otherwise than that one, of release 113: it tells Avocado the end of a test whose runner
could not (there such a test is a SKIP, and the job a success); a host that is lost gets no other test, and what ran on
it is run once more on another; two tests never use one shell.
"""

import asyncio
import importlib.util
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from avocado.core.output import LOG_UI
from avocado.core.plugin_interfaces import Spawner
from avocado.core.spawners.common import SpawnerMixin, SpawnMethod
from avocado.core.utils import messages

from ..basics.printable import in_a_line
from ..errors import HostRequirementError, UsageError
from .ending import Ending
from .far_host import FarHost, HostLost
from .interrupts import raise_between_callbacks
from .last_word import tell

_ATTEMPTS = 2
"""A test that takes its host with it must not take all of them."""
_CLEANING_UP_S = 60.0
_READ_S = 0.1
"""What is told of a test comes by another connection than its end, and Avocado that ends a job waits in a busy loop
for one that has ended and of which it has read nothing.
"""
_LACKS_IT = "No module named"
_hosts: "Hosts | None" = None
"""One set for the whole process: Avocado makes a spawner for each suite of a job."""


class Hosts:
    """Those that are there; each runs one test at a time."""

    def __init__(self, slots: Iterable[str]) -> None:
        self._all = [FarHost(slot) for slot in slots]
        self._free = list(self._all)
        self._left = set(self._all)
        self._changed = asyncio.Condition()
        self._threads = ThreadPoolExecutor(len(self._all))

    async def take(self, given_up: Callable[[], bool]) -> FarHost | None:
        """Wait for one that runs nothing, or until it is given up; raises HostRequirementError where none is left."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._free or not self._left or given_up())
            if given_up():
                return None
            if not self._left:
                raise HostRequirementError("none of the hosts in `spawner.remote.slots` can be used any more")
            return self._free.pop(0)

    async def run(self, host: FarHost, arguments: list[str], within_s: float, ending: Ending) -> tuple[int, str]:
        """As the host's, in a thread of its own: asyncio has but some more than there are processors here."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, host.run, arguments, within_s, ending)

    async def give_back(self, host: FarHost) -> None:
        """It runs nothing any more."""
        async with self._changed:
            if host in self._left:
                self._free.append(host)
            self._changed.notify_all()

    async def leave_out(self, host: FarHost, why: str) -> None:
        """It gets no other test."""
        async with self._changed:
            self._left.discard(host)
            self._changed.notify_all()
        LOG_UI.error("migdowntime: %s; it gets no other test", in_a_line(why))

    async def look_again(self) -> None:
        """Somebody who waits for a host may have given up."""
        async with self._changed:
            self._changed.notify_all()

    def leave(self) -> None:
        """End all connections."""
        for host in self._all:
            with suppress(Exception):
                host.close()
        self._threads.shutdown(wait=False)


def leave() -> None:
    """End the connections to all hosts, if there are any."""
    global _hosts
    if _hosts is not None:
        _hosts.leave()
        _hosts = None


class MigDowntimeHosts(Spawner, SpawnerMixin):
    """Runs each test on a host that is free."""

    name = "migdowntime-hosts"
    description = "Hosts by SSH, for migration downtime tests"
    METHODS = [SpawnMethod.STANDALONE_EXECUTABLE]  # noqa: RUF012

    def is_operational(self) -> bool:
        """Whether there are hosts, and the library to reach them by."""
        why = self._lacking()
        if why:
            LOG_UI.error("migdowntime: %s", why)
        return not why

    def _lacking(self) -> str:
        missing = [name for name in ("avocado_spawner_remote", "aexpect") if importlib.util.find_spec(name) is None]
        if missing:
            return "this spawner needs the extra `hosts`; pip install avocado-framework-plugin-spawner-remote==113.*"
        if not self._slots():
            return "no host is given; name them in the configuration: [spawner.remote] slots = ['root@lab1', …]"
        if self.config.get("run.status_server_auto"):
            return "hosts need a status server; add --status-server-disable-auto --status-server-uri HOST:PORT"
        try:
            for slot in self._slots():
                FarHost(slot)
        except UsageError as error:
            return in_a_line(str(error))
        return ""

    def _slots(self) -> list[str]:
        return [slot for slot in self.config.get("spawner.remote.slots") or [] if slot]

    async def spawn_task(self, runtime_task: Any) -> bool:
        """Begin; Avocado waits for it elsewhere, and may have it ended there."""
        global _hosts
        raise_between_callbacks()
        if _hosts is None:
            _hosts = Hosts(self._slots())
        runtime_task.spawner_handle = _Run(runtime_task, _hosts, float(self.config["spawner.remote.test_timeout"]))
        return True

    @staticmethod
    def is_task_alive(runtime_task: Any) -> bool:
        """Whether it still runs, or waits for a host."""
        run = runtime_task.spawner_handle
        return run is not None and not run.future.done()

    async def wait_task(self, runtime_task: Any) -> None:
        """Until it has ended."""
        await asyncio.wait({runtime_task.spawner_handle.future})

    async def terminate_task(self, runtime_task: Any) -> bool:
        """End it, and wait until it has cleaned up; gives whether it has."""
        done: bool = await runtime_task.spawner_handle.end()
        return done

    @staticmethod
    async def check_task_requirements(runtime_task: Any) -> bool:
        """Its host has to have what it needs."""
        return True

    @staticmethod
    async def is_requirement_in_cache(runtime_task: Any) -> bool:
        """Nothing is kept of what hosts have."""
        return False

    @staticmethod
    async def save_requirement_in_cache(runtime_task: Any) -> None:
        """Nothing is kept."""

    @staticmethod
    async def update_requirement_cache(runtime_task: Any, result: Any) -> None:
        """Nothing is kept."""


class _Run:
    """One test, from waiting for a host to its end."""

    def __init__(self, runtime_task: Any, hosts: Hosts, within_s: float) -> None:
        self._task = runtime_task.task
        self._hosts = hosts
        self._within_s = within_s
        self._ending = Ending()
        self.future = asyncio.ensure_future(self._told())

    async def end(self) -> bool:
        await asyncio.to_thread(self._ending.ask)
        await self._hosts.look_again()
        done, _ = await asyncio.wait({self.future}, timeout=_CLEANING_UP_S)
        return bool(done)

    async def _told(self) -> None:
        """Run the test; where its runner cannot tell how it ended, that is told in its place."""
        try:
            why = await self._run()
        except Exception as error:  # Avocado would wait forever for the end of this test.
            why = str(error) or type(error).__name__
        if why:
            result = "interrupted" if self._ending.is_asked else "error"
            names = {"id": str(self._task.identifier), "job_id": self._task.job_id}
            told = {**messages.FinishedMessage.get(result, fail_reason=in_a_line(why)), **names}
            for service in self._task.status_services:
                await asyncio.to_thread(tell, service.uri, told)
        await asyncio.sleep(_READ_S)

    async def _run(self) -> str:
        """Why the runner has told no end; nothing where it has."""
        lost = ""
        for _ in range(_ATTEMPTS):
            host = await self._hosts.take(lambda: self._ending.is_asked)
            if host is None:
                return "it was ended before there was a host for it"
            try:
                status, said = await self._hosts.run(host, self._arguments(), self._within_s, self._ending)
            except HostLost as error:
                lost = f"{error}; what became of the test there is not known"
                await self._hosts.leave_out(host, str(error))
                if self._ending.is_asked:
                    return lost
            except HostRequirementError as error:
                lost = str(error)
                await self._hosts.leave_out(host, lost)
            else:
                return await self._judged(host, status, said) if status else ""
            finally:
                await self._hosts.give_back(host)
        return lost

    async def _judged(self, host: FarHost, status: int, said: str) -> str:
        last = said.splitlines()[-1] if said else f"status {status}"
        if _LACKS_IT not in last:
            return f"the runner on {host.name} has ended with status {status}: {last}"
        why = (
            f"{host.python} of {host.name} lacks this package ({last}); install there what is installed here, for that "
            "Python"
        )
        await self._hosts.leave_out(host, why)
        return why

    def _arguments(self) -> list[str]:
        kind = self._task.runnable.kind
        module = self._task.runnable.pick_runner_module_from_entry_point_kind(kind)
        if module is None:
            raise HostRequirementError(f"there is no runner for tests of the kind {kind}")
        return ["-m", module, "task-run", *self._task.get_command_args()]
