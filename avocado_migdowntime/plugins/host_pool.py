# SPDX-License-Identifier: GPL-2.0-or-later
"""The hosts that a job's tests are spread over, and what is known of the tests on them."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from avocado.core.output import LOG_UI

from ..basics.printable import in_a_line
from ..errors import HostRequirementError
from .ending import Ending
from .far_host import FarHost

_hosts: "Hosts | None" = None
"""One set for the whole process: Avocado makes a spawner for each suite of a job."""


class Hosts:
    """Those that are there; each runs one test at a time."""

    def __init__(self, slots: Iterable[str]) -> None:
        self._all = [FarHost(slot) for slot in slots]
        self._free = list(self._all)
        self._usable = set(self._all)
        self._changed = asyncio.Condition()
        self._threads = ThreadPoolExecutor(len(self._all))
        self.ends: set[str] = set()
        """The tests whose end Avocado has read."""

    async def take(self, given_up: Callable[[], bool]) -> FarHost | None:
        """Wait for one that runs nothing, or until it is given up; raises HostRequirementError where none is left."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._free or not self._usable or given_up())
            if given_up():
                return None
            if not self._usable:
                raise HostRequirementError("none of the hosts in `spawner.remote.slots` can be used any more")
            return self._free.pop(0)

    async def run(self, host: FarHost, arguments: list[str], within_s: float, ending: Ending) -> tuple[int, str]:
        """As the host's, in a thread of its own: asyncio has but some more than there are processors here."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, host.run, arguments, within_s, ending)

    async def give_back(self, host: FarHost) -> None:
        """It runs nothing any more."""
        async with self._changed:
            if host in self._usable:
                self._free.append(host)
            self._changed.notify_all()

    async def leave_out(self, host: FarHost, why: str) -> None:
        """It gets no other test."""
        async with self._changed:
            self._usable.discard(host)
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


def shared(slots: Iterable[str]) -> Hosts:
    """The set of this process, made of these slots where there is none yet."""
    global _hosts
    if _hosts is None:
        _hosts = Hosts(slots)
    return _hosts


def note_end(test: str) -> None:
    """Avocado has read the end of a test."""
    if _hosts is not None:
        _hosts.ends.add(test)


def leave() -> None:
    """End the connections to all hosts, if there are any."""
    global _hosts
    if _hosts is not None:
        _hosts.leave()
        _hosts = None
